-- Workloads of pipelines that may release a product.
CREATE TABLE trusted_publishers (
    id BYTEA NOT NULL PRIMARY KEY,
    product_id BYTEA NOT NULL REFERENCES products (id),
    name TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    -- Null: this server.
    audience TEXT COLLATE "C",
    claims TEXT COLLATE "C" NOT NULL,
    pins TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    -- The user who had it trusted: what it asks for counts as asked by them. No foreign key, as it stays when they go.
    created_by BYTEA,
    last_used_at BIGINT
);
CREATE INDEX trusted_publishers_product ON trusted_publishers (product_id, id);
CREATE INDEX trusted_publishers_issuer ON trusted_publishers (issuer);

-- The one that a token was given to; null for those that people made.
ALTER TABLE api_tokens ADD COLUMN publisher_id BYTEA REFERENCES trusted_publishers (id);
CREATE INDEX api_tokens_publisher ON api_tokens (publisher_id);

-- Identity tokens that were exchanged, until they are past their time: none is good twice.
CREATE TABLE exchanged_identities (
    -- Of issuer and `jti`.
    hash BYTEA NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX exchanged_identities_expires_at ON exchanged_identities (expires_at);
