ALTER TABLE artifacts DROP COLUMN store;
