// Package shopify connects one Shopify shop: orders come in by webhook and by
// look, over the Admin API of version 2026-07. Both ways give the same statements
// for the same order.
//
// Facts come from Shopify's Admin GraphQL schema 2026-07, its webhook schemas and
// samples 2026-07 and the pages of shopify.dev on webhooks, versioning and rate
// limits.
package shopify

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/connector"
)

// DefaultVersion is the version of the Admin API the connector is written for.
const DefaultVersion = "2026-07"

// Config is the configuration of one shop.
type Config struct {
	Shop           string `yaml:"shop" doc:"Domain of the shop, as Shopify writes it in the header of a webhook." required:"true" identity:"true" form:"domain" example:"tea.myshopify.com"`
	URL            string `yaml:"url" doc:"Address of the Admin API when it is not https://<shop>: a sandbox or a proxy." example:"http://127.0.0.1:8091"`
	Token          string `yaml:"token" doc:"Admin API access token of the app, with the scope read_orders." required:"true" secret:"true" example:"${env:SHOPIFY_TOKEN}"`
	Secret         string `yaml:"secret" doc:"Client secret of the app; webhooks are signed with it." required:"true" secret:"true" example:"${env:SHOPIFY_SECRET}"`
	PreviousSecret string `yaml:"previous_secret" doc:"Client secret before the last rotation; Shopify may sign with it for an hour more. Both are taken." secret:"true" example:"${env:SHOPIFY_OLD_SECRET}"`
	Version        string `yaml:"version" doc:"Version of the Admin API to ask for." default:"2026-07" example:"2026-07"`
}

var version = regexp.MustCompile(`^20[0-9]{2}-(01|04|07|10)$`)

// Validate reports all that can't be right. It never quotes a secret.
func (c Config) Validate() error {
	var wrong []error
	say := func(field, format string, a ...any) {
		wrong = append(wrong, crossdock.At(field, crossdock.Errorf(crossdock.Invalid, format, a...)))
	}
	if strings.ContainsAny(c.Shop, "/: \t\n?#@") || !strings.Contains(c.Shop, ".") {
		say("shop", "%q is no domain of a shop: write it without https://, for instance tea.myshopify.com", c.Shop)
	}
	if c.Token == "" || strings.ContainsAny(c.Token, " \t\r\n") {
		say("token", "the access token is empty or has a space in it")
	}
	if c.Secret == "" {
		say("secret", "the client secret is empty: without it no webhook can be told genuine")
	}
	if c.Version != "" && !version.MatchString(c.Version) {
		say("version", "%q is no version of the Admin API: write year and month of a quarter, for instance %s", c.Version, DefaultVersion)
	}
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" {
			say("url", "%q is no address of an API: write scheme and host, for instance http://127.0.0.1:8091", c.URL)
		}
	}
	return errors.Join(wrong...)
}

// Type is the kind of connector crossdock.yaml names "shopify".
var Type = connector.Define("shopify", "Orders in from a Shopify shop, by webhook and by look, over the Admin API",
	connector.Options{Owns: []crossdock.Kind{crossdock.KindOrder}},
	func(c Config, env connector.Env) (connector.Connector, error) { return open(c, env), nil })

// Shop is the connector to one shop. It is safe for several goroutines.
type Shop struct {
	cfg    Config
	system crossdock.System
	now    func() time.Time
	shared bool // another shop's webhooks are signed with the same secret
	api    api
}

var (
	_ connector.Connector  = (*Shop)(nil)
	_ connector.Translator = (*Shop)(nil)
	_ connector.Receiver   = (*Shop)(nil)
	_ connector.Finder     = (*Shop)(nil)
	_ connector.Validator  = Config{}
)

// timeout bounds one request. Reads have no effect, so a late answer is only lost.
const timeout = 30 * time.Second

func open(c Config, env connector.Env) *Shop {
	if c.Version == "" {
		c.Version = DefaultVersion
	}
	base := c.URL
	if base == "" {
		base = "https://" + c.Shop
	}
	transport := env.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	now := env.Now
	if now == nil {
		now = time.Now
	}
	return &Shop{cfg: c, system: env.System, now: now, shared: env.Shared, api: api{
		endpoint: strings.TrimRight(base, "/") + "/admin/api/" + c.Version + "/graphql.json",
		token:    c.Token,
		http: &http.Client{
			Transport: transport,
			Timeout:   timeout,
			// net/http passes headers of our own on to wherever a redirect leads,
			// and one of them is the token.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}}
}

// Ping reads the shop's id, which every valid token may.
func (s *Shop) Ping(ctx context.Context) error {
	got, err := s.api.ask(ctx, pingQuery, nil)
	if err != nil {
		return err
	}
	if got.data.at("shop").at("id").text() == "" {
		return crossdock.Errorf(crossdock.Unavailable, "the answer of %s names no shop", s.cfg.Shop)
	}
	return nil
}
