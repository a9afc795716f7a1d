-- Whether what matters most of a product takes a second person.
ALTER TABLE products ADD COLUMN two_person_rule INTEGER NOT NULL DEFAULT 0;
-- The user who made a token: what it asks for counts as asked by them. Null: nobody whom the server knows.
ALTER TABLE api_tokens ADD COLUMN created_by BLOB;

-- What one person has asked for and a second one is to approve. Users are no foreign keys: what was decided stays when they go.
CREATE TABLE approvals (
    id BLOB NOT NULL PRIMARY KEY,
    product_id BLOB NOT NULL REFERENCES products (id),
    deed TEXT NOT NULL,
    -- As the audit log names it.
    subject TEXT NOT NULL,
    -- Of which release, where it is about one.
    version TEXT,
    -- How it was asked for, as JSON.
    parameters TEXT NOT NULL,
    -- What it is about, as it was then.
    fingerprint TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id BLOB,
    actor_name TEXT NOT NULL,
    -- The user whom the request counts as one of.
    requester BLOB,
    requested_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- Of a decision: null until there is one.
    outcome TEXT,
    decided_by BLOB,
    decided_by_name TEXT,
    decided_at INTEGER,
    note TEXT
) STRICT;
CREATE INDEX approvals_product ON approvals (product_id);
CREATE INDEX approvals_subject ON approvals (subject);
CREATE INDEX approvals_open ON approvals (outcome, expires_at);
