package connectortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// The clauses about what a connector reads.

// messages returns messages of every kind and door there is.
func (st *stage) messages() []crossdock.Message {
	ctx, cancel := st.ctx()
	defer cancel()
	var out []crossdock.Message
	if p, ok := st.conn.(connector.Puller); ok {
		for _, k := range p.Kinds() {
			if r := st.w.Records[k]; r.Make != nil {
				r.Make(2)
			}
		}
		for _, k := range p.Kinds() {
			got, err := p.Pull(ctx, k, "")
			st.need(err, "pulling %s", k)
			out = append(out, got.Messages[:min(len(got.Messages), 4)]...)
		}
	}
	if f, ok := st.conn.(connector.Finder); ok {
		refs := st.there()
		for _, r := range refs {
			refs = append(refs, crossdock.Ref{System: r.System, Kind: r.Kind, Key: nowhere(r.Key)})
		}
		got, err := f.Find(ctx, refs)
		st.need(err, "finding %v", refs)
		out = append(out, got...)
	}
	if rec, ok := st.conn.(connector.Receiver); ok && st.w.Webhooks != nil {
		for _, body := range st.w.Webhooks.Bodies {
			got, _, err := rec.Receive(st.w.Webhooks.Sign(body))
			st.need(err, "receiving a genuine request")
			out = append(out, got...)
		}
	}
	for i := range out {
		out[i].From = System
	}
	if len(out) == 0 {
		st.wrong("there is no message to translate")
	}
	return out
}

// nowhere is a key like another that no record has.
func nowhere(key string) string {
	digits := strings.LastIndexFunc(key, func(r rune) bool { return r < '0' || r > '9' }) + 1
	if digits == len(key) {
		return key + "-none"
	}
	return key[:digits] + "99999999"
}

func (st *stage) translate(m crossdock.Message) []crossdock.Statement {
	return through[connector.Translator](st).Translate(m)
}

// clone copies a message so that nothing is shared.
func clone(m crossdock.Message) crossdock.Message {
	m.Body = bytes.Clone(m.Body)
	if m.Meta != nil {
		meta := crossdock.Meta{}
		for k, v := range m.Meta {
			meta[k] = v
		}
		m.Meta = meta
	}
	if m.Fault != nil {
		f := *m.Fault
		m.Fault = &f
	}
	return m
}

func pure(x *trial) {
	st := x.stages[0]
	for _, m := range st.messages() {
		before := clone(m)
		first := st.translate(m)
		for range 3 {
			if again := st.translate(clone(before)); !reflect.DeepEqual(first, again) {
				x.wrong("the message about %s %s gives\n%+v\nand then\n%+v", m.Kind, m.Key, first, again)
			}
		}
		if !reflect.DeepEqual(before, m) {
			x.wrong("Translate changed the message about %s %s", m.Kind, m.Key)
		}
	}
}

func anyOrder(x *trial) {
	st := x.stages[0]
	ms := st.messages()
	first := make([][]crossdock.Statement, len(ms))
	for i, m := range ms {
		first[i] = st.translate(m)
	}
	st.open() // a process that heard none of them
	order := rand.New(rand.NewPCG(1, 2)).Perm(2 * len(ms))
	for _, n := range order {
		i := n % len(ms)
		if got := st.translate(ms[i]); !reflect.DeepEqual(got, first[i]) {
			x.wrong("the message about %s %s gives, among others in another order,\n%+v\nand gave\n%+v", ms[i].Kind, ms[i].Key, got, first[i])
		}
	}
}

func oneEach(x *trial) {
	st := x.stages[0]
	for _, m := range st.messages() {
		got := st.translate(m)
		if len(got) == 0 && m.Kind != "" {
			x.wrong("the message about %s %s says nothing", m.Kind, m.Key)
		}
		of := map[crossdock.Ref]bool{}
		for _, s := range got {
			switch {
			case of[s.Of]:
				x.wrong("the message about %s %s has two statements about %s", m.Kind, m.Key, s.Of)
			case s.Fault != nil:
				x.wrong("the message about %s %s can't be used: %s %s", m.Kind, m.Key, s.Fault.Place, s.Fault.Text)
			case s.Of.System != System && (s.Of.System != crossdock.BookSystem || !s.Gone):
				x.wrong("the message about %s %s speaks of %s, which is no record of its system", m.Kind, m.Key, s.Of)
			case !s.Gone && !s.Said.IsZero() && s.Said.Kind != s.Of.Kind:
				x.wrong("the statement about %s holds a %q", s.Of, s.Said.Kind)
			}
			of[s.Of] = true
		}
	}
}

// total feeds bodies that were cut, changed and made up to Translate.
func total(x *trial) {
	st := x.stages[0]
	random := rand.New(rand.NewPCG(3, 4))
	for _, m := range st.messages() {
		for i := range 150 {
			n := clone(m)
			n.Body = spoilt(random, m.Body, i)
			st.usable(n)
		}
	}
}

