-- Until now every user was an administrator, whatever their role was called.
UPDATE users SET role = 'owner';
-- The only products that they have to do with, as a JSON list of ids; null: all.
ALTER TABLE users ADD COLUMN products TEXT COLLATE "C";
-- The secret of the second factor, encrypted: the one in use, and one that is still to be confirmed.
ALTER TABLE users ADD COLUMN totp_secret TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN totp_pending TEXT COLLATE "C";
-- The last time step whose code was taken: no code is good twice.
ALTER TABLE users ADD COLUMN totp_last_step BIGINT;
-- Hashes of the recovery codes that are left, as a JSON list.
ALTER TABLE users ADD COLUMN recovery_codes TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE users ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
