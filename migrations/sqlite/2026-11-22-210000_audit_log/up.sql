-- Who changed what. Rows are only ever added: each has the hash of the one before it in its own, so that a row that was altered
-- or removed is found, and the triggers keep honest hands off.
CREATE TABLE audit_log (
    number INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id BLOB,
    actor_name TEXT NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    product_id BLOB,
    details TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_log_subject ON audit_log (subject, number);
CREATE INDEX audit_log_at ON audit_log (at);

CREATE TRIGGER audit_log_stays BEFORE UPDATE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
CREATE TRIGGER audit_log_keeps BEFORE DELETE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
