package shopify

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// buyer is the party an order speaks of, and its key. An account has Shopify's
// global id; a guest is known by e-mail, else phone, else address, hashed because
// keys are printed where personal data is not. No key: the order names nobody,
// as at a counter.
//
// The address is the order's, billing before shipping. A webhook also has the
// account's default address; a look does not ask for it, and both must agree.
func (o order) buyer() (string, crossdock.Party) {
	var p crossdock.Party
	switch {
	case o.billing != nil:
		p.Address = *o.billing
	case o.shipping != nil:
		p.Address = *o.shipping
	}
	p.Company = p.Address.Company
	p.Email, p.Phone = o.email, o.phone
	first, last := "", ""
	if c := o.customer; c != nil {
		first, last = c.first, c.last
		p.Email, p.Phone = either(c.email, p.Email), either(c.phone, p.Phone)
	}
	p.Email = strings.ToLower(p.Email)
	local, _, _ := strings.Cut(p.Email, "@")
	p.Name = either(strings.TrimSpace(first+" "+last), p.Address.Name, local, p.Company, p.Phone)
	switch {
	case o.customer != nil:
		return o.customer.gid, p
	case p.Email != "":
		return guest(p.Email), p
	case digits(p.Phone) != "":
		return guest(digits(p.Phone)), p
	case !p.Address.IsZero():
		return guest(p.Address.Norm()), p
	}
	return "", p
}

func guest(by string) string {
	h := sha256.Sum256([]byte(by))
	return "guest-" + hex.EncodeToString(h[:8])
}

// matching returns the keys by which the hub may know the party already. The
// phone of an address is none: a switchboard answers for many.
func matching(p crossdock.Party) []string {
	var names []string
	if p.Email != "" {
		names = append(names, "email:"+p.Email)
	}
	if d := digits(p.Phone); d != "" {
		names = append(names, "phone:"+d)
	}
	return names
}

func digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}

// either returns the first text that says something.
func either(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}
