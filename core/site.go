package core

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossdockhq/crossdock"
)

// sitesName is the matching key that every site has.
const sitesName = "sites"

// unknownSites returns which sites of a connection nobody has: all that the book
// lacks, once it has any. With none of them, the exception about it is closed.
func (l *layer) unknownSites(conn crossdock.Connection) []string {
	if len(l.named(sitesName)) == 0 {
		return nil // they were not read yet
	}
	var unknown []string
	for _, key := range conn.Sites {
		if get[Record](l, RecordAt(crossdock.BookRef(crossdock.KindSite, key))) == nil {
			unknown = append(unknown, key)
		}
	}
	if unknown == nil {
		l.settled("site", string(conn.System), "its sites are known")
	}
	return unknown
}

// sitesSoon asks for what unknownSites and noSite read.
func (l *layer) sitesSoon(channel crossdock.System) {
	l.soon(NameAt(sitesName), ExceptionAt(key("site", string(channel))), AwaitAt(sitesName), AwaitAt(setupName))
	conn, _ := l.setup.Connection(channel)
	for _, of := range conn.Sites {
		l.soon(RecordAt(crossdock.BookRef(crossdock.KindSite, of)))
	}
}

// noSite holds an order that might ship from a site nobody has: one exception for all
// orders of the connection. They are judged again when a site appears or the
// configuration is another.
func (l *layer) noSite(j *judging, r *Record, o *crossdock.Order, unknown []string) {
	var known []string
	for _, of := range l.named(sitesName) {
		known = append(known, of.Key)
	}
	for _, key := range unknown {
		text := fmt.Sprintf("there is no site %s: known are %s; correct sites of connection %s in crossdock.yaml", key, strings.Join(known, ", "), o.Channel)
		if near := crossdock.Nearest(key, known); near != "" && !slices.Contains(unknown, near) {
			text += fmt.Sprintf(" (did you mean %s?)", near)
		}
		l.hold(j, r, o, crossdock.Finding{Check: "site", Grade: crossdock.Hold, Text: text}, string(o.Channel))
	}
	l.await(sitesName, Waiting{Of: r.Of})
	l.await(setupName, Waiting{Of: r.Of})
}
