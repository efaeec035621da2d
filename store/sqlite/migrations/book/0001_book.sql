-- Every row of the book as JSON, and beside it what it is looked for by.
CREATE TABLE row (
	tab    TEXT NOT NULL,
	key    TEXT NOT NULL,
	body   TEXT NOT NULL,
	system TEXT,    -- of a want
	rank   INTEGER, -- of a want's lane, 0 the most urgent; NULL unless its state is due
	due    TEXT,    -- of a timer, and of a want whose state is due
	opened TEXT,    -- of an exception
	open   INTEGER  -- of an exception: 1 while somebody has to act
);
CREATE UNIQUE INDEX row_address ON row (tab, key);
CREATE INDEX row_lane ON row (system, rank, due, key) WHERE rank IS NOT NULL;
CREATE INDEX row_due ON row (tab, due, key) WHERE due IS NOT NULL;
CREATE INDEX row_opened ON row (opened, key) WHERE opened IS NOT NULL;
CREATE INDEX row_open ON row (opened, key) WHERE open = 1;

-- The entries taken, and by which records they are found.
CREATE TABLE entry (
	seq     INTEGER PRIMARY KEY,
	at      TEXT    NOT NULL, -- times are UTC with nine decimals, '' for none: text order is time order
	lane    TEXT    NOT NULL,
	arrival INTEGER NOT NULL,
	part    INTEGER NOT NULL,
	kind    TEXT    NOT NULL,
	refs    TEXT    NOT NULL, -- JSON list
	effect  TEXT    NOT NULL,
	digest  BLOB,
	chain   BLOB    NOT NULL
);
CREATE TABLE entry_ref (
	ref TEXT    NOT NULL,
	seq INTEGER NOT NULL,
	PRIMARY KEY (ref, seq)
) WITHOUT ROWID;

-- How far the desk has come: one row.
CREATE TABLE position (
	id    INTEGER PRIMARY KEY CHECK (id = 1),
	epoch INTEGER NOT NULL,
	seq   INTEGER NOT NULL,
	at    TEXT    NOT NULL,
	lanes TEXT    NOT NULL -- JSON: lane → number and part
);
INSERT INTO position (id, epoch, seq, at, lanes) VALUES (1, 0, 0, '', '{}');
