package main

import (
	"strings"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/config"
)

// schemaCommand prints a JSON Schema; with --json too, it is JSON as it is.
type schemaCommand struct {
	Of string `arg:"" name:"kind" help:"A kind of record (order, party, item …), or config."`
}

// configWord stands for the configuration among the kinds.
const configWord = "config"

// Run implements schema.
func (c *schemaCommand) Run(s *shell) error {
	b, err := c.schema(s)
	if err != nil {
		return err
	}
	s.answered = true
	_, err = s.raw.Write(b)
	return err
}

func (c *schemaCommand) schema(s *shell) ([]byte, error) {
	if c.Of == configWord {
		return config.JSONSchema(s.types)
	}
	words := append(crossdock.KindNames(), configWord)
	if near := crossdock.Nearest(c.Of, words); near == configWord {
		return nil, crossdock.Errorf(crossdock.Invalid, "there is no kind %q: did you mean %s?", c.Of, near)
	} else if near == "" {
		return nil, crossdock.Errorf(crossdock.Invalid, "there is no kind %q; there are: %s", c.Of, strings.Join(words, ", "))
	}
	return crossdock.Schema(crossdock.Kind(c.Of))
}
