//! The database: saved while others may be working with it, and brought back.
//!
//! Copying the file would be wrong: a transaction may be half written, or lie in the `-wal` file beside it. `SQLite`'s
//! online backup copies a consistent state of a database in use.

use std::{fs, path::Path, thread, time::Duration};

use rusqlite::{
    Connection, ErrorCode, OpenFlags,
    backup::{Backup, StepResult},
};

use super::{
    durable::{self, with_suffix},
    failure::{Failure, FailureClass},
};

/// How long to wait for somebody who holds the database, in steps of [`PAUSE`].
const PATIENCE: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// Saves the database. An earlier backup in the same place goes only when the new one is complete and sound.
pub fn save(database: &Path, backup: &Path) -> Result<(), Failure> {
    let failed = |error| failure("backup_failed", database, error);
    let fresh = with_suffix(backup, ".new");
    remove_database(&fresh)?;

    let source = open(database).map_err(failed)?;
    let mut copy = Connection::open(&fresh).map_err(failed)?;
    copy_pages(&source, &mut copy).map_err(failed)?;
    // A backup of a damaged database is none. Better to learn it now than when it is needed.
    let verdict: String = copy.query_row("PRAGMA quick_check", [], |row| row.get(0)).map_err(failed)?;
    if verdict != "ok" {
        let sentence = format!("{} is damaged: {verdict}", database.display());
        return Err(Failure::new(FailureClass::Backup, "database_damaged", sentence));
    }
    copy.close().map_err(|(_, error)| failed(error))?;
    fs::File::open(&fresh).and_then(|file| file.sync_all()).map_err(Failure::io("sync", &fresh))?;
    durable::rename(&fresh, backup)
}

/// Brings the saved state back. `SQLite` does it in one transaction: a kill leaves the one or the other.
pub fn restore(backup: &Path, database: &Path) -> Result<(), Failure> {
    let failed = |error| failure("restore_failed", database, error).seen_as(FailureClass::DataLoss);
    let source = open(backup).map_err(failed)?;
    let into_place = || copy_pages(&source, &mut Connection::open(database)?);
    match into_place() {
        Err(error) if is_damaged(&error) => {
            // What is there cannot even be written over. It is kept for whoever wants to look at it.
            let damaged = with_suffix(database, ".damaged");
            remove_database(&damaged)?;
            durable::rename(database, &damaged)?;
            remove_database(database)?;
            into_place().map_err(failed)
        }
        restored => restored.map_err(failed),
    }
}

/// The number that the program's migrations count up.
pub fn schema_version(database: &Path) -> Result<i64, Failure> {
    open(database)
        .and_then(|database| database.query_row("PRAGMA user_version", [], |row| row.get(0)))
        .map_err(|error| failure("database_unreadable", database, error))
}

/// Opens a database that must be there: a missing one is a mistake, not a new one.
pub fn open(database: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PAUSE.saturating_mul(PATIENCE))?;
    Ok(connection)
}

/// All pages in one step: under one read lock, so that nobody's writing makes the copy start again and again.
fn copy_pages(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    let copying = Backup::new(from, to)?;
    for _ in 0..PATIENCE {
        match copying.step(-1)? {
            StepResult::Done => return Ok(()),
            _ => thread::sleep(PAUSE),
        }
    }
    Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None))
}

/// Removes a database file and what `SQLite` keeps beside it.
fn remove_database(path: &Path) -> Result<(), Failure> {
    ["", "-wal", "-shm", "-journal"].iter().try_for_each(|suffix| durable::remove(&with_suffix(path, suffix)))
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

fn failure(code: &'static str, database: &Path, error: rusqlite::Error) -> Failure {
    let code = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "database_busy",
        Some(ErrorCode::DiskFull) => "disk_full",
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => "database_damaged",
        _ => code,
    };
    Failure::new(FailureClass::Backup, code, format!("database {}: {error}", database.display()))
}
