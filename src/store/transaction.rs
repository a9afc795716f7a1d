//! Transactions on either database, begun for what they are to do.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use diesel::{
    Connection as _, RunQueryDsl as _,
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager, TransactionManagerStatus},
    result::QueryResult,
};
use uuid::Uuid;

use super::{AnyConnection, Connection, StoreError, locks};

/// What a transaction is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To change what decisions depend on: one at a time in the whole installation, so that the ids of `changes` grow in
    /// the order of the commits, and what was looked up before a row is inserted still holds when it is.
    Change,
    /// To write what no decision depends on; such transactions run side by side.
    Addition,
    /// To read all of it as it was at one moment.
    Snapshot,
}

type Manager = <Connection as diesel::Connection>::TransactionManager;

fn begin(connection: &mut Connection, purpose: Purpose) -> QueryResult<()> {
    match (connection, purpose) {
        (AnyConnection::Sqlite(connection), Purpose::Change | Purpose::Addition) => {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
        }
        (AnyConnection::Sqlite(connection), Purpose::Snapshot) => {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN")
        }
        (AnyConnection::Postgresql(connection), Purpose::Change) => {
            // In one trip. Where the wait for the lock fails, diesel takes the transaction as not begun; the connection is
            // given up then (see `Pool::with`).
            let sql = format!("BEGIN; SELECT pg_advisory_xact_lock({})", locks::CHANGE);
            let begun = AnsiTransactionManager::begin_transaction_sql(connection, &sql);
            if begun.is_err() {
                AnsiTransactionManager::transaction_manager_status_mut(connection).set_in_error();
            }
            begun
        }
        (AnyConnection::Postgresql(connection), Purpose::Addition) => {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN")
        }
        (AnyConnection::Postgresql(connection), Purpose::Snapshot) => {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        }
    }
}

fn commit(connection: &mut Connection) -> QueryResult<()> {
    if let AnyConnection::Postgresql(inner) = connection {
        // PostgreSQL answers the COMMIT of a transaction in which a statement failed as if all were well, and rolls back. Of
        // two statements in one trip the first then fails. (diesel learns from the connection that the transaction is over.)
        return match inner.batch_execute("SELECT 1; COMMIT") {
            Ok(()) => Ok(()),
            Err(error) => {
                if !is_fit(connection) {
                    // Where this fails too, the connection is given up.
                    let _ = Manager::rollback_transaction(connection);
                }
                Err(error)
            }
        };
    }
    Manager::commit_transaction(connection)
}

/// Runs `work` in a transaction that is committed when it succeeds, and has left no trace when it fails.
pub(super) fn run<T, E: From<StoreError>>(
    connection: &mut Connection,
    purpose: Purpose,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    begin(connection, purpose).map_err(StoreError::from)?;
    // A transaction that a panic left open would swallow every later write, so a panic is a failure like any other.
    let done = catch_unwind(AssertUnwindSafe(|| work(connection)))
        .unwrap_or_else(|_| Err(E::from(StoreError::Other("a transaction panicked".to_owned()))));
    match done {
        Ok(value) => match commit(connection) {
            Ok(()) => Ok(value),
            Err(error) => {
                mend(connection);
                Err(E::from(StoreError::from(error)))
            }
        },
        Err(error) => {
            // Where the database has rolled back by itself (a full disk, a lost connection) this fails, and its error would
            // take the place of the one that says what happened.
            if Manager::rollback_transaction(connection).is_err() {
                mend(connection);
            }
            Err(error)
        }
    }
}

/// Runs `work` within a transaction that is open already, and takes back whatever it has done.
pub(super) fn rehearse<T, E: From<StoreError>>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    // Within a transaction that is a savepoint.
    Manager::begin_transaction(connection).map_err(StoreError::from)?;
    let done = work(connection);
    Manager::rollback_transaction(connection).map_err(StoreError::from)?;
    done
}

/// Makes the one writer of `SQLite` usable again after a rollback that failed because there was nothing left to roll back.
/// A connection to `PostgreSQL` is given up instead.
fn mend(connection: &mut Connection) {
    if let AnyConnection::Sqlite(connection) = connection
        && AnsiTransactionManager::is_broken_transaction_manager(connection)
    {
        // An error means that no transaction is open, which is what is wanted.
        let _ = connection.batch_execute("ROLLBACK");
        *AnsiTransactionManager::transaction_manager_status_mut(connection) = TransactionManagerStatus::default();
    }
}

/// Whether a connection can be used again: no transaction is open, none has failed to end.
pub(super) fn is_fit(connection: &mut Connection) -> bool {
    !Manager::is_broken_transaction_manager(connection)
}

/// Holds a thing of a kind (one of [`locks`]) until the transaction ends, so that another one that holds it too comes before or
/// after as a whole. On `SQLite` every write does.
pub(super) fn hold(connection: &mut Connection, kind: i32, thing: Uuid) -> Result<(), StoreError> {
    hold_all(connection, kind, &[thing])
}

/// Holds several things of a kind, in one trip and in the order of their numbers.
pub(super) fn hold_all(connection: &mut Connection, kind: i32, things: &[Uuid]) -> Result<(), StoreError> {
    let AnyConnection::Postgresql(connection) = connection else { return Ok(()) };
    let numbers: BTreeSet<u16> = things.iter().map(number).collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let listed: Vec<String> = numbers.iter().map(|number| format!("({number})")).collect();
    let locks = format!("SELECT pg_advisory_xact_lock({kind}, n) FROM (VALUES {}) AS t (n)", listed.join(","));
    diesel::sql_query(locks).execute(connection)?;
    Ok(())
}

/// One of 512: a thousand reports must not take a thousand places in the lock table, which all of `PostgreSQL` shares. Things
/// that share a number wait for one another, no more.
fn number(thing: &Uuid) -> u16 {
    let (high, low) = thing.as_u64_pair();
    let [.., upper, lower] = (high ^ low).to_be_bytes();
    u16::from_be_bytes([upper, lower]) & 0x1FF
}

/// Whether the connection is still one.
pub(super) fn answers(connection: &mut Connection) -> bool {
    match connection {
        AnyConnection::Sqlite(_) => true,
        AnyConnection::Postgresql(connection) => connection.batch_execute("SELECT 1").is_ok(),
    }
}

/// Opens one connection to an `SQLite` file.
pub(super) fn open_file(url: &str, setup: &str) -> Result<Connection, StoreError> {
    let mut connection = diesel::sqlite::SqliteConnection::establish(url)
        .map_err(|error| StoreError::from_message(&error.to_string()))?;
    connection.batch_execute(setup).map_err(|error| StoreError::from_message(&error.to_string()))?;
    Ok(AnyConnection::Sqlite(connection))
}
