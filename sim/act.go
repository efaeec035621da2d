package sim

import (
	"bytes"
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
func (r *runner) inShop(o *checker.Order, e shopify.Event) error {
	shop := r.w.Shops[crossdock.System(o.Shop)]
	if o.Cancelled && e.Act != "buy" {
		r.say("%s is cancelled already", o.Name())
		return nil
	}
	if err := shop.Act(e); err != nil {
		return err
	}
	o.Cancelled = o.Cancelled || e.Act == "cancel"
	if e.Act == "cancel" {
		return nil
	}
	rows, err := shop.Match("order", map[string]string{"key": o.Number})
	if err != nil || len(rows) != 1 {
		return fmt.Errorf("%d orders %s: %w", len(rows), o.Name(), err)
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
	r.say("%s is for %v, %s", o.Name(), c.Units, c.Total)
	return nil
}

// inOdoo lets a person act on an order in Odoo, if it is there and in a state in
// which Odoo allows that.
func (r *runner) inOdoo(act string, o *checker.Order) error {
	row, err := r.saleOrder(o)
	if err != nil {
		return err
	}
	if row == nil {
		r.say("%s is not there for a person to %s", o.Name(), act)
		return nil
	}
	name, state := fmt.Sprint(row["name"]), row["state"]
	if state == "sale" && !o.Confirmed() {
		r.met[o.Name()] = true // it was the hub that confirmed it, by its key
	}
	done := checker.Act{At: r.w.Clock.Now(), Do: act}
	switch {
	case act == "confirm" && state == "draft":
		err = r.w.Odoo.ConfirmOrder(name)
	case act == "cancel" && state != "cancel":
		err = r.w.Odoo.CancelOrder(name)
	case act == "edit" && state == "draft" && o.Contents[0].Units["A"] > 0: // the hub writes it anew
		done.Do = "edit the draft"
		err = r.w.Odoo.EditLine(name, "A", "9")
	case act == "edit" && state == "sale" && o.Contents[0].Units["A"] > 0:
		err = r.w.Odoo.EditLine(name, "A", "9") // of which there is plenty
	case act == "delete" && state != "sale":
		done.Unseen = !r.met[o.Name()] && !r.known(row)
		err = r.w.Odoo.DeleteOrder(name)
	default:
		r.say("nobody can %s %s: it is %v", act, o.Name(), state)
		return nil
	}
	if done.Unseen {
		r.say("the hub may never have heard that %s was made", o.Name())
	}
	o.People = append(o.People, done)
	return err
}

// saleOrder returns the sale order of a purchase, nil where there is not one.
func (r *runner) saleOrder(o *checker.Order) (map[string]any, error) {
	rows, err := r.w.Odoo.Match("sale.order", map[string]string{"client_order_ref": o.Number})
	if err != nil {
		return nil, err
	}
	var found []map[string]any
	for _, row := range rows {
		for _, p := range r.w.Odoo.Rows("res.partner") {
			if mail, _ := p["email"].(string); p["id"] == row["partner_id"] && strings.EqualFold(mail, o.Email) {
				found = append(found, row)
			}
		}
	}
	if len(found) != 1 {
		return nil, nil
	}
	return found[0], nil
}

// known reports that the hub was told of a sale order it made: no answer was lost
// and no crash lay between. Of what was made, never answered and deleted nothing is
// left in Odoo, not even its external id, and it may be made again.
func (r *runner) known(row map[string]any) bool {
	made, err := time.Parse(time.DateTime, fmt.Sprint(row["create_date"]))
	return err == nil && made.After(r.calm) && r.w.Clock.Now().After(made.Add(5*time.Second))
}

// stock lets people count an item anew: more came in, or some is broken. Nobody
// breaks what is reserved.
func (r *runner) stock(sku, site string, by int) error {
	made := false
	for _, i := range r.story.Items {
		made = made || i.SKU == sku
	}
	if !made {
		return nil
	}
	have := 0
	for _, c := range r.story.Stock {
		if c.SKU == sku && c.Site == site {
			n, err := strconv.Atoi(c.OnHand)
			if err != nil {
				return err
			}
			have = n
		}
	}
	now := max(have+by, min(have, r.reserved(sku, site)))
	if now == have {
		return nil
	}
	r.say("there are %d %s at %s, and were %d", now, sku, site, have)
	r.story.Stock = append(r.story.Stock, checker.Count{At: r.w.Clock.Now(), SKU: sku, Site: site, OnHand: strconv.Itoa(now)})
	return r.w.Odoo.SetStock(sku, site, strconv.Itoa(now))
}

// reserved is how much of an item Odoo has reserved at a site.
func (r *runner) reserved(sku, site string) int {
	var product, lot any
	for _, p := range r.w.Odoo.Rows("product.product") {
		if p["default_code"] == sku {
			product = p["id"]
		}
	}
	for _, w := range r.w.Odoo.Rows("stock.warehouse") {
		if w["code"] == site {
			lot = w["lot_stock_id"]
		}
	}
	sum := 0
	for _, q := range r.w.Odoo.Rows("stock.quant") {
		if n, ok := q["reserved_quantity"].(float64); ok && q["product_id"] == product && q["location_id"] == lot {
			sum += int(n)
		}
	}
	return sum
}

// makeItem lets somebody enter a product that was missing.
func (r *runner) makeItem(sku string) error {
	r.story.Items = append(r.story.Items, checker.Item{SKU: sku, Stocked: true})
	return r.w.Odoo.AddProduct(odoo.Product{SKU: sku, Name: sku, Price: "2.25"})
}

// trouble orders a fault of a door, or its end.
func (r *runner) trouble(who crossdock.System, words string) error {
	now := r.w.Clock.Now()
	switch {
	case who != "odoo":
	case words == "up":
		r.well(now)
	default:
		r.calm = now.Add(24 * time.Hour)
		if r.ill.IsZero() {
			r.ill = now
		}
	}
	return r.w.Doors[who].Order(words)
}

// well notes that the trouble with Odoo is over.
func (r *runner) well(now time.Time) {
	if r.ill.IsZero() {
		return
	}
	r.calm = now.Add(20 * time.Second) // a late commit may still come
	r.away(r.ill, r.calm)
	r.ill = time.Time{}
}

func (r *runner) away(from, to time.Time) {
	r.story.Away = append(r.story.Away, checker.Span{From: from, To: to})
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
	r.away(now, r.ups)
	r.say("the hub is gone for %s", away)
	return r.w.Kill()
}

// deliver hands a webhook over and notes in the story that it was taken.
func (r *runner) deliver(ctx context.Context, shop *shopify.Server, d shopify.Delivery) error {
	var body struct {
		Name      string    `json:"name"`
		Updated   time.Time `json:"updated_at"`
		Cancelled *string   `json:"cancelled_at"`
	}
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return err
	}
	o := r.orders[strings.TrimSuffix(shop.Shop, ".myshopify.com")+"/"+strings.TrimPrefix(body.Name, "#")]
	if o != nil && o.Misstated {
		var err error
		if d, err = misstated(d); err != nil {
			return err
		}
	}
	if err := r.w.Deliver(ctx, shop, d); err != nil {
		return err
	}
	rows, err := shop.Match("webhook", map[string]string{"key": d.ID})
	if err != nil || len(rows) != 1 || rows[0]["state"] != "delivered" || o == nil {
		return err
	}
	o.Told = append(o.Told, checker.Told{At: r.w.Clock.Now(), Updated: body.Updated.UTC().Format("2006-01-02T15:04:05Z"), Cancelled: body.Cancelled != nil})
	r.say("%s of %s was delivered", d.Topic, o.Name())
	return nil
}

// misstated makes the totals of a webhook other than what the lines come to, as an
// app between shop and hub might that rounds by itself.
func misstated(d shopify.Delivery) (shopify.Delivery, error) {
	dec := json.NewDecoder(bytes.NewReader(d.Body))
	dec.UseNumber()
	var body map[string]any
	if err := dec.Decode(&body); err != nil {
		return d, err
	}
	for _, name := range []string{"total_price", "current_total_price"} {
		text := fmt.Sprint(body[name])
		wrong := "1" + text // 10.00 more, or 100.00
		body[name] = wrong
		set, err := json.Marshal(body[name+"_set"])
		if err != nil {
			return d, err
		}
		body[name+"_set"] = json.RawMessage(bytes.ReplaceAll(set, []byte(strconv.Quote(text)), []byte(strconv.Quote(wrong))))
	}
	out, err := json.Marshal(body)
	d.Body, d.Header = out, d.Header.Clone()
	d.Header.Set("X-Shopify-Hmac-Sha256", shopify.Sign(Secret, out))
	return d, err
}
