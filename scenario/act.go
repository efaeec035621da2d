package scenario

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/sandbox"
	"github.com/crossdockhq/crossdock/sandbox/odoo"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
	"github.com/crossdockhq/crossdock/sim"
)

// Words are what can be done in a world, a line each, for help texts.
func Words() []string {
	out := []string{
		"SHOP  send TOPIC FILE [event=ID] [HEADER=VALUE]: posts a body word for word, signed",
		"SHOP  buy SKU N [SKU N …] as order-NUMBER [test] [pending]",
		"SHOP  cancel order-NUMBER · edit order-NUMBER SKU N",
		"ODOO  set stock SKU SITE N · set price SKU AMOUNT · add item SKU AMOUNT",
		"ODOO  confirm|cancel|delete order NUMBER · edit order NUMBER SKU N · ship order NUMBER [TRACKING]",
		"ODOO  ship part NUMBER SKU N [TRACKING]: the rest becomes a backorder · cancel transfer NUMBER",
		"ODOO  reject MODEL.METHOD N · contend MODEL N · revoke key · restore key",
		"hub   kill: it is ended as by SIGKILL and started again",
		"NAME  retry RECORD · drop EXCEPTION [note]: a person acts in the hub",
		"settle [LIMIT]: until nothing is due",
	}
	for _, w := range sandbox.Words() {
		out = append(out, "ANY   "+w)
	}
	for _, w := range shopify.FaultWords() {
		out = append(out, "SHOP  "+w)
	}
	return out
}

// Act does what the words say in a world. files are those a send may name.
func Act(ctx context.Context, w *sim.World, who string, what []string, files map[string][]byte) error {
	if len(what) == 0 {
		return fmt.Errorf("%s does what?", who)
	}
	system := crossdock.System(who)
	door := w.Doors[system]
	switch {
	case who == "hub" && w.House == nil:
		return fmt.Errorf("the hub is another process here: end and start it there")
	case who == "hub":
		return hub(ctx, w, what)
	case door != nil && slices.ContainsFunc(sandbox.Words(), func(form string) bool { return firstWord(form) == what[0] }):
		return door.Order(what...)
	case w.Shops[system] != nil:
		return inShop(w.Shops[system], what, files)
	case w.IsERP(system):
		return inERP(w, what)
	}
	if w.House == nil {
		var known []string
		for name := range w.Doors {
			known = append(known, string(name))
		}
		slices.Sort(known)
		if near := crossdock.Nearest(who, known); near != "" {
			return fmt.Errorf("there is no connection %q: did you mean %q?", who, near)
		}
		return fmt.Errorf("there is no connection %q in this sandbox; there are: %s. What people decide in the hub is said to the hub", who, strings.Join(known, ", "))
	}
	return person(ctx, w, who, what)
}

func firstWord(form string) string {
	first, _, _ := strings.Cut(form, ":")
	first, _, _ = strings.Cut(first, " ")
	return first
}

func hub(ctx context.Context, w *sim.World, what []string) error {
	if what[0] != "kill" {
		return noVerb("the hub", "hub", what)
	}
	if err := w.Kill(); err != nil {
		return err
	}
	return w.Open(ctx)
}

func inShop(shop *shopify.Server, what []string, files map[string][]byte) error {
	switch what[0] {
	case "send":
		if len(what) < 3 {
			return fmt.Errorf("send what? send TOPIC FILE")
		}
		body, ok := files[what[2]]
		if !ok {
			return fmt.Errorf("there is no file %s in the scenario", what[2])
		}
		headers := map[string]string{}
		for _, h := range what[3:] {
			name, value, ok := strings.Cut(h, "=")
			if !ok {
				return fmt.Errorf("%q is no header: write NAME=VALUE", h)
			}
			headers[name] = value
		}
		return shop.Send(what[1], body, headers)
	case "buy":
		b, err := purchase(what[1:])
		if err != nil {
			return err
		}
		_, err = shop.Buy(b)
		return err
	case "cancel":
		if len(what) != 2 {
			return fmt.Errorf("cancel which? cancel order-1001")
		}
		return shop.Cancel(number(what[1]), true)
	case "edit":
		if len(what) != 4 {
			return fmt.Errorf("edit what? edit order-1001 SKU N")
		}
		n, err := strconv.Atoi(what[3])
		if err != nil {
			return fmt.Errorf("%q is no number of pieces", what[3])
		}
		return shop.Edit(number(what[1]), what[2], n)
	}
	if _, n := verbIn(firsts(shopify.FaultWords()), what); n == 0 {
		return noVerb("a shop", "shopify", what)
	}
	return shop.Order(what...)
}

func number(order string) string { return strings.TrimPrefix(order, "order-") }

