package core

import "github.com/crossdockhq/crossdock"

// A value a system has no word for (a country, a tax, a price list) keeps back every
// record that has it, and is one exception: its subject is the value, not a record.
// The records wait for the value; once one of them gets through, or a person retries
// the exception, all of them are tried again.

const valuePrefix = "value:"

// valueName is what those wait for that a value keeps back.
func valueName(system crossdock.System, subject string) string {
	return valuePrefix + string(system) + "/" + subject
}

// stuck raises the exception of a stopped want: of the value at fault, else of the
// record alone. The caller puts the want.
func (l *layer) stuck(w *Want, subject string, x Exception) {
	if w.Subject != subject {
		l.unstuck(w, "something else is wrong now")
	}
	x.Of, x.System, x.Subject, w.Subject = w.Of, w.System, subject, subject
	if subject == "" {
		l.raise(x, string(w.System)+"|"+w.Of.Short())
		return
	}
	l.clear(x.Check, w.System, w.Of, "it is that of many records: "+subject)
	l.await(valueName(w.System, subject), Waiting{Of: w.Of, System: w.System})
	l.raise(x, string(w.System)+"|"+subject)
}

// unstuck takes a want off those a value keeps back. The exception of the value is
// closed with the last of them. The caller puts the want.
func (l *layer) unstuck(w *Want, why string) {
	if w.Subject == "" {
		return
	}
	name := valueName(w.System, w.Subject)
	if l.unawait(name, Waiting{Of: w.Of, System: w.System}) {
		l.valueSettled(w, why)
	}
	w.Subject = ""
}

// mended closes the exception of a value that was written after all, and tries again
// what else it kept back. The caller puts the want.
func (l *layer) mended(w *Want) {
	if w.Subject == "" {
		return
	}
	name := valueName(w.System, w.Subject)
	l.unawait(name, Waiting{Of: w.Of, System: w.System})
	l.valueSettled(w, "it was written")
	w.Subject = ""
	l.wake(name)
}

func (l *layer) valueSettled(w *Want, why string) {
	for _, check := range valueChecks {
		l.settled(check, string(w.System)+"|"+w.Subject, why)
	}
}

// valueChecks are the checks whose exceptions may be about a value.
var valueChecks = []string{"push", "project"}

// ValueExceptionsAt returns the addresses of the exceptions a value can have.
func ValueExceptionsAt(system crossdock.System, subject string) []Address {
	at := make([]Address, len(valueChecks))
	for i, check := range valueChecks {
		at[i] = ExceptionAt(key(check, string(system), subject))
	}
	return at
}

// again sets the stopped push of a record going.
func (l *layer) again(system crossdock.System, of crossdock.Ref) {
	if w := get[Want](l, WantAt(system, DoPush, of)); w != nil && w.State == WantStopped {
		c := *w
		c.State, c.Due, c.Tries = WantDue, l.at, 0
		l.put(&c)
	}
}
