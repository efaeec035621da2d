package crossdock

import "time"

// Invoice is a posted claim on a party, or, negative, a credit note. A posted
// invoice is never edited: it is reversed by another.
type Invoice struct {
	Number   string        `json:"number"`
	Order    Ref           `json:"order,omitzero"`
	Party    Ref           `json:"party"` // the commercial parent
	Date     time.Time     `json:"date"`
	Due      time.Time     `json:"due,omitzero"`
	Lines    []InvoiceLine `json:"lines,omitempty"`
	Total    Money         `json:"total"`             // with tax; negative on a credit note
	Residual Money         `json:"residual"`          // still open
	Reverses Ref           `json:"reverses,omitzero"` // the invoice a credit note takes back
	Posted   bool          `json:"posted,omitempty"`  //
	Kept     Kept          `json:"-"`
}

// InvoiceLine is one position of an invoice.
type InvoiceLine struct {
	Item     Ref         `json:"item,omitzero"`
	Title    string      `json:"title,omitempty"`
	Quantity Quantity    `json:"quantity"`
	Net      Money       `json:"net"`
	Taxes    []TaxAmount `json:"taxes,omitempty"`
	Kept     Kept        `json:"-"`
}

// FormOf returns the kind and the version of the form.
func (Invoice) FormOf() (Kind, int) { return KindInvoice, 1 }

// Validate reports the first thing an invoice can't be without.
func (i Invoice) Validate() error {
	if i.Posted && i.Number == "" {
		return At("number", Errorf(Invalid, "a posted invoice has a number"))
	}
	if err := i.Total.Validate(); err != nil {
		return At("total", err)
	}
	for n, l := range i.Lines {
		if err := inCurrency(i.Total.Currency, amountsOf(l.Taxes, l.Net)...); err != nil {
			return At("lines["+itoa(n)+"]", err)
		}
	}
	return At("residual", inCurrency(i.Total.Currency, i.Residual))
}

type invoiceFields Invoice

// MarshalJSON writes the known fields and those kept.
func (i Invoice) MarshalJSON() ([]byte, error) { return writeKept(invoiceFields(i), i.Kept) }

// UnmarshalJSON reads an invoice and keeps the fields it does not know.
func (i *Invoice) UnmarshalJSON(b []byte) (err error) {
	*i = Invoice{}
	i.Kept, err = readKept(b, (*invoiceFields)(i))
	return err
}

type invoiceLineFields InvoiceLine

// MarshalJSON writes the known fields and those kept.
func (l InvoiceLine) MarshalJSON() ([]byte, error) { return writeKept(invoiceLineFields(l), l.Kept) }

// UnmarshalJSON reads a line of an invoice and keeps the fields it does not know.
func (l *InvoiceLine) UnmarshalJSON(b []byte) (err error) {
	*l = InvoiceLine{}
	l.Kept, err = readKept(b, (*invoiceLineFields)(l))
	return err
}
