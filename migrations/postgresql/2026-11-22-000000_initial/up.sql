-- The same tables as SQLite has. Texts collate by their bytes ("C"), so that both sort and compare alike.
-- Ids are UUIDs in 16 bytes, times are microseconds since 1970 in UTC, days are ISO 8601 texts, lists and maps are JSON.

CREATE TABLE settings (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE users (
    id BYTEA NOT NULL PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL UNIQUE,
    password_hash TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE refresh_tokens (
    hash BYTEA NOT NULL PRIMARY KEY,
    user_id BYTEA NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    family BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

CREATE TABLE products (
    id BYTEA NOT NULL PRIMARY KEY,
    slug TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    channels TEXT COLLATE "C" NOT NULL,
    default_locale TEXT COLLATE "C" NOT NULL,
    help_url TEXT COLLATE "C",
    renew_url TEXT COLLATE "C",
    expiry_policy TEXT COLLATE "C" NOT NULL,
    min_supported_version TEXT COLLATE "C",
    timezone TEXT COLLATE "C" NOT NULL,
    required_artifacts TEXT COLLATE "C" NOT NULL,
    required_locales TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL
);

CREATE TABLE api_tokens (
    id BYTEA NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    scopes TEXT COLLATE "C" NOT NULL,
    product_id BYTEA REFERENCES products (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX api_tokens_product ON api_tokens (product_id);

CREATE TABLE stops (
    product_id BYTEA NOT NULL REFERENCES products (id),
    -- Empty: the whole product. (A key column cannot be null.)
    channel TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (product_id, channel)
);

CREATE TABLE releases (
    id BYTEA NOT NULL PRIMARY KEY,
    product_id BYTEA NOT NULL REFERENCES products (id),
    version TEXT COLLATE "C" NOT NULL,
    -- The version without build metadata: no two releases of equal precedence can exist.
    precedence_key TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    published_at BIGINT,
    severity TEXT COLLATE "C" NOT NULL,
    access TEXT COLLATE "C" NOT NULL,
    min_from TEXT COLLATE "C",
    compatible_clients TEXT COLLATE "C",
    notes TEXT COLLATE "C" NOT NULL,
    rollout_percent BIGINT NOT NULL,
    rollout_state TEXT COLLATE "C" NOT NULL,
    rollout_reason TEXT COLLATE "C",
    yank_reason TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    manifest_revision BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    UNIQUE (product_id, precedence_key)
);

CREATE TABLE artifacts (
    id BYTEA NOT NULL PRIMARY KEY,
    release_id BYTEA NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
    component TEXT COLLATE "C" NOT NULL,
    platform TEXT COLLATE "C" NOT NULL,
    arch TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    filename TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    sha256 BYTEA NOT NULL,
    signature TEXT COLLATE "C",
    UNIQUE (release_id, component, platform, arch, kind),
    UNIQUE (release_id, filename)
);
CREATE INDEX artifacts_sha256 ON artifacts (sha256);

CREATE TABLE manifests (
    release_id BYTEA NOT NULL REFERENCES releases (id),
    revision BIGINT NOT NULL,
    body BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (release_id, revision)
);

CREATE TABLE customers (
    id BYTEA NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C",
    locale TEXT COLLATE "C",
    external_ref TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX customers_external_ref ON customers (external_ref);

CREATE TABLE hosting_groups (
    id BYTEA NOT NULL PRIMARY KEY,
    slug TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    timezone TEXT COLLATE "C" NOT NULL,
    window_days TEXT COLLATE "C" NOT NULL,
    window_start TEXT COLLATE "C" NOT NULL,
    window_minutes BIGINT NOT NULL,
    max_concurrent BIGINT,
    revision BIGINT NOT NULL
);

CREATE TABLE subscriptions (
    id BYTEA NOT NULL PRIMARY KEY,
    customer_id BYTEA NOT NULL REFERENCES customers (id),
    product_id BYTEA NOT NULL REFERENCES products (id),
    deployment TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    starts_on TEXT COLLATE "C" NOT NULL,
    ends_on TEXT COLLATE "C",
    grace_days BIGINT NOT NULL,
    channels TEXT COLLATE "C" NOT NULL,
    version_req TEXT COLLATE "C",
    hosting_group_id BYTEA REFERENCES hosting_groups (id),
    external_ref TEXT COLLATE "C",
    renews BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX subscriptions_customer ON subscriptions (customer_id);
CREATE INDEX subscriptions_product ON subscriptions (product_id);
CREATE INDEX subscriptions_hosting_group ON subscriptions (hosting_group_id);
CREATE INDEX subscriptions_external_ref ON subscriptions (external_ref);
CREATE INDEX subscriptions_ends_on ON subscriptions (ends_on);

CREATE TABLE license_keys (
    id BYTEA NOT NULL PRIMARY KEY,
    subscription_id BYTEA NOT NULL REFERENCES subscriptions (id),
    -- HMAC-SHA-256 under the server's license secret; the key itself is stored nowhere.
    fingerprint BYTEA NOT NULL UNIQUE,
    imported BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX license_keys_subscription ON license_keys (subscription_id);

CREATE TABLE installations (
    product_id BYTEA NOT NULL REFERENCES products (id),
    id BYTEA NOT NULL,
    subscription_id BYTEA REFERENCES subscriptions (id),
    component TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    platform TEXT COLLATE "C" NOT NULL,
    arch TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    locale TEXT COLLATE "C",
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    PRIMARY KEY (product_id, id)
);
CREATE INDEX installations_subscription ON installations (subscription_id);

CREATE TABLE runs (
    id BYTEA NOT NULL,
    -- The subscription, or the nil UUID without one: runs of different subscriptions are different runs.
    owner BYTEA NOT NULL,
    product_id BYTEA NOT NULL REFERENCES products (id),
    subscription_id BYTEA REFERENCES subscriptions (id),
    installation_id BYTEA NOT NULL,
    component TEXT COLLATE "C" NOT NULL,
    from_version TEXT COLLATE "C" NOT NULL,
    to_version TEXT COLLATE "C" NOT NULL,
    stage TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C",
    error_class TEXT COLLATE "C",
    error_code TEXT COLLATE "C",
    error_message TEXT COLLATE "C",
    scheduled_for BIGINT,
    notify_email TEXT COLLATE "C",
    locale TEXT COLLATE "C",
    updater_time BIGINT,
    first_reported_at BIGINT NOT NULL,
    last_reported_at BIGINT NOT NULL,
    PRIMARY KEY (id, owner)
);
CREATE INDEX runs_product ON runs (product_id, id);
CREATE INDEX runs_subscription ON runs (subscription_id);
