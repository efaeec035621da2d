package crossdock

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzEachField: on every JSON object the fields are those encoding/json finds, and
// what is none is refused by both.
func FuzzEachField(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1}`, ` { "a" : { "b":[1,"]}\",",{}] } , "c\n\"":null,"c":"é\\" } `, `null`, `[]`, `{"a":1,"a":2}`, `{"":""}`, `{"A":0}`, `"x"`, `{"a":1`, `{"a"}`, `{"a":}`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var want map[string]json.RawMessage
		wrong := json.Unmarshal(b, &want)
		got := map[string]json.RawMessage{}
		err := eachField(b, func(name string, value json.RawMessage) { got[name] = bytes.Clone(value) })
		if !json.Valid(b) {
			return // it is only asked about what is valid; it must not panic
		}
		if (err != nil) != (wrong != nil) {
			t.Fatalf("%q: %v, encoding/json says %v", b, err, wrong)
		}
		if len(got) != len(want) {
			t.Fatalf("%q: got %q, want %q", b, got, want)
		}
		for name, value := range want {
			if !bytes.Equal(bytes.TrimSpace(value), got[name]) {
				t.Errorf("%q: %q is %q, want %q", b, name, got[name], value)
			}
		}
	})
}
