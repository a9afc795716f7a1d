-- What was changed, in the order of the commits: replicas follow it.
CREATE TABLE changes (
    id BIGSERIAL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    first BYTEA NOT NULL,
    second BYTEA,
    at BIGINT NOT NULL
);
CREATE INDEX changes_at ON changes (at);
