-- Where the content of an artifact lies: `files`, or `s3`. A previous version that still serves writes without naming it,
-- and knows files only.
ALTER TABLE artifacts ADD COLUMN store TEXT NOT NULL DEFAULT 'files';
