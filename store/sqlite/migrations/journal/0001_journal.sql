-- What arrived, in lanes. Rows are never changed.
CREATE TABLE arrival (
	lane   TEXT    NOT NULL,
	number INTEGER NOT NULL, -- from 1 in each lane, without gaps
	at     TEXT    NOT NULL, -- times are UTC with nine decimals, '' for none: text order is time order
	kind   TEXT    NOT NULL, -- message, attempt, result, action, tick, setup
	head   TEXT,             -- of a message: from, kind, key, version, after, asked, meta, fault as JSON
	body   BLOB,             -- of a message: its bytes; else JSON
	packed INTEGER NOT NULL, -- 1: body is compressed with zstd
	salt   BLOB    NOT NULL,
	digest BLOB    NOT NULL  -- SHA-256(salt, kind, head, body as it was before packing)
);
CREATE UNIQUE INDEX arrival_place ON arrival (lane, number);

-- Attempts for which no result was filed.
CREATE TABLE open_attempt (
	number INTEGER PRIMARY KEY -- in lane urgent, where attempts and results always are
);

-- How far each pull has come.
CREATE TABLE cursor (
	system TEXT NOT NULL,
	kind   TEXT NOT NULL,
	text   TEXT NOT NULL,
	at     TEXT NOT NULL,
	PRIMARY KEY (system, kind)
) WITHOUT ROWID;
