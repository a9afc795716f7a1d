//! Brings the database to what the new program expects.
//!
//! The new version ships `migrations/0001_invoices.sql`, `migrations/0002_…`. `SQLite`'s `user_version` says which were
//! run. All that are missing run in **one** transaction together with the new `user_version`, so that a kill leaves
//! the old state or the new one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::TransactionBehavior;

use super::{
    backup,
    failure::{Failure, FailureClass},
};

/// Runs the migrations that the database lacks. Says how many there were.
pub fn run(database: &Path, program: &Path) -> Result<usize, Failure> {
    let failed = |what: &Path| {
        let what = what.display().to_string();
        move |error| Failure::new(FailureClass::Migration, "migration_failed", format!("{what}: {error}"))
    };
    let migrations = listed(&program.join("migrations"))?;
    let mut connection = backup::open(database).map_err(failed(database))?;
    // IMMEDIATE: if somebody else has the database, fail before anything is done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed(database))?;
    let done: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed(database))?;

    let mut run = 0;
    for (number, path) in migrations.iter().filter(|(number, _)| *number > done) {
        let sql = fs::read_to_string(path)
            .map_err(Failure::io("read", path))
            .map_err(|failure| failure.seen_as(FailureClass::Migration))?;
        transaction.execute_batch(&sql).map_err(failed(path))?;
        if transaction.is_autocommit() {
            let sentence = format!("{} ends the transaction: leave COMMIT and ROLLBACK out", path.display());
            return Err(Failure::new(FailureClass::Migration, "migration_commits", sentence));
        }
        transaction.pragma_update(None, "user_version", number).map_err(failed(path))?;
        run += 1;
    }
    transaction.commit().map_err(failed(database))?;
    Ok(run)
}

/// The migrations in a folder by number. No folder: a version that leaves the database as it is.
fn listed(folder: &Path) -> Result<Vec<(i64, PathBuf)>, Failure> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Failure::io("list", folder))? {
        let path = entry.map_err(Failure::io("list", folder))?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            let digits = name.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
            let number = digits.parse().map_err(|_| {
                let sentence = format!("{} does not start with a number", path.display());
                Failure::new(FailureClass::Migration, "migration_unnumbered", sentence)
            })?;
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}
