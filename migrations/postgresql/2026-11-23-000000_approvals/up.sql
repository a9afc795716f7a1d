-- Whether what matters most of a product takes a second person.
ALTER TABLE products ADD COLUMN two_person_rule BOOLEAN NOT NULL DEFAULT FALSE;
-- The user who made a token: what it asks for counts as asked by them. Null: nobody whom the server knows.
ALTER TABLE api_tokens ADD COLUMN created_by BYTEA;

-- What one person has asked for and a second one is to approve. Users are no foreign keys: what was decided stays when they go.
CREATE TABLE approvals (
    id BYTEA NOT NULL PRIMARY KEY,
    product_id BYTEA NOT NULL REFERENCES products (id),
    deed TEXT COLLATE "C" NOT NULL,
    -- As the audit log names it.
    subject TEXT COLLATE "C" NOT NULL,
    -- Of which release, where it is about one.
    version TEXT COLLATE "C",
    -- How it was asked for, as JSON.
    parameters TEXT COLLATE "C" NOT NULL,
    -- What it is about, as it was then.
    fingerprint TEXT COLLATE "C" NOT NULL,
    actor_kind TEXT COLLATE "C" NOT NULL,
    actor_id BYTEA,
    actor_name TEXT COLLATE "C" NOT NULL,
    -- The user whom the request counts as one of.
    requester BYTEA,
    requested_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Of a decision: null until there is one.
    outcome TEXT COLLATE "C",
    decided_by BYTEA,
    decided_by_name TEXT COLLATE "C",
    decided_at BIGINT,
    note TEXT COLLATE "C"
);
CREATE INDEX approvals_product ON approvals (product_id);
CREATE INDEX approvals_subject ON approvals (subject);
CREATE INDEX approvals_open ON approvals (outcome, expires_at);