// purchase reads SKU N [SKU N …] as order-NUMBER [test] [pending].
func purchase(what []string) (shopify.Buy, error) {
	b := shopify.Buy{}
	i := 0
	for ; i+1 < len(what) && what[i] != "as"; i += 2 {
		n, err := strconv.Atoi(what[i+1])
		if err != nil {
			return b, fmt.Errorf("%q is no number of pieces of %s", what[i+1], what[i])
		}
		b.Lines = append(b.Lines, shopify.Line{SKU: what[i], Quantity: n})
	}
	if i+1 >= len(what) || what[i] != "as" || b.Lines == nil {
		return b, fmt.Errorf("buy what? buy SKU N as order-1002")
	}
	b.Order = number(what[i+1])
	for _, extra := range what[i+2:] {
		switch {
		case extra == "test":
			b.Test = true
		case extra == "pending":
			b.Payment = "pending"
		case strings.HasPrefix(extra, "shipping="):
			b.Shipping = shopify.Shipping{Title: "Parcel", Price: strings.TrimPrefix(extra, "shipping=")}
		case strings.HasPrefix(extra, "discount="):
			b.Discount = shopify.Discount{Code: "SPRING", Amount: strings.TrimPrefix(extra, "discount=")}
		default:
			return b, fmt.Errorf("a purchase is test, pending, shipping=AMOUNT or discount=AMOUNT, not %q", extra)
		}
	}
	return b, nil
}

func inERP(w *sim.World, what []string) error {
	full := strings.Join(what, " ")
	arg := func(i int) string {
		if i < len(what) {
			return what[i]
		}
		return ""
	}
	switch {
	case strings.HasPrefix(full, "set stock ") && len(what) == 5:
		return w.ERP.SetStock(arg(2), arg(3), arg(4))
	case strings.HasPrefix(full, "set price ") && len(what) == 4:
		return w.ERP.SetPrice(arg(2), arg(3))
	case strings.HasPrefix(full, "add item ") && len(what) == 4:
		return w.ERP.AddProduct(odoo.Product{SKU: arg(2), Name: arg(2), Price: arg(3), Kind: "goods"})
	case strings.HasPrefix(full, "confirm order ") && len(what) == 3:
		return w.ERP.ConfirmOrder(arg(2))
	case strings.HasPrefix(full, "cancel order ") && len(what) == 3:
		return w.ERP.CancelOrder(arg(2))
	case strings.HasPrefix(full, "delete order ") && len(what) == 3:
		return w.ERP.DeleteOrder(arg(2))
	case strings.HasPrefix(full, "edit order ") && len(what) == 5:
		return w.ERP.EditLine(arg(2), arg(3), arg(4))
	case strings.HasPrefix(full, "ship order ") && len(what) <= 4 && len(what) >= 3:
		return w.ERP.ShipOrder(arg(2), arg(3))
	case strings.HasPrefix(full, "ship part ") && len(what) <= 6 && len(what) >= 5:
		return w.ERP.ShipPart(arg(2), arg(5), map[string]string{arg(3): arg(4)})
	case strings.HasPrefix(full, "cancel transfer ") && len(what) == 3:
		return w.ERP.CancelTransfers(arg(2))
	case full == "revoke key" || full == "restore key":
		return key(w, what[0])
	case what[0] == "reject" || what[0] == "contend":
		return reject(w, what)
	}
	if verb, n := verbIn(verbsOf("odoo"), what); n > 0 {
		return fmt.Errorf("%s is followed by other words; what can be done: %s", verb, strings.Join(Words(), " | "))
	}
	return noVerb("Odoo", "odoo", what)
}

// key takes the hub's API key away, or gives it back.
func key(w *sim.World, what string) error {
	switch {
	case w.Odoo == nil:
		return crossdock.Errorf(crossdock.Refused, "a real Odoo can't be told to %s a key", what)
	case what == "revoke":
		w.Odoo.RevokeAPIKey(sim.Password)
	default:
		w.Odoo.AddAPIKey(sim.Password)
	}
	return nil
}

func reject(w *sim.World, what []string) error {
	if w.Odoo == nil {
		return crossdock.Errorf(crossdock.Refused, "a real Odoo can't be told to %s", what[0])
	}
	if len(what) != 3 {
		return fmt.Errorf("%s what? %s sale.order.load 1", what[0], what[0])
	}
	n, err := strconv.Atoi(what[2])
	if err != nil {
		return fmt.Errorf("%q is no count", what[2])
	}
	if what[0] == "contend" {
		w.Odoo.Contend(what[1], n)
		return nil
	}
	dot := strings.LastIndexByte(what[1], '.')
	if dot < 0 {
		return fmt.Errorf("%q is no MODEL.METHOD", what[1])
	}
	w.Odoo.Reject(what[1][:dot], what[1][dot+1:], n)
	return nil
}

// person does what somebody decides in the hub.
func person(ctx context.Context, w *sim.World, who string, what []string) error {
	a := crossdock.Action{By: who, Do: what[0]}
	switch {
	case what[0] == "retry" && len(what) == 2:
		ref := what[1]
		if strings.Count(ref, "/") == 1 {
			ref = string(crossdock.BookSystem) + "/" + ref
		}
		of, err := crossdock.ParseRef(ref)
		if err != nil {
			return err
		}
		a.Of = of
	case what[0] == "drop" && len(what) >= 2:
		a.With, a.Note = map[string]string{"exception": what[1]}, strings.Join(what[2:], " ")
	default:
		return fmt.Errorf("%s is no connection, and a person can retry or drop, not %q", who, strings.Join(what, " "))
	}
	_, err := w.House.File(ctx, a)
	return err
}
