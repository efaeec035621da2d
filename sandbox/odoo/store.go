package odoo

import "slices"

// row is one record as stored: many2one as int (nil when empty), many2many as
// []int, text and selection as string (nil when empty), numbers as float64 or
// int, datetimes as time.Time in UTC with microseconds, dates as "2006-01-02".
// Keys that begin with ~ are the engine's own and are never shown.
type row map[string]any

// table holds one model's rows. Ids only grow and are not given back when a
// request fails: a PostgreSQL sequence does not roll back.
type table struct {
	rows    map[int]row
	ids     []int // ascending
	last    int
	indexes map[string]map[int][]int // many2one field -> id -> rows, ascending
}

// store is the database: tables and the journal that undoes a failed request.
type store struct {
	tables   map[string]*table
	journal  []func()
	counters map[string]int // number sequences; like PostgreSQL's they do not roll back
	external map[string]int // "module.name" -> id of its ir.model.data row
}

func newStore() *store {
	return &store{tables: map[string]*table{}, counters: map[string]int{}, external: map[string]int{}}
}

func (s *store) table(model string) *table {
	t := s.tables[model]
	if t == nil {
		t = &table{rows: map[int]row{}, indexes: map[string]map[int][]int{}}
		s.tables[model] = t
	}
	return t
}

// mark and rollback are a savepoint: rollback undoes what came after the mark.
func (s *store) mark() int { return len(s.journal) }

func (s *store) rollback(mark int) {
	for i := len(s.journal) - 1; i >= mark; i-- {
		s.journal[i]()
	}
	s.journal = s.journal[:mark]
}

func (s *store) commit() { s.journal = s.journal[:0] }

func (t *table) insert(id int, r row) {
	t.rows[id] = r
	if n := len(t.ids); n == 0 || t.ids[n-1] < id {
		t.ids = append(t.ids, id)
	} else if at, found := slices.BinarySearch(t.ids, id); !found {
		t.ids = slices.Insert(t.ids, at, id)
	}
	t.last = max(t.last, id)
	t.index(id, r, true)
}

func (t *table) remove(id int) {
	t.index(id, t.rows[id], false)
	delete(t.rows, id)
	if at, found := slices.BinarySearch(t.ids, id); found {
		t.ids = slices.Delete(t.ids, at, at+1)
	}
}

func (t *table) index(id int, r row, add bool) {
	for f, ix := range t.indexes {
		key, _ := r[f].(int)
		at, found := slices.BinarySearch(ix[key], id)
		switch {
		case add && !found:
			ix[key] = slices.Insert(ix[key], at, id)
		case !add && found:
			ix[key] = slices.Delete(ix[key], at, at+1)
		}
	}
}

// having returns the ids whose many2one field is key, ascending.
func (t *table) having(field string, key int) []int {
	ix := t.indexes[field]
	if ix == nil {
		ix = map[int][]int{}
		for _, id := range t.ids {
			k, _ := t.rows[id][field].(int)
			ix[k] = append(ix[k], id)
		}
		t.indexes[field] = ix
	}
	return ix[key]
}

func (s *store) insert(model string, id int, r row) int {
	t := s.table(model)
	if id == 0 {
		id = t.last + 1
	}
	t.insert(id, r)
	s.journal = append(s.journal, func() { t.remove(id) })
	return id
}

func (s *store) update(model string, id int, changes row) {
	t := s.table(model)
	old := t.rows[id]
	next := make(row, len(old)+len(changes))
	for k, v := range old {
		next[k] = v
	}
	for k, v := range changes {
		next[k] = v
	}
	swap := func(from, to row) {
		t.index(id, from, false)
		t.rows[id] = to
		t.index(id, to, true)
	}
	swap(old, next)
	s.journal = append(s.journal, func() { swap(next, old) })
}

func (s *store) remove(model string, id int) {
	t := s.table(model)
	old, ok := t.rows[id]
	if !ok {
		return
	}
	t.remove(id)
	s.journal = append(s.journal, func() { t.insert(id, old) })
}

// next draws a number from a sequence that does not roll back.
func (s *store) next(sequence string) int {
	s.counters[sequence]++
	return s.counters[sequence]
}
