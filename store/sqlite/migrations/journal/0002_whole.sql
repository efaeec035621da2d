-- 1: a reading of everything is still under way, page after page.
ALTER TABLE cursor ADD COLUMN whole INTEGER NOT NULL DEFAULT 0;
