package store_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

var at = time.Date(2026, 11, 2, 12, 0, 0, 5, time.FixedZone("", 3600))

// What digests and the chain are made of may never change: books written by an
// older crossdock, or kept in another store, have to verify.
func TestDigestsStayTheSame(t *testing.T) {
	salt := []byte("0123456789abcdef")
	for _, c := range []struct {
		body             crossdock.Body
		head, text, want string
	}{
		{crossdock.Message{From: "shop", Kind: crossdock.KindOrder, Key: "1001", Meta: crossdock.Meta{"b": "<2>", "a": "1"}, Asked: at, Body: []byte("\x00raw")},
			`{"from":"shop","kind":"order","key":"1001","asked":"2026-11-02T12:00:00.000000005+01:00","meta":{"a":"1","b":"<2>"}}`, "\x00raw",
			"09590fb32f626a3b034787dcc435e48d110ead9cc469b768b8eeff32db160e57"},
		{crossdock.Result{Attempt: 7, System: "odoo", Receipts: []crossdock.Receipt{{Of: crossdock.BookRef(crossdock.KindOrder, "1001"), Rev: 1, Key: "812"}}},
			"", `{"attempt":7,"system":"odoo","receipts":[{"of":"book/order/1001","rev":1,"key":"812"}]}`,
			"d8514db360022c581457578ce633dfc7a8457a29910824b59dc928805a355b53"},
	} {
		got, err := store.WriteBody(c.body)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Head) != c.head || string(got.Body) != c.text {
			t.Errorf("%T is written as %s %s", c.body, got.Head, got.Body)
		}
		if d := hex.EncodeToString(got.Digest(salt)); d != c.want {
			t.Errorf("%T has the digest %s, want %s", c.body, d, c.want)
		}
	}
}

func TestChainStaysTheSame(t *testing.T) {
	one := store.Chain(nil, store.Taken{Seq: 1, At: at, Lane: crossdock.Normal, Arrival: 1, Kind: "message", Digest: []byte("digest")})
	two := store.Chain(one, store.Taken{Seq: 2, At: at, Lane: crossdock.Urgent, Arrival: 9, Part: 3, Kind: "result", Effect: "not covered"})
	if got, want := hex.EncodeToString(one)+" "+hex.EncodeToString(two), "c78dbca08f3223813543f8752d9afa4333c41910d506efe4a1140fd3a0a4ccef a10231be064d20cfc4d3c73ec247f7d3ee3b6c7e6201364c605bdbeabb45e1b2"; got != want {
		t.Errorf("the chain is %s, want %s", got, want)
	}
}

func TestOnlyBodiesAreWritten(t *testing.T) {
	for _, b := range []crossdock.Body{nil, &crossdock.Tick{}} {
		if _, err := store.WriteBody(b); err == nil {
			t.Errorf("a %T was written; it would be read back as something else", b)
		}
	}
	if _, err := store.ReadBody(store.Text{Kind: "later"}, 1); err == nil {
		t.Error("an arrival of a kind nobody knows was read")
	}
}
