-- What was changed, in the order of the commits: replicas follow it. AUTOINCREMENT, so that no number comes twice.
CREATE TABLE changes (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    first BLOB NOT NULL,
    second BLOB,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX changes_at ON changes (at);
