-- Who changed what. Rows are only ever added: each has the hash of the one before it in its own, so that a row that was altered
-- or removed is found, and the trigger keeps honest hands off.
CREATE TABLE audit_log (
    number BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_kind TEXT COLLATE "C" NOT NULL,
    actor_id BYTEA,
    actor_name TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C",
    action TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    product_id BYTEA,
    details TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL
);
CREATE INDEX audit_log_subject ON audit_log (subject, number);
CREATE INDEX audit_log_at ON audit_log (at);

CREATE FUNCTION audit_log_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to';
END
$$;
CREATE TRIGGER audit_log_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_only_added_to();
