package crossdock_test

import (
	"reflect"
	"testing"
	"time"

	exact "github.com/shopspring/decimal"

	"github.com/crossdockhq/crossdock"
)

// fill gives every field of a form a value that counts, whatever fields it has:
// what a test then finds missing was dropped. Kept stays empty.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case crossdock.Kept:
		return
	case crossdock.Decimal:
		v.Set(reflect.ValueOf(exact.RequireFromString("0.08")))
		return
	case crossdock.Money:
		v.Set(reflect.ValueOf(crossdock.Money{Amount: exact.RequireFromString("12.5"), Currency: "USD"}))
		return
	case crossdock.Quantity:
		v.Set(reflect.ValueOf(crossdock.Quantity{Count: exact.RequireFromString("2"), Unit: "Case of 12"}))
		return
	case crossdock.Ref:
		v.Set(reflect.ValueOf(crossdock.Ref{System: "shop", Kind: "order", Key: "gid://shopify/Order/1001"}))
		return
	case crossdock.Record:
		v.Set(reflect.ValueOf(crossdock.Record{Kind: "order", Form: 1}))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 11, 2, 10, 0, 0, 5000000, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(firstWord(v.Type()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0))
		fill(t, v.Index(1))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("fill does not know %s", v.Type())
	}
}

// firstWord returns a word that is allowed for a text of type t.
func firstWord(t reflect.Type) string {
	words := map[reflect.Type]string{
		reflect.TypeFor[crossdock.OrderState]():    string(crossdock.OrderHeld),
		reflect.TypeFor[crossdock.ShipmentState](): string(crossdock.ShipmentDone),
		reflect.TypeFor[crossdock.ReturnState]():   string(crossdock.ReturnReceived),
		reflect.TypeFor[crossdock.DocumentState](): string(crossdock.DocumentSent),
		reflect.TypeFor[crossdock.Grade]():         string(crossdock.Hold),
		reflect.TypeFor[crossdock.PartUse]():       string(crossdock.UseBoth),
	}
	if w, ok := words[t]; ok {
		return w
	}
	return "a <b> & \"c\""
}
