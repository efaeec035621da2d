package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/sandbox/odoo"
	"github.com/crossdockhq/crossdock/sandbox/shopify"
	"github.com/crossdockhq/crossdock/sim/checker"
)

// inShop lets a shop act. What can't be done any more (an edit of a cancelled
// order) is not done.
func (r *runner) inShop(name crossdock.System, e shopify.Event) error {
	shop, o := r.w.Shops[name], r.orders[e.Order]
	if o.Cancelled && e.Act != "buy" {
		r.say("%s is cancelled already", e.Order)
		return nil
	}
	if err := shop.Act(e); err != nil {
		return err
	}
	o.Cancelled = o.Cancelled || e.Act == "cancel"
	if e.Act == "cancel" {
		return nil
	}
	rows, err := shop.Match("order", map[string]string{"key": e.Order})
	if err != nil || len(rows) != 1 {
		return fmt.Errorf("%d orders %s in %s: %w", len(rows), e.Order, name, err)
	}
	c := checker.Content{Updated: fmt.Sprint(rows[0]["updated_at"]), Units: map[string]int{}, Total: fmt.Sprint(rows[0]["current_total_price"])}
	for _, part := range strings.Split(fmt.Sprint(rows[0]["skus"]), ", ") {
		sku, count, _ := strings.Cut(part, " x")
		n, err := strconv.Atoi(count)
		if err != nil {
			return fmt.Errorf("%q is no line of an order: %w", part, err)
		}
		if n > 0 {
			c.Units[sku] += n
		}
	}
	o.Contents = append(o.Contents, c)
	r.say("%s is for %v, %s", e.Order, c.Units, c.Total)
	return nil
}

// inOdoo lets a person act on an order in Odoo, if it is there and in a state in
// which Odoo allows that.
func (r *runner) inOdoo(act, number string) error {
	rows, err := r.w.Odoo.Match("sale.order", map[string]string{"client_order_ref": number})
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		r.say("%d sale orders of %s are there", len(rows), number)
		return nil
	}
	state := rows[0]["state"]
	switch {
	case act == "confirm" && state == "draft":
		err = r.w.Odoo.ConfirmOrder(number)
	case act == "cancel" && state != "cancel":
		err = r.w.Odoo.CancelOrder(number)
	case act == "edit" && state == "sale" && r.orders[number].Contents[0].Units["A"] > 0:
		err = r.w.Odoo.EditLine(number, "A", "9") // of which there is plenty
	case act == "delete" && state != "sale" && r.known(rows[0]):
		err = r.w.Odoo.DeleteOrder(number)
	default:
		r.say("nobody can %s %s: it is %v", act, number, state)
		return nil
	}
	o := r.orders[number]
	o.People = append(o.People, checker.Act{At: r.w.Clock.Now(), Do: act})
	return err
}

// known reports that the hub was told of a sale order it made: no answer was lost
// and no crash lay between. What was made, never answered and deleted looks from
// outside as if it had never been made, and is made again.
func (r *runner) known(row map[string]any) bool {
	made, err := time.Parse(time.DateTime, fmt.Sprint(row["create_date"]))
	return err == nil && made.After(r.calm)
}

// receive lets goods come in: somebody counts more than there was.
func (r *runner) receive(sku, site string, more int) error {
	have := 0
	made := false
	for _, i := range r.story.Items {
		made = made || i.SKU == sku
	}
	if !made {
		return nil
	}
	for _, c := range r.story.Stock {
		if c.SKU == sku && c.Site == site {
			n, err := strconv.Atoi(c.OnHand)
			if err != nil {
				return err
			}
			have = n
		}
	}
	now := strconv.Itoa(have + more)
	r.story.Stock = append(r.story.Stock, checker.Count{At: r.w.Clock.Now(), SKU: sku, Site: site, OnHand: now})
	return r.w.Odoo.SetStock(sku, site, now)
}

// makeItem lets somebody enter a product that was missing.
func (r *runner) makeItem(sku string) error {
	r.story.Items = append(r.story.Items, checker.Item{SKU: sku, Stocked: true})
	return r.w.Odoo.AddProduct(odoo.Product{SKU: sku, Name: sku, Price: "2.25"})
}

// trouble orders a fault of a door, or its end.
func (r *runner) trouble(who crossdock.System, words string) error {
	switch {
	case who != "odoo":
	case words == "up":
		r.calm = r.w.Clock.Now().Add(20 * time.Second) // a late commit may still come
	default:
		r.calm = r.w.Clock.Now().Add(24 * time.Hour)
	}
	return r.w.Doors[who].Order(words)
}

// kill ends the hub, to be started again after a while.
func (r *runner) kill(away time.Duration) error {
	if r.w.House == nil {
		return nil
	}
	r.report.Kills++
	now := r.w.Clock.Now()
	if r.calm.Before(now) {
		r.calm = now
	}
	r.ups = now.Add(away)
	r.say("the hub is gone for %s", away)
	return r.w.Kill()
}

// deliver hands a webhook over and notes in the story that it was taken.
func (r *runner) deliver(ctx context.Context, shop *shopify.Server, d shopify.Delivery) error {
	if err := r.w.Deliver(ctx, shop, d); err != nil {
		return err
	}
	rows, err := shop.Match("webhook", map[string]string{"key": d.ID})
	if err != nil || len(rows) != 1 || rows[0]["state"] != "delivered" {
		return err
	}
	var body struct {
		Name      string    `json:"name"`
		Updated   time.Time `json:"updated_at"`
		Cancelled *string   `json:"cancelled_at"`
	}
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return err
	}
	number := strings.TrimPrefix(body.Name, "#")
	if o := r.orders[number]; o != nil {
		o.Told = append(o.Told, checker.Told{At: r.w.Clock.Now(), Updated: body.Updated.UTC().Format("2006-01-02T15:04:05Z"), Cancelled: body.Cancelled != nil})
	}
	r.say("%s of %s was delivered", d.Topic, number)
	return nil
}
