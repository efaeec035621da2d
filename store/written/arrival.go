package written

import (
	"fmt"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/store"
)

// Arrival is an arrival in columns. Head and Body are nil where there is none.
type Arrival struct {
	Lane         crossdock.Lane
	At, Kind     string
	Head, Body   []byte
	Packed       bool // Body is compressed
	Salt, Digest []byte
	Attempt      bool  // it opens an attempt, which has its number
	Closes       int64 // it closes this one; 0: none
}

// newArrival puts an arrival into columns. What no store may keep is refused.
func newArrival(a *store.Arrival, salts *Salts) (r Arrival, err error) {
	if a.Lane == "" {
		return r, crossdock.Errorf(crossdock.Internal, "it has no lane")
	}
	t, err := store.WriteBody(a.Body)
	if err != nil {
		return r, err
	}
	if len(t.Body)+len(t.Head) > bodyMost {
		return r, crossdock.Errorf(crossdock.Invalid, "a body of %d bytes is too large to be filed; the limit is %d", len(t.Body), bodyMost)
	}
	r = Arrival{Lane: a.Lane, At: Time(a.At), Kind: t.Kind, Head: t.Head}
	switch b := a.Body.(type) {
	case crossdock.Attempt:
		r.Attempt = true
	case crossdock.Result:
		r.Closes = b.Attempt
	}
	if (r.Attempt || r.Kind == "result") && a.Lane != crossdock.Urgent {
		return r, crossdock.Errorf(crossdock.Internal, "an %s belongs in lane %s, not %s", r.Kind, crossdock.Urgent, a.Lane)
	}
	if r.Salt, err = salts.next(); err != nil {
		return r, err
	}
	r.Digest = t.Digest(r.Salt)
	r.Body, r.Packed = Pack(t.Body)
	return r, nil
}

// text returns the body as it was before packing.
func (r Arrival) text() (store.Text, error) {
	t := store.Text{Kind: r.Kind, Head: r.Head, Body: r.Body}
	if !r.Packed {
		return t, nil
	}
	var err error
	if t.Body, err = Unpack(r.Body); err != nil {
		return t, fmt.Errorf("arrival of lane %s: %w", r.Lane, err)
	}
	return t, nil
}

// Read returns the arrival that has a number.
func (r Arrival) Read(number int64) (a store.Arrival, err error) {
	a = store.Arrival{Lane: r.Lane, Number: number, Digest: r.Digest}
	if a.At, err = ReadTime(r.At); err != nil {
		return a, err
	}
	t, err := r.text()
	if err != nil {
		return a, fmt.Errorf("arrival %d of lane %s: %w", number, r.Lane, err)
	}
	a.Body, err = store.ReadBody(t, number)
	return a, err
}

// Verify reports a body that is not what its digest was made of.
func (r Arrival) Verify(number int64) error {
	t, err := r.text()
	if err == nil && string(t.Digest(r.Salt)) != string(r.Digest) {
		err = crossdock.Errorf(crossdock.Internal, "its body is not what its digest was made of")
	}
	if err != nil {
		return fmt.Errorf("arrival %d of lane %s: %w", number, r.Lane, err)
	}
	return nil
}

// MostRead is how many bytes of bodies one read returns before it stops: a few
// hundred large messages in a lane must not fill the memory.
const MostRead = 32 << 20

// Weight is what an arrival counts towards MostRead.
func Weight(a store.Arrival) int {
	m, _ := a.Body.(crossdock.Message) // the others are small
	return len(m.Body)
}