// usable translates a message of any body and holds what comes of it against the form.
func (st *stage) usable(m crossdock.Message) {
	defer func() {
		if r := recover(); r != nil {
			st.wrong("Translate panics at a body of %s: %v: %.200q", m.Kind, r, m.Body)
		}
	}()
	for _, s := range st.translate(m) {
		if s.Fault != nil && s.Fault.Text == "" {
			st.wrong("a Fault of %s without a text: %.200q", s.Of, m.Body)
		}
		if s.Fault == nil && s.Of.Validate() != nil {
			st.wrong("a statement about no record (%s): %.200q", s.Of, m.Body)
		}
		if _, err := json.Marshal(s.Said); err != nil {
			st.wrong("what is said of %s can't be written: %v: %.200q", s.Of, err, m.Body)
		}
	}
}

var oddBodies = []string{"", "null", "[]", "{}", `""`, "0", "[null]", `[{}]`, `{"gone":1}`, `{"id":{}}`, "\xff\xfe", "<html>", strings.Repeat("[", 9000), `{"a":` + strings.Repeat(`{"a":`, 4000)}

var oddValues = []string{"null", "[]", "{}", `""`, "-1", "1e400", "9007199254740993", "true", `"\ud800"`, `[[]]`, `"2026-13-45T99:00:00Z"`}

// spoilt returns a body like the given one with something wrong in it.
func spoilt(random *rand.Rand, body []byte, i int) []byte {
	if i < len(oddBodies) {
		return []byte(oddBodies[i])
	}
	out := bytes.Clone(body)
	if len(out) == 0 {
		return []byte{byte(random.IntN(256))}
	}
	switch random.IntN(3) {
	case 0:
		return out[:random.IntN(len(out))]
	case 1:
		for range 1 + random.IntN(4) {
			out[random.IntN(len(out))] = byte(random.IntN(256))
		}
		return out
	}
	var v any // another value somewhere in it
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return out
	}
	b, err := json.Marshal(replaced(random, v))
	if err != nil {
		return out
	}
	return b
}

// replaced puts an odd value in one place of v.
func replaced(random *rand.Rand, v any) any {
	odd := func() any { return json.RawMessage(oddValues[random.IntN(len(oddValues))]) }
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		if len(names) == 0 {
			return odd()
		}
		slices.Sort(names)
		name := names[random.IntN(len(names))]
		v[name] = replaced(random, v[name])
		return v
	case []any:
		if len(v) == 0 || random.IntN(3) == 0 {
			return odd()
		}
		i := random.IntN(len(v))
		v[i] = replaced(random, v[i])
		return v
	}
	return odd()
}

// stranger is a member no system has.
const stranger = "crossdock_never_heard_of"

// unknownFields puts a member nobody knows into every object of a body.
func unknownFields(x *trial) {
	st := x.stages[0]
	put := 0
	for _, m := range st.messages() {
		var v any
		dec := json.NewDecoder(bytes.NewReader(m.Body))
		dec.UseNumber()
		if dec.Decode(&v) != nil {
			continue
		}
		with, err := json.Marshal(strange(v))
		st.need(err, "writing a body of %s", m.Kind)
		n := clone(m)
		n.Body = with
		put++
		if got, want := st.translate(n), st.translate(m); !reflect.DeepEqual(got, want) {
			x.wrong("with a member nobody knows the message about %s %s gives\n%+v\nand without\n%+v", m.Kind, m.Key, got, want)
		}
	}
	if put == 0 {
		x.wrong("no message has a body of JSON")
	}
}

// strange puts the stranger into the objects of a body: into the outermost ones
// always; below, an object may be a map whose names are the system's own words.
func strange(v any) any {
	switch v := v.(type) {
	case map[string]any:
		v[stranger] = []any{"x", json.Number("1")}
		return v
	case []any:
		for i := range v {
			v[i] = strange(v[i])
		}
		return v
	}
	return v
}

// The doors Find and Receive.

func find(x *trial) {
	st := x.stages[0]
	f := through[connector.Finder](st)
	ctx, cancel := st.ctx()
	defer cancel()
	there := st.there()
	var refs []crossdock.Ref
	for _, r := range there {
		refs = append(refs, r, crossdock.Ref{System: r.System, Kind: r.Kind, Key: nowhere(r.Key)})
	}
	refs = append(refs, there...) // asked for twice
	got, err := f.Find(ctx, refs)
	st.need(err, "finding %v", refs)
	if len(got) != len(refs) {
		x.wrong("%d refs were asked for and %d messages came", len(refs), len(got))
		return
	}
	for i, m := range got {
		m.From = System
		st.answers(refs[i], m, i < 2*len(there) && i%2 == 1)
	}
	got, err = f.Find(ctx, nil)
	if err != nil || len(got) != 0 {
		x.wrong("asked for nothing it answers %d messages, %v", len(got), err)
	}
}

