package main

import (
	"github.com/crossdockhq/crossdock/connector"
	"github.com/crossdockhq/crossdock/connectors/odoo"
	"github.com/crossdockhq/crossdock/connectors/shopify"
)

// connectors lists the systems this binary can be connected to. It is the only
// list of them.
func connectors() []connector.Type {
	return []connector.Type{odoo.Type, shopify.Type}
}
