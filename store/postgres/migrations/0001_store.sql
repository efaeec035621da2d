-- What comes from outside is bytea: text takes no zero byte and no broken UTF-8,
-- and JSON has to come back byte for byte. To read a row in psql:
-- SELECT tab, convert_from(key, 'UTF8'), convert_from(body, 'UTF8')::json FROM row
-- Times are UTC with nine decimals, '' for none; COLLATE "C" makes text order time order.

-- What arrived, in lanes. Rows are never changed.
CREATE TABLE arrival (
	lane   text    NOT NULL,
	number bigint  NOT NULL, -- from 1 in each lane, without gaps
	at     text    NOT NULL,
	kind   text    NOT NULL, -- message, attempt, result, action, tick, setup
	head   bytea,            -- of a message: from, kind, key, version, after, asked, meta, fault as JSON
	body   bytea,            -- of a message: its bytes; else JSON
	packed boolean NOT NULL, -- body is compressed with zstd
	salt   bytea   NOT NULL,
	digest bytea   NOT NULL, -- SHA-256(salt, kind, head, body as it was before packing)
	PRIMARY KEY (lane, number)
);
ALTER TABLE arrival ALTER COLUMN body SET STORAGE EXTERNAL; -- it is compressed already

-- How far each lane goes. Who files locks the rows of its lanes until it has
-- committed, so that arrivals become visible in the order of their numbers.
CREATE TABLE lane (
	lane text   PRIMARY KEY,
	last bigint NOT NULL
) WITH (fillfactor = 20); -- updated by every filing
INSERT INTO lane (lane, last) VALUES ('urgent', 0), ('normal', 0), ('bulk', 0);

-- Attempts for which no result was filed.
CREATE TABLE open_attempt (
	number bigint PRIMARY KEY -- in lane urgent, where attempts and results always are
);

-- How far each pull has come.
CREATE TABLE cursor (
	system text  NOT NULL,
	kind   text  NOT NULL,
	text   bytea NOT NULL,
	at     text  NOT NULL,
	whole  boolean NOT NULL, -- a reading of everything is under way
	PRIMARY KEY (system, kind)
);

-- Every row of the book as JSON, and beside it what it is looked for by.
CREATE TABLE row (
	tab    text  NOT NULL COLLATE "C",
	key    bytea NOT NULL,
	body   bytea NOT NULL,
	system text  COLLATE "C", -- of a want
	rank   integer,           -- of a want's lane, 0 the most urgent; null unless its state is due
	due    text  COLLATE "C", -- of a timer, and of a want whose state is due
	opened text  COLLATE "C", -- of an exception
	open   boolean,           -- of an exception: somebody has to act
	PRIMARY KEY (tab, key)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX row_lane ON row (system, rank, due, key) WHERE rank IS NOT NULL;
CREATE INDEX row_due ON row (tab, due, key) WHERE due IS NOT NULL;
CREATE INDEX row_opened ON row (opened, key) WHERE opened IS NOT NULL;
CREATE INDEX row_open ON row (opened, key) WHERE open;

-- The entries taken, and by which records they are found.
CREATE TABLE entry (
	seq     bigint  PRIMARY KEY,
	at      text    NOT NULL,
	lane    text    NOT NULL,
	arrival bigint  NOT NULL,
	part    integer NOT NULL,
	kind    text    NOT NULL,
	refs    bytea   NOT NULL, -- JSON list
	effect  bytea   NOT NULL,
	digest  bytea,
	chain   bytea   NOT NULL
);
CREATE TABLE entry_ref (
	ref bytea  NOT NULL,
	seq bigint NOT NULL,
	PRIMARY KEY (ref, seq)
);

-- How far the desk has come: one row, locked by who commits.
CREATE TABLE position (
	id          integer PRIMARY KEY CHECK (id = 1),
	epoch       bigint NOT NULL,
	seq         bigint NOT NULL,
	at          text   NOT NULL,
	lanes       bytea  NOT NULL, -- JSON: lane → number and part
	token       bytea  NOT NULL, -- of the last commit: by it a commit is found whose answer was lost
	incarnation bigint NOT NULL  -- which life of the book this is: a restored one begins a new
) WITH (fillfactor = 20); -- updated by every commit
INSERT INTO position (id, epoch, seq, at, lanes, token, incarnation) VALUES (1, 0, 0, '', '{}', '', 1);

-- Who works on what. Who writes under a lease locks its row FOR SHARE until it has
-- committed.
CREATE TABLE lease (
	name  text        PRIMARY KEY,
	owner text        NOT NULL,
	epoch bigint      NOT NULL,
	until timestamptz NOT NULL
) WITH (fillfactor = 50);
