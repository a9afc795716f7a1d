//! Killed at any moment, the copy leaves the target as empty as it was, and can be run again.

use std::process::Stdio;

use super::{copy, embedded, file_of};
use crate::harness::{database::Database, eventually};

/// So many rows that there is time to meet the program at what it does.
const NUMBERS: &str = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 30000)";
const USERS: &str = "INSERT INTO users (id, email, password_hash, role, created_at)
    SELECT CAST(printf('%016d', n) AS BLOB), 'user-' || n || '@example.com', 'none', 'support', n FROM numbers";
const CUSTOMERS: &str = "INSERT INTO customers (id, name, created_at, revision)
    SELECT CAST(printf('%016d', n) AS BLOB), 'Customer ' || n, n, 1 FROM numbers";
const COPIED: &str = "SELECT count(*)::text AS value FROM customers";

#[test]
fn killed_at_any_moment_it_leaves_nothing_and_can_be_run_again() {
    let mut server = embedded();
    server.run();
    server.stop();
    for insert in [USERS, CUSTOMERS] {
        server.execute(&format!("{NUMBERS} {insert}"));
    }
    let mut database = Database::empty();
    let doing = |database: &Database, sql: &str| {
        let query = format!(
            "SELECT pid::text AS value FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '{sql}%'"
        );
        (!database.select(&query).is_empty()).then_some(())
    };
    // What the server sees at its first rows, in the middle, and while they are read back.
    for moment in ["INSERT INTO users", "INSERT INTO customers", "SELECT id AS b_id, name AS t_name, email"] {
        let mut tries = 0;
        loop {
            let mut program =
                server.command(&["database", "copy", "--from", &file_of(&server), "--to", database.url()]);
            let mut program = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program");
            eventually(60, moment, || match program.try_wait().expect("a process") {
                Some(_) => Some(()),
                None => doing(&database, moment),
            });
            program.kill().expect("a kill");
            let ended = program.wait().expect("an end");
            eventually(10, "the server to notice", || {
                let others = "SELECT pid::text AS value FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
                database.select(others).is_empty().then_some(())
            });
            assert!(ended.success() || ended.code().is_none(), "{moment}: {ended}");
            if database.select(COPIED) != ["30000"] {
                break;
            }
            // On a machine that does ten other things it may be over before it is met: once more, into an empty one.
            tries += 1;
            assert!(tries < 5, "it was over before it was met at {moment}");
            database = Database::empty();
        }
        for table in ["settings", "users", "customers"] {
            assert_eq!(database.select(&format!("SELECT count(*)::text AS value FROM {table}")), ["0"], "{moment}");
        }
    }
    let copied = copy(&server, &file_of(&server), database.url()).expect(0).json();
    assert_eq!(database.select(COPIED), ["30000"]);
    assert!(copied["rows"].as_u64().expect("a number") > 60_000, "{copied}");
}