// answers holds one message of a look against what was asked.
func (st *stage) answers(asked crossdock.Ref, m crossdock.Message, gone bool) {
	said := st.translate(m)
	var about *crossdock.Statement
	for i := range said {
		if said[i].Of.Kind == asked.Kind && (said[i].Of.Key == asked.Key || asked.System == crossdock.BookSystem) {
			about = &said[i]
		}
	}
	switch {
	case about == nil:
		st.wrong("asked for %s the message says %+v", asked, said)
	case about.Fault != nil:
		st.wrong("asked for %s: %s", asked, about.Fault.Text)
	case about.Gone != gone:
		st.wrong("asked for %s, gone is %v and should be %v", asked, about.Gone, gone)
	}
}

func genuine(x *trial) {
	st := x.stages[0]
	rec, hooks := through[connector.Receiver](st), st.w.Webhooks
	for _, body := range hooks.Bodies {
		var v any
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		st.need(dec.Decode(&v), "a body of the world")
		odd, err := json.Marshal(strange(v))
		st.need(err, "writing a body")
		for _, b := range [][]byte{body, odd, append([]byte(" \n"), body...)} {
			ms, answer, err := rec.Receive(hooks.Sign(b))
			switch {
			case err != nil:
				x.wrong("a genuine request: %v", err)
			case answer.Status < 200 || answer.Status > 299:
				x.wrong("a genuine request is answered %d", answer.Status)
			case len(ms) != 1 || !bytes.Equal(ms[0].Body, b) || ms[0].Fault != nil:
				x.wrong("a genuine request is not filed word for word: %d messages", len(ms))
			}
		}
	}
}

func signature(x *trial) {
	st := x.stages[0]
	hooks := st.w.Webhooks
	body := hooks.Bodies[0]
	try := func(what string, change func(*http.Request)) {
		r := hooks.Sign(body)
		change(r)
		ms, _, err := through[connector.Receiver](st).Receive(r)
		if crossdock.CodeOf(err) != crossdock.Unauthorized || len(ms) > 0 {
			x.wrong("%s: %s and %d messages", what, told(err), len(ms))
		}
	}
	good := hooks.Sign(body).Header.Get(hooks.Header)
	if good == "" {
		x.wrong("the world signs nothing in the header %s", hooks.Header)
		return
	}
	try("no signature", func(r *http.Request) { r.Header.Del(hooks.Header) })
	try("an empty signature", func(r *http.Request) { r.Header.Set(hooks.Header, "") })
	try("half a signature", func(r *http.Request) { r.Header.Set(hooks.Header, good[:len(good)/2]) })
	try("the signature of another body", func(r *http.Request) {
		r.Header.Set(hooks.Header, hooks.Sign([]byte(`{}`)).Header.Get(hooks.Header))
	})
	try("a body changed on its way", func(r *http.Request) {
		changed := bytes.Clone(body)
		changed[len(changed)/2] ^= 1
		r.Body = io.NopCloser(bytes.NewReader(changed))
	})
	try("a byte more", func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(append(bytes.Clone(body), ' '))), int64(len(body)+1)
	})
	try("a signature in other words", func(r *http.Request) { r.Header.Set(hooks.Header, "?!"+good) })
}

// bounds sends bodies that are too large, break off, or are no JSON.
func bounds(x *trial) {
	st := x.stages[0]
	rec, hooks := through[connector.Receiver](st), st.w.Webhooks
	for _, size := range []int{connector.Limit + 1, connector.HardCap + 1} {
		body := append(bytes.Clone(hooks.Bodies[0]), bytes.Repeat([]byte(" "), size-len(hooks.Bodies[0]))...)
		ms, answer, err := rec.Receive(hooks.Sign(body))
		over := size > connector.HardCap
		switch {
		case err != nil || len(ms) != 1:
			x.wrong("a genuine body of %d bytes: %d messages, %v", size, len(ms), err)
		case ms[0].Fault == nil:
			x.wrong("a genuine body of %d bytes is filed without a Fault", size)
		case over && (answer.Status != http.StatusRequestEntityTooLarge || len(ms[0].Body) > 0):
			x.wrong("a body of %d bytes is answered %d and %d bytes of it are kept", size, answer.Status, len(ms[0].Body))
		case !over && len(ms[0].Body) != size:
			x.wrong("of a body of %d bytes %d are kept", size, len(ms[0].Body))
		}
	}
	r := hooks.Sign(hooks.Bodies[0])
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(bodyOf(r)[:10]), brokenOff{}))
	if ms, _, err := rec.Receive(r); crossdock.CodeOf(err) != crossdock.Invalid || len(ms) > 0 {
		x.wrong("a body that breaks off: %s and %d messages", told(err), len(ms))
	}
	for _, body := range []string{"", "null", "[1", "<xml/>", "\xff", `"text"`} {
		ms, answer, err := rec.Receive(hooks.Sign([]byte(body)))
		if err != nil || len(ms) != 1 || answer.Status > 299 {
			x.wrong("a genuine body %q: %d messages, status %d, %v", body, len(ms), answer.Status, err)
			continue
		}
		ms[0].From = System
		said := st.translate(ms[0])
		if len(said) == 0 || said[0].Fault == nil && len(said[0].Fields()) > 0 {
			x.wrong("a genuine body %q gives %+v and no Fault", body, said)
		}
	}
}

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, fmt.Errorf("unexpected EOF") }
