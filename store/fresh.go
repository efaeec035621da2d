package store

import (
	"context"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
)

// Fresh leaves out the messages whose record's view heard the same words last:
// filing them would tell the core nothing. What a view does not know for certain,
// or has a push open for, is always fresh. Each message is about one record.
func Fresh(ctx context.Context, b Book, system crossdock.System, messages []crossdock.Message) ([]crossdock.Message, error) {
	at := make([]core.Address, len(messages))
	for i, m := range messages {
		at[i] = core.LinkAt(crossdock.Ref{System: system, Kind: m.Kind, Key: m.Key})
	}
	links, err := b.Load(ctx, at)
	if err != nil {
		return nil, err
	}
	for i, row := range links {
		if link, ok := row.(*core.Link); ok {
			at[i] = core.ViewAt(system, link.To)
		}
	}
	views, err := b.Load(ctx, at)
	if err != nil {
		return nil, err
	}
	var out []crossdock.Message
	for i, m := range messages {
		v, ok := views[i].(*core.View)
		if ok && v.Digest == core.DigestOf(m.Body) && !v.Unknown && len(v.Open) == 0 {
			continue
		}
		out = append(out, m)
	}
	return out, nil
}
