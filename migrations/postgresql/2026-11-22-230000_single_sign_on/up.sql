-- Who somebody is at the OpenID provider: it, and its name for them. Who logs in only through it has an empty password hash.
ALTER TABLE users ADD COLUMN issuer TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN subject TEXT COLLATE "C";
CREATE UNIQUE INDEX users_identity ON users (issuer, subject);
-- When a login ends however often it is prolonged; null: never.
ALTER TABLE refresh_tokens ADD COLUMN ends_at BIGINT;
-- Those who were removed, and do not come back by logging in once more.
CREATE TABLE removed_identities (
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    removed_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
