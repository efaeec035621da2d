package sqlite

import "context"

// Pragma sets one on the connection that writes the journal or the book.
func (s *Store) Pragma(book bool, text string) error {
	f := s.journal.file
	if book {
		f = s.book.file
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.writer.conn.ExecContext(context.Background(), "PRAGMA "+text)
	return err
}

// Checkpoint moves the log of the journal into its file, as write does when it is
// long, and returns how many pages the log held.
func (s *Store) Checkpoint(mode string) (pages, moved int, err error) {
	f := s.journal.file
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writer.checkpoint(mode)
}

// Verdict is what a result code of SQLite means.
var Verdict = verdict

// Hold keeps the journal from writing until release is called, so that calls of
// File queue up.
func (s *Store) Hold() (release func()) {
	s.journal.file.mu.Lock()
	return s.journal.file.mu.Unlock
}

// Waiting returns how many calls of File wait for the next transaction, and
// whether one leads.
func (s *Store) Waiting() (int, bool) {
	return s.journal.queue.Waiting()
}
