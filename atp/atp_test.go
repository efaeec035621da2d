package atp_test

import (
	"testing"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/atp"
)

func TestFree(t *testing.T) {
	for _, c := range []struct {
		name                                  string
		onHand, reserved, promised, converted string
		foreign, free                         string
	}{
		{"nothing is known", "0", "0", "0", "0", "0", "0"},
		{"all is free", "3", "0", "0", "0", "0", "3"},
		{"promised by us, not yet in the ERP", "3", "0", "2", "0", "0", "1"},
		{"promised by us and reserved by the ERP for it: counted once", "3", "2", "2", "2", "0", "1"},
		{"reserved by others", "10", "4", "0", "0", "4", "6"},
		{"reserved by others and for us", "15", "5", "2", "2", "3", "10"},
		{"one of two promises has been taken over", "10", "2", "5", "2", "0", "5"},
		{"the reading is older than the conversion: what we promised still counts", "3", "0", "2", "2", "0", "1"},
		{"an order was called off and the ERP still holds its reservation", "3", "2", "0", "0", "2", "1"},
		{"a count took away what was promised", "1", "2", "2", "2", "0", "-1"},
		{"goods by weight", "1.5", "0.25", "0.75", "0", "0.25", "0.5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			terms := atp.Terms{OnHand: number(t, c.onHand), Reserved: number(t, c.reserved), Promised: number(t, c.promised), Converted: number(t, c.converted)}
			if got := terms.Foreign(); !got.Equal(number(t, c.foreign)) {
				t.Errorf("reserved by others: %s, want %s", got, c.foreign)
			}
			if got := terms.Free(); !got.Equal(number(t, c.free)) {
				t.Errorf("free: %s, want %s", got, c.free)
			}
		})
	}
}

func number(t *testing.T, s string) crossdock.Decimal {
	t.Helper()
	d, err := crossdock.ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
