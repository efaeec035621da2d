package crossdock

// Document is something issued: a refund, a fulfilment notice, an 855, an
// e-mail. Its number and content are frozen when the core issues it; a new fact
// issues another document. Its states only go forward.
type Document struct {
	Number string        `json:"number"` // unique per kind, and the key of its effect
	Type   string        `json:"type"`   // "fulfilment", "refund", "855" …
	To     System        `json:"to"`
	About  Ref           `json:"about"` // the record it speaks of
	State  DocumentState `json:"state"`
	Text   Record        `json:"text"` // what it says
	Kept   Kept          `json:"-"`
}

// DocumentState is how far a document has come.
type DocumentState string

// The states of a document, in their only order; refused ends where acknowledged does.
const (
	DocumentIssued       DocumentState = "issued"
	DocumentSent         DocumentState = "sent"
	DocumentAcknowledged DocumentState = "acknowledged"
	DocumentRefused      DocumentState = "refused"
)

var documentRank = map[DocumentState]int{DocumentIssued: 0, DocumentSent: 1, DocumentAcknowledged: 2, DocumentRefused: 2}

// Follows reports whether a document may go from state s to next.
func (s DocumentState) Follows(next DocumentState) bool { return documentRank[next] > documentRank[s] }

// FormOf returns the kind and the version of the form.
func (Document) FormOf() (Kind, int) { return KindDocument, 1 }

// Validate reports the first thing a document can't be without.
func (d Document) Validate() error {
	if d.Number == "" {
		return At("number", Errorf(Invalid, "a document has a number"))
	}
	if d.To == "" {
		return At("to", Errorf(Invalid, "a document has a system it goes to"))
	}
	if _, ok := documentRank[d.State]; !ok {
		return At("state", Errorf(Invalid, "%q is no state of a document", d.State))
	}
	return nil
}

type documentFields Document

// MarshalJSON writes the known fields and those kept.
func (d Document) MarshalJSON() ([]byte, error) { return writeKept(documentFields(d), d.Kept) }

// UnmarshalJSON reads a document and keeps the fields it does not know.
func (d *Document) UnmarshalJSON(b []byte) (err error) {
	*d = Document{}
	d.Kept, err = readKept(b, (*documentFields)(d))
	return err
}
