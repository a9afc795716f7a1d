//! What it does not do, and the one line that says so.

use std::fs;

use super::{copy, embedded, file_of};
use crate::harness::{Server, database::Database, program::Ended};

/// It refuses, in one line that has all of this.
#[track_caller]
fn refuses(ended: Ended, code: i32, said: &[&str]) {
    let ended = ended.expect(code);
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    for text in said {
        assert!(ended.stderr.contains(text), "`{text}` is not in {ended:?}");
    }
    assert_eq!(ended.stdout, "");
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
}

/// A server on a file that ran once.
fn used() -> Server {
    let mut server = embedded();
    server.run();
    server.stop();
    server
}

#[test]
fn a_target_that_has_anything_in_it() {
    let (source, target) = (used(), Database::migrated());
    target.execute("INSERT INTO changes (kind, first, at) VALUES ('product', '', 0)");
    refuses(copy(&source, &file_of(&source), target.url()), 1, &["not empty", "`changes`", target.name()]);
    target.execute("DELETE FROM changes");
    copy(&source, &file_of(&source), target.url()).expect(0);
    refuses(copy(&source, &file_of(&source), target.url()), 1, &["not empty", "`settings`"]);
    refuses(copy(&source, target.url(), &file_of(&source)), 1, &["not empty", "`settings`"]);
    refuses(copy(&source, target.url(), target.url()), 1, &["itself"]);
}

#[test]
fn a_database_that_is_in_use() {
    let (mut source, target) = (used(), Database::migrated());
    source.run();
    refuses(copy(&source, &file_of(&source), target.url()), 1, &["in use by another Sluice", "data"]);
    // Wherever it is called: the lock is found beside the database.
    let elsewhere = used();
    refuses(copy(&elsewhere, &file_of(&source), target.url()), 1, &["in use by another Sluice"]);
    source.stop();
    copy(&source, &file_of(&source), target.url()).expect(0);
    source.set("database.url", target.url());
    source.run();
    crate::harness::eventually(10, "the server to take the lead", || {
        source.log().iter().any(|line| line.contains("does the background work now")).then_some(())
    });
    let other = embedded();
    refuses(copy(&other, target.url(), &file_of(&other)), 1, &["serving from", target.name(), "stop it"]);
    source.stop();
}

#[test]
fn keys_that_are_missing_or_belong_to_another_database() {
    let (source, target) = (used(), Database::migrated());
    let keys = source.data().join("keys.json");
    let aside = source.home().join("keys-aside.json");
    fs::rename(&keys, &aside).unwrap();
    refuses(copy(&source, &file_of(&source), target.url()), 1, &["no keys", "keys.json"]);
    let other = used();
    fs::copy(other.data().join("keys.json"), &keys).unwrap();
    refuses(copy(&source, &file_of(&source), target.url()), 1, &["other secrets", "keys.json", "--keys"]);
    let mut named = source.command(&["database", "copy", "--from", &file_of(&source), "--to", target.url(), "--keys"]);
    let said = Ended::of(named.arg(&aside)).expect(0).stdout;
    assert!(said.contains("customers") && said.contains("read back and compared"), "{said}");

    let back = embedded();
    let mut command = back.command(&["database", "copy", "--from", target.url(), "--to", &file_of(&back)]);
    command.env("SLUICE__KEYS__ENCRYPTION_KEY", "b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIgb3Q=");
    refuses(Ended::of(&mut command), 1, &["keys.encryption_key"]);
    command.env("SLUICE__KEYS__ENCRYPTION_KEY", "too short");
    refuses(Ended::of(&mut command), 1, &["openssl rand -base64 32"]);
    command.env("SLUICE__KEYS__ENCRYPTION_KEY", "");
    refuses(Ended::of(&mut command), 2, &["keys.encryption_key", "openssl rand -base64 32"]);
    // Nor are keys overwritten.
    fs::create_dir_all(back.data()).unwrap();
    fs::copy(other.data().join("keys.json"), back.data().join("keys.json")).unwrap();
    refuses(copy(&back, target.url(), &file_of(&back)), 1, &["other keys at", "keys.json"]);
    fs::remove_file(back.data().join("keys.json")).unwrap();
    copy(&back, target.url(), &file_of(&back)).expect(0);
}

#[test]
fn a_schema_of_another_version_and_what_is_no_database() {
    let (source, target) = (used(), Database::migrated());
    let url = file_of(&source);
    target.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')");
    refuses(copy(&source, &url, target.url()), 1, &["newer Sluice", "20990101000000", target.name()]);
    let target = Database::empty();
    source.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')");
    refuses(copy(&source, &url, target.url()), 1, &["newer Sluice", "sluice.sqlite3"]);
    source.execute("DELETE FROM __diesel_schema_migrations WHERE version > '20260000000000'");
    refuses(copy(&source, &url, target.url()), 1, &["nothing of Sluice"]);
    source.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20261122000000')");
    refuses(copy(&source, &url, target.url()), 1, &["older Sluice", "sluice migrate"]);
    let tables = "SELECT relname::text AS value FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert!(target.select(tables).is_empty(), "the target was not touched");

    let nowhere = source.home().join("nowhere.sqlite3");
    refuses(copy(&source, &format!("sqlite:{}", nowhere.display()), target.url()), 1, &["nowhere", "--from"]);
    assert!(!nowhere.exists());
    let text = source.home().join("text");
    fs::write(&text, "no database at all, but a text that is long enough").unwrap();
    refuses(copy(&source, &format!("sqlite:{}", text.display()), target.url()), 1, &["text", "damaged"]);
    for (from, said) in
        [("mysql://anna:hunter2@x/y", "--from"), ("sqlite:", "--from"), ("postgres://anna:hun@hunter2@x/y", "%40")]
    {
        refuses(copy(&source, from, target.url()), 2, &[said]);
    }
    let away = "postgres://anna:hunter2@127.0.0.1:1/sluice?password=hunter2";
    refuses(copy(&source, &url, away), 1, &["127.0.0.1:1/sluice"]);
}

#[test]
fn what_does_not_arrive_as_it_was() {
    let source = used();
    source.execute("INSERT INTO customers (id, name, created_at, revision) VALUES (x'01', 'Anna', 0, 1)");
    let target = Database::migrated();
    target.execute(
        "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name = ''Bruno''; RETURN NEW; END';
         CREATE TRIGGER other BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION other()",
    );
    refuses(copy(&source, &file_of(&source), target.url()), 1, &["`customers` did not arrive as it was", "checksum"]);
    assert_eq!(target.select("SELECT count(*)::text AS value FROM settings"), ["0"]);
    // What the other kind of database does not hold.
    source.execute("UPDATE customers SET name = 'Anna' || char(0)");
    refuses(copy(&source, &file_of(&source), Database::migrated().url()), 1, &["`customers` does not take a row"]);
}
