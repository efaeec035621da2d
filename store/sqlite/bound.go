package sqlite

import (
	"context"
	"fmt"
)

// Bound lets neither the journal nor the book grow beyond so many bytes: a hub's
// share of a disk it has not to itself. What would need more is refused with
// store.ErrFull, as on a full disk, until there is a larger bound; 0 is none. A
// file that is larger already is not made smaller.
func (s *Store) Bound(ctx context.Context, bytes int64) error {
	for _, f := range []*file{s.journal.file, s.book.file} {
		if err := f.bound(ctx, bytes); err != nil {
			return fmt.Errorf("bound %s: %w", f.path, err)
		}
	}
	return nil
}

// mostPages is SQLite's own bound (https://sqlite.org/limits.html, 14).
const mostPages = 4294967294

func (f *file) bound(ctx context.Context, bytes int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var size int64
	if err := f.writer.conn.QueryRowContext(ctx, "PRAGMA page_size").Scan(&size); err != nil {
		return err
	}
	pages := int64(mostPages)
	if bytes > 0 {
		pages = max(bytes/size, 1)
	}
	_, err := f.writer.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count(%d)", pages))
	return err
}
