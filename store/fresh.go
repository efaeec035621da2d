package store

import (
	"context"
	"slices"

	"github.com/crossdockhq/crossdock"
	"github.com/crossdockhq/crossdock/core"
)

// Fresh leaves out the messages whose record's view heard the same words last:
// filing them would tell the core nothing. What a view does not know for certain,
// or has a push open for, is always fresh, and so is what something that waits in a
// lane speaks of: a record that went from A to B and back while B waits would stay
// at B for good. Each message is about one record.
func Fresh(ctx context.Context, j Journal, b Book, system crossdock.System, messages []crossdock.Message) ([]crossdock.Message, error) {
	waits, err := waiting(ctx, j, b, system)
	if err != nil {
		return nil, err
	}
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
		if ok && v.Digest == core.DigestOf(m.Body) && !v.Unknown && len(v.Open) == 0 && !waits(m.Kind, m.Key) {
			continue
		}
		out = append(out, m)
	}
	return out, nil
}

// mostWaiting is how many waiting arrivals of a lane are read to tell what they
// speak of; behind more, everything is fresh.
const mostWaiting = 300

// waiting tells of which records of a system the desk has still to hear something.
func waiting(ctx context.Context, j Journal, b Book, system crossdock.System) (func(crossdock.Kind, string) bool, error) {
	pos, err := b.Position(ctx)
	if err != nil {
		return nil, err
	}
	told := map[crossdock.Ref]bool{} // with an empty key: any record of the kind
	for _, lane := range crossdock.Lanes {
		some, err := j.Read(ctx, lane, pos.Lanes[lane].Number, mostWaiting)
		if err != nil {
			return nil, err
		}
		if len(some) == mostWaiting {
			return func(crossdock.Kind, string) bool { return true }, nil
		}
		for _, a := range some {
			for _, m := range spoken(a.Body, system) {
				told[crossdock.Ref{Kind: m.Kind, Key: m.Key}] = true
			}
		}
	}
	return func(kind crossdock.Kind, key string) bool {
		return told[crossdock.Ref{Kind: kind, Key: key}] || told[crossdock.Ref{Kind: kind}]
	}, nil
}

// spoken returns the messages of a system in the body of an arrival.
func spoken(body crossdock.Body, system crossdock.System) (out []crossdock.Message) {
	switch b := body.(type) {
	case crossdock.Message:
		out = append(out, b)
	case crossdock.Result:
		for _, r := range b.Receipts {
			out = append(out, r.Saw...)
		}
	}
	return slices.DeleteFunc(out, func(m crossdock.Message) bool { return m.From != system })
}
