-- Ids are UUIDs in 16 bytes, times are microseconds since 1970 in UTC, days are ISO 8601 texts, lists and maps are JSON.

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE refresh_tokens (
    hash BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    family BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

CREATE TABLE products (
    id BLOB NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    channels TEXT NOT NULL,
    default_locale TEXT NOT NULL,
    help_url TEXT,
    renew_url TEXT,
    expiry_policy TEXT NOT NULL,
    min_supported_version TEXT,
    timezone TEXT NOT NULL,
    required_artifacts TEXT NOT NULL,
    required_locales TEXT NOT NULL,
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE api_tokens (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    product_id BLOB REFERENCES products (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX api_tokens_product ON api_tokens (product_id);

CREATE TABLE stops (
    product_id BLOB NOT NULL REFERENCES products (id),
    -- Empty: the whole product. (A key column cannot be null.)
    channel TEXT NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (product_id, channel)
) STRICT;

CREATE TABLE releases (
    id BLOB NOT NULL PRIMARY KEY,
    product_id BLOB NOT NULL REFERENCES products (id),
    version TEXT NOT NULL,
    -- The version without build metadata: no two releases of equal precedence can exist.
    precedence_key TEXT NOT NULL,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    published_at INTEGER,
    severity TEXT NOT NULL,
    access TEXT NOT NULL,
    min_from TEXT,
    compatible_clients TEXT,
    notes TEXT NOT NULL,
    rollout_percent INTEGER NOT NULL,
    rollout_state TEXT NOT NULL,
    rollout_reason TEXT,
    yank_reason TEXT,
    created_at INTEGER NOT NULL,
    manifest_revision INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    UNIQUE (product_id, precedence_key)
) STRICT;

CREATE TABLE artifacts (
    id BLOB NOT NULL PRIMARY KEY,
    release_id BLOB NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    component TEXT NOT NULL,
    platform TEXT NOT NULL,
    arch TEXT NOT NULL,
    kind TEXT NOT NULL,
    filename TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    signature TEXT,
    UNIQUE (release_id, component, platform, arch, kind),
    UNIQUE (release_id, filename)
) STRICT;
CREATE INDEX artifacts_sha256 ON artifacts (sha256);

CREATE TABLE manifests (
    release_id BLOB NOT NULL REFERENCES releases (id),
    revision INTEGER NOT NULL,
    body BLOB NOT NULL,
    signature BLOB NOT NULL,
    key_id TEXT NOT NULL,
    PRIMARY KEY (release_id, revision)
) STRICT;

CREATE TABLE customers (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT,
    locale TEXT,
    external_ref TEXT,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE INDEX customers_external_ref ON customers (external_ref);

CREATE TABLE hosting_groups (
    id BLOB NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    window_days TEXT NOT NULL,
    window_start TEXT NOT NULL,
    window_minutes INTEGER NOT NULL,
    max_concurrent INTEGER,
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE subscriptions (
    id BLOB NOT NULL PRIMARY KEY,
    customer_id BLOB NOT NULL REFERENCES customers (id),
    product_id BLOB NOT NULL REFERENCES products (id),
    deployment TEXT NOT NULL,
    state TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    ends_on TEXT,
    grace_days INTEGER NOT NULL,
    channels TEXT NOT NULL,
    version_req TEXT,
    hosting_group_id BLOB REFERENCES hosting_groups (id),
    external_ref TEXT,
    renews INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE INDEX subscriptions_customer ON subscriptions (customer_id);
CREATE INDEX subscriptions_product ON subscriptions (product_id);
CREATE INDEX subscriptions_hosting_group ON subscriptions (hosting_group_id);
CREATE INDEX subscriptions_external_ref ON subscriptions (external_ref);
CREATE INDEX subscriptions_ends_on ON subscriptions (ends_on);

CREATE TABLE license_keys (
    id BLOB NOT NULL PRIMARY KEY,
    subscription_id BLOB NOT NULL REFERENCES subscriptions (id),
    -- HMAC-SHA-256 under the server's license secret; the key itself is stored nowhere.
    fingerprint BLOB NOT NULL UNIQUE,
    imported INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX license_keys_subscription ON license_keys (subscription_id);

CREATE TABLE installations (
    product_id BLOB NOT NULL REFERENCES products (id),
    id BLOB NOT NULL,
    subscription_id BLOB REFERENCES subscriptions (id),
    component TEXT NOT NULL,
    version TEXT NOT NULL,
    platform TEXT NOT NULL,
    arch TEXT NOT NULL,
    channel TEXT NOT NULL,
    locale TEXT,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (product_id, id)
) STRICT;
CREATE INDEX installations_subscription ON installations (subscription_id);

CREATE TABLE runs (
    id BLOB NOT NULL,
    -- The subscription, or the nil UUID without one: runs of different subscriptions are different runs.
    owner BLOB NOT NULL,
    product_id BLOB NOT NULL REFERENCES products (id),
    subscription_id BLOB REFERENCES subscriptions (id),
    installation_id BLOB NOT NULL,
    component TEXT NOT NULL,
    from_version TEXT NOT NULL,
    to_version TEXT NOT NULL,
    stage TEXT NOT NULL,
    outcome TEXT,
    error_class TEXT,
    error_code TEXT,
    error_message TEXT,
    scheduled_for INTEGER,
    notify_email TEXT,
    locale TEXT,
    updater_time INTEGER,
    first_reported_at INTEGER NOT NULL,
    last_reported_at INTEGER NOT NULL,
    PRIMARY KEY (id, owner)
) STRICT;
CREATE INDEX runs_product ON runs (product_id, id);
CREATE INDEX runs_subscription ON runs (subscription_id);
