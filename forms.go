package crossdock

import "reflect"

// forms holds one zero record of each kind. A new kind is one line here, its
// constant in ref.go and its file.
var forms = []Form{
	Order{}, Party{}, Item{}, Stock{}, Offer{}, Site{}, Tax{},
	Shipment{}, Invoice{}, Payment{}, Return{}, Purchase{}, Document{}, Fulfilment{},
}

// Forms returns a new, empty record of every kind, as a pointer that Unpack can
// read into, in the order in which the kinds are listed.
func Forms() []Form {
	out := make([]Form, len(forms))
	for i, f := range forms {
		out[i] = empty(f)
	}
	return out
}

// FormFor returns a new, empty record of kind, as a pointer that Unpack can read
// into. A kind that does not exist is Invalid, and the error names the nearest.
func FormFor(kind Kind) (Form, error) {
	for _, f := range forms {
		if k, _ := f.FormOf(); k == kind {
			return empty(f), nil
		}
	}
	names := KindNames()
	if near := Nearest(string(kind), names); near != "" {
		return nil, Errorf(Invalid, "there is no kind %q: did you mean %s?", kind, near)
	}
	return nil, Errorf(Invalid, "there is no kind %q: the kinds are %s", kind, list(names))
}

func empty(f Form) Form {
	return reflect.New(reflect.TypeOf(f)).Interface().(Form) //nolint:errcheck // forms holds values, and their pointers have their methods
}

// KindNames returns the names of all kinds, in the order in which they are listed.
func KindNames() []string {
	out := make([]string, len(forms))
	for i, f := range forms {
		kind, _ := f.FormOf()
		out[i] = string(kind)
	}
	return out
}

// list writes names for a sentence: "a, b and c".
func list(names []string) string {
	s := ""
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			s += " and "
		default:
			s += ", "
		}
		s += name
	}
	return s
}
