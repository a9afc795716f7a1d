-- The stage that the error of a run, or that there was none, was said of. Null, in runs from before: as far as the run has come.
ALTER TABLE runs ADD COLUMN error_stage TEXT;
