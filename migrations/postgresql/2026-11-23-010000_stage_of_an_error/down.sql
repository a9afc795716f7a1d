ALTER TABLE runs DROP COLUMN error_stage;
