-- Workloads of pipelines that may release a product.
CREATE TABLE trusted_publishers (
    id BLOB NOT NULL PRIMARY KEY,
    product_id BLOB NOT NULL REFERENCES products (id),
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    -- Null: this server.
    audience TEXT,
    claims TEXT NOT NULL,
    pins TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- The user who had it trusted: what it asks for counts as asked by them. No foreign key, as it stays when they go.
    created_by BLOB,
    last_used_at INTEGER
) STRICT;
CREATE INDEX trusted_publishers_product ON trusted_publishers (product_id, id);
CREATE INDEX trusted_publishers_issuer ON trusted_publishers (issuer);

-- The one that a token was given to; null for those that people made.
ALTER TABLE api_tokens ADD COLUMN publisher_id BLOB REFERENCES trusted_publishers (id);
CREATE INDEX api_tokens_publisher ON api_tokens (publisher_id);

-- Identity tokens that were exchanged, until they are past their time: none is good twice.
CREATE TABLE exchanged_identities (
    -- Of issuer and `jti`.
    hash BLOB NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX exchanged_identities_expires_at ON exchanged_identities (expires_at);
