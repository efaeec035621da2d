package config

import (
	"slices"
	"strconv"

	"github.com/crossdockhq/crossdock"
)

// locations reads which site of ours each location of the system is. Two locations
// can't be one site: what one of them sells would be offered by the other again.
func (r *reader) locations(e entry, path string) map[string]string {
	all, _ := r.mapping(e.value, path)
	out := map[string]string{}
	first := map[string]string{}
	for _, one := range all {
		at := path + "." + one.name
		v, ok := r.words(one.value, at, writtenOut)
		if !ok {
			continue
		}
		if before, twice := first[v.text]; twice {
			r.wrong(v.at, at, "the site %s is %s already: two locations can't be one site", v.text, before)
			continue
		}
		first[v.text], out[one.key] = one.name, v.text
	}
	return out
}

// tell reads what a system is told of by itself.
func (r *reader) tell(e entry, path string) []string {
	list, _ := r.wordList(e.value, path, writtenOut)
	var out []string
	for i, v := range list {
		at := path + "[" + strconv.Itoa(i) + "]"
		switch {
		case v.text == "":
		case !slices.Contains(crossdock.Tells, v.text):
			r.wrongNear(v.at, at, v.text, v.shown()+" is nothing that a system is told of by itself", crossdock.Tells)
		case slices.Contains(out, v.text):
			r.wrong(v.at, at, "%s is there twice", v.text)
		default:
			out = append(out, v.text)
		}
	}
	slices.Sort(out)
	return out
}
