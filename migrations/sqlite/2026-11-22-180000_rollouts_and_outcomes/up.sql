-- The stages of a rollout, its rule for halting, and its clock, as JSON. A previous version that still serves keeps what is there.
ALTER TABLE releases ADD COLUMN rollout_plan TEXT NOT NULL DEFAULT '{}';
-- When others were told that the release is out; null while its `published_at` is still to come.
ALTER TABLE releases ADD COLUMN announced_at INTEGER;
UPDATE releases SET announced_at = published_at WHERE published_at <= CAST(strftime('%s', 'now') AS INTEGER) * 1000000;

-- The release that a run leads to, where one of its `to_version` was published.
ALTER TABLE runs ADD COLUMN release_id BLOB;
-- Whether the release was open to the subscription when the run began: only then its outcome is a vote.
ALTER TABLE runs ADD COLUMN has_vote INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN downloaded_at INTEGER;
ALTER TABLE runs ADD COLUMN ended_at INTEGER;
-- When it was given up: it had begun to install, and was not heard of again.
ALTER TABLE runs ADD COLUMN lost_at INTEGER;
-- When it was first reported that data was lost.
ALTER TABLE runs ADD COLUMN data_loss_at INTEGER;
-- The known problem that its error matched: the id of a rule of the vendor's, or the name of a default.
ALTER TABLE runs ADD COLUMN known_problem TEXT;
CREATE INDEX runs_release ON runs (release_id, subscription_id);
CREATE INDEX runs_known_problem ON runs (product_id, known_problem) WHERE known_problem IS NOT NULL;
CREATE INDEX runs_under_way ON runs (last_reported_at) WHERE stage IN ('installing', 'migrating') AND lost_at IS NULL;
UPDATE runs SET ended_at = last_reported_at WHERE stage = 'ended';

-- One vote per subscription on each release: its last outcome that has one. `outcome` is null while there is none, and
-- `data_loss_at` is when the last of its runs reported lost data.
CREATE TABLE votes (
    release_id BLOB NOT NULL REFERENCES releases (id),
    subscription_id BLOB NOT NULL REFERENCES subscriptions (id),
    outcome TEXT,
    voted_at INTEGER,
    data_loss_at INTEGER,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (release_id, subscription_id)
) STRICT;
CREATE INDEX votes_subscription ON votes (subscription_id);
CREATE INDEX votes_changed_at ON votes (changed_at);
CREATE INDEX votes_tally ON votes (release_id, outcome, voted_at);
CREATE INDEX votes_data_loss ON votes (release_id, data_loss_at) WHERE data_loss_at IS NOT NULL;

-- Who was offered a release, once each: the subscription, or the installation without one.
CREATE TABLE offers (
    release_id BLOB NOT NULL REFERENCES releases (id),
    site BLOB NOT NULL,
    offered_at INTEGER NOT NULL,
    PRIMARY KEY (release_id, site)
) STRICT;

-- How many installations there were of each version, day by day.
CREATE TABLE adoption (
    day TEXT NOT NULL,
    product_id BLOB NOT NULL REFERENCES products (id),
    component TEXT NOT NULL,
    platform TEXT NOT NULL,
    -- Empty without a subscription. (A key column cannot be null.)
    deployment TEXT NOT NULL,
    version TEXT NOT NULL,
    installations INTEGER NOT NULL,
    PRIMARY KEY (day, product_id, component, platform, deployment, version)
) STRICT;
CREATE INDEX adoption_product ON adoption (product_id, day);

CREATE TABLE known_problems (
    id BLOB NOT NULL PRIMARY KEY,
    product_id BLOB NOT NULL REFERENCES products (id),
    failure_class TEXT,
    code_pattern TEXT,
    platform TEXT,
    versions TEXT,
    texts TEXT NOT NULL,
    link TEXT,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE INDEX known_problems_product ON known_problems (product_id);

-- Hosted sites that are being updated, or were just offered an update, in groups that limit how many at once.
CREATE TABLE group_slots (
    hosting_group_id BLOB NOT NULL REFERENCES hosting_groups (id),
    subscription_id BLOB NOT NULL REFERENCES subscriptions (id),
    free_at INTEGER NOT NULL,
    PRIMARY KEY (hosting_group_id, subscription_id)
) STRICT;
CREATE INDEX group_slots_subscription ON group_slots (subscription_id);

-- Mails to be sent, and those that were. `cause` says what each is about, so that nothing is told twice.
CREATE TABLE mails (
    id BLOB NOT NULL PRIMARY KEY,
    cause TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subscription_id BLOB REFERENCES subscriptions (id),
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    -- Later than `created_at` where it was queued again.
    queued_at INTEGER NOT NULL,
    sent_at INTEGER
) STRICT;
CREATE INDEX mails_due ON mails (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX mails_state ON mails (state, created_at);
CREATE INDEX mails_subscription ON mails (subscription_id, created_at);

-- Where the vendor's other systems want to be told of events. Secrets are derived from the keys, with `secret_number`.
CREATE TABLE webhooks (
    id BLOB NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    product_id BLOB REFERENCES products (id),
    enabled INTEGER NOT NULL,
    secret_number INTEGER NOT NULL,
    rotated_at INTEGER,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE INDEX webhooks_product ON webhooks (product_id);

-- Messages to webhooks; `id` is the `webhook-id` of every try. `cause` says which event each tells of.
CREATE TABLE webhook_messages (
    id BLOB NOT NULL PRIMARY KEY,
    webhook_id BLOB NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    cause TEXT NOT NULL,
    event TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    -- Later than `created_at` where it was queued again.
    queued_at INTEGER NOT NULL,
    sent_at INTEGER,
    UNIQUE (webhook_id, cause)
) STRICT;
CREATE INDEX webhook_messages_state ON webhook_messages (state, created_at);
CREATE INDEX webhook_messages_webhook ON webhook_messages (webhook_id, id);
-- By webhook, so that one that is away, with all that is due to it, keeps no other one waiting.
CREATE INDEX webhook_messages_due ON webhook_messages (webhook_id, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
