-- Which life of the book this is: a restored one begins a new.
ALTER TABLE position ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 1;
