-- Until now every user was an administrator, whatever their role was called.
UPDATE users SET role = 'owner';
-- The only products that they have to do with, as a JSON list of ids; null: all.
ALTER TABLE users ADD COLUMN products TEXT;
-- The secret of the second factor, encrypted: the one in use, and one that is still to be confirmed.
ALTER TABLE users ADD COLUMN totp_secret TEXT;
ALTER TABLE users ADD COLUMN totp_pending TEXT;
-- The last time step whose code was taken: no code is good twice.
ALTER TABLE users ADD COLUMN totp_last_step INTEGER;
-- Hashes of the recovery codes that are left, as a JSON list.
ALTER TABLE users ADD COLUMN recovery_codes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE users ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
