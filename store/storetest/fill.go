package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/crossdockhq/crossdock"
)

// filler gives every field it meets a value of its own that is not zero, so that
// a field a store drops or mixes up is seen.
type filler struct{ n int }

// fill returns a T with every field filled, those of what it holds too.
func fill[T any](f *filler) T {
	var v T
	f.value(reflect.ValueOf(&v).Elem())
	return v
}

func (f *filler) next() int {
	f.n++
	return f.n
}

func (f *filler) text() string { return fmt.Sprintf("text %d <&> \"é\"", f.next()) }

// raw returns a field of a record: canonical JSON, as json.Marshal writes it.
func (f *filler) raw() json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"a":[%d,null,1.50],"b":"\u003c%d\u003e"}`, f.next(), f.next()))
}

func (f *filler) decimal() crossdock.Decimal {
	d, err := crossdock.ParseDecimal(fmt.Sprintf("%d.25", f.next()))
	if err != nil {
		panic(err) // it is one
	}
	return d
}

// special fills the types whose text form allows not every content.
func (f *filler) special(v reflect.Value) bool {
	var made any
	switch v.Interface().(type) {
	case time.Time:
		made = noon.Add(time.Duration(f.next()) * (time.Hour + time.Nanosecond))
	case crossdock.Decimal:
		made = f.decimal()
	case crossdock.Money:
		made = crossdock.Money{Amount: f.decimal(), Currency: "EUR"}
	case crossdock.Quantity:
		made = crossdock.Quantity{Count: f.decimal(), Unit: "Case of 12"}
	case crossdock.Ref:
		made = crossdock.Ref{System: crossdock.System(fmt.Sprintf("system%d", f.next())), Kind: crossdock.Kind(fmt.Sprintf("kind%d", f.next())), Key: fmt.Sprintf("gid://x/%d|é", f.next())}
	case crossdock.Record:
		made = crossdock.Record{Kind: crossdock.Kind(f.text()), Form: f.next(), Fields: map[string]json.RawMessage{f.text(): f.raw(), f.text(): json.RawMessage(`"x"`)}}
	case crossdock.Kept:
		made = crossdock.Kept{"a newer field": json.RawMessage(fmt.Sprint(f.next()))}
	case json.RawMessage:
		made = f.raw()
	default:
		return false
	}
	v.Set(reflect.ValueOf(made))
	return true
}

func (f *filler) value(v reflect.Value) {
	if f.special(v) {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.next()))
	case reflect.Uint8:
		v.SetUint(uint64(f.next()%255 + 1))
	case reflect.String:
		v.SetString(f.text())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.value(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.value(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			f.value(key)
			f.value(elem)
			v.SetMapIndex(key, elem)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f.value(v.Field(i))
		}
	default:
		panic(fmt.Sprintf("storetest can't fill a %s: say in filler.special how", v.Type()))
	}
}
