DROP TABLE removed_identities;
ALTER TABLE refresh_tokens DROP COLUMN ends_at;
DROP INDEX users_identity;
ALTER TABLE users DROP COLUMN subject;
ALTER TABLE users DROP COLUMN issuer;
