//! Transactions on both databases, each begun for its purpose.

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

/// The purpose of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To change what decisions depend on. One runs at a time among all replicas. So the ids of `changes` grow
    /// in the order of the commits, and what was looked up before an insertion still holds at the insertion.
    Change,
    /// To write what no decision depends on. Such transactions run side by side.
    Addition,
    /// To read the state of one moment.
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
            // One round trip. If the wait for the lock fails, diesel believes that no transaction has begun. The
            // connection must then be closed (see `Pool::with`).
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
        // PostgreSQL answers COMMIT with success even if a statement of the transaction failed, and rolls back. With
        // `SELECT 1` before it in one round trip, the failed transaction gives an error. diesel learns from the
        // connection that the transaction is over.
        return match inner.batch_execute("SELECT 1; COMMIT") {
            Ok(()) => Ok(()),
            Err(error) => {
                if !is_fit(connection) {
                    // If this fails too, the connection is closed.
                    let _ = Manager::rollback_transaction(connection);
                }
                Err(error)
            }
        };
    }
    Manager::commit_transaction(connection)
}

/// Runs `work` in a transaction. It is committed if `work` succeeds, and rolled back if `work` fails or panics.
pub(super) fn run<T, E: From<StoreError>>(
    connection: &mut Connection,
    purpose: Purpose,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    begin(connection, purpose).map_err(StoreError::from)?;
    // A panic counts as a failure: a transaction that stays open would swallow every later write.
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
            // This fails if the database has already rolled back (a full disk, a lost connection). The error of `work`
            // says what happened, so this one is dropped.
            if Manager::rollback_transaction(connection).is_err() {
                mend(connection);
            }
            Err(error)
        }
    }
}

/// Runs `work` within an open transaction, and rolls back all that it did.
pub(super) fn rehearse<T, E: From<StoreError>>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    // Within a transaction, this sets a savepoint.
    Manager::begin_transaction(connection).map_err(StoreError::from)?;
    let done = work(connection);
    Manager::rollback_transaction(connection).map_err(StoreError::from)?;
    done
}

/// Makes the writer of `SQLite` usable again after a rollback that failed because nothing was left to roll back. A
/// connection to `PostgreSQL` is closed instead.
fn mend(connection: &mut Connection) {
    if let AnyConnection::Sqlite(connection) = connection
        && AnsiTransactionManager::is_broken_transaction_manager(connection)
    {
        // An error means that no transaction is open, which is the aim.
        let _ = connection.batch_execute("ROLLBACK");
        *AnsiTransactionManager::transaction_manager_status_mut(connection) = TransactionManagerStatus::default();
    }
}

/// Whether a connection can be used again: no transaction is open, and none failed to end.
pub(super) fn is_fit(connection: &mut Connection) -> bool {
    !Manager::is_broken_transaction_manager(connection)
}

/// Locks a thing of a kind (one of [`locks`]) until the transaction ends. Transactions that lock the same thing run one
/// after the other. On `SQLite` all writes do so anyway.
pub(super) fn hold(connection: &mut Connection, kind: i32, thing: Uuid) -> Result<(), StoreError> {
    hold_all(connection, kind, &[thing])
}

/// Locks several things of a kind, in one round trip and in the order of their numbers.
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

/// The lock number of a thing, below 512. The lock table is shared by the whole `PostgreSQL` server, and a thousand
/// reports must not take a thousand entries of it. Things with the same number wait for one another, which is harmless.
fn number(thing: &Uuid) -> u16 {
    let (high, low) = thing.as_u64_pair();
    let [.., upper, lower] = (high ^ low).to_be_bytes();
    u16::from_be_bytes([upper, lower]) & 0x1FF
}

/// Whether the server still answers on this connection.
pub(super) fn answers(connection: &mut Connection) -> bool {
    match connection {
        AnyConnection::Sqlite(_) => true,
        AnyConnection::Postgresql(connection) => connection.batch_execute("SELECT 1").is_ok(),
    }
}

/// Opens a connection to an `SQLite` file, and runs `setup` on it.
pub(super) fn open_file(url: &str, setup: &str) -> Result<Connection, StoreError> {
    let mut connection = diesel::sqlite::SqliteConnection::establish(url)
        .map_err(|error| StoreError::from_message(&error.to_string()))?;
    connection.batch_execute(setup).map_err(|error| StoreError::from_message(&error.to_string()))?;
    Ok(AnyConnection::Sqlite(connection))
}
