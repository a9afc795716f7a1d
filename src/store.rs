//! The database: writes go there, and the start reads it. The only room that names diesel.
//!
//! [`Store::write`] runs one transaction at a time among all replicas. [`Store::append`] is for rows that no
//! decision depends on. [`Store::read`] runs queries beside them. All of them block: call them off the async threads.
//!
//! Each table has a file of its own, with its row, the conversion to the domain, and the queries, named by the question
//! they answer. Queries are written once for `SQLite` and `PostgreSQL`, against [`Connection`].

pub mod adoption;
pub mod api_tokens;
pub mod approvals;
pub mod artifacts;
pub mod audit_log;
mod bulk;
pub mod changes;
mod columns;
mod connection;
pub mod customers;
mod deliveries;
mod error;
pub mod exchanged_identities;
pub mod group_slots;
pub mod hosting_groups;
pub mod installations;
pub mod known_problems;
mod lead;
pub mod license_keys;
mod listener;
mod locks;
pub mod mails;
pub mod manifests;
mod migrations;
pub mod offers;
pub mod outcomes;
mod pool;
mod postgresql;
pub mod products;
pub mod refresh_tokens;
pub mod releases;
pub mod removed_identities;
pub mod renewals;
pub mod runs;
pub mod schema;
pub mod settings;
mod sql;
mod sqlite;
pub mod stops;
pub mod subscriptions;
pub mod tables;
mod transaction;
pub mod trusted_publishers;
pub mod users;
pub mod value;
pub mod votes;
pub mod webhook_messages;
pub mod webhooks;

use std::path::Path;

pub use connection::{AnyConnection, MultiBackend};
pub use error::{Place, StoreError};
pub use lead::Lead;
pub use listener::Listener;
pub use migrations::Schema;
use postgresql::Postgresql;
use sqlite::Sqlite;

use crate::domain::page::Page;

/// The type of connection that queries are written against.
pub type Connection = AnyConnection;

/// How many rows one query reads of a table that is read as a whole. `PostgreSQL`'s library keeps a whole answer in
/// memory, so a higher number costs memory.
const BATCH: i64 = 10_000;

/// Whether the database hands out rows one by one. Then a table is read by one query, in the order of the disk.
/// Otherwise it is read in batches by its key, and each row is looked up elsewhere.
const fn streams(connection: &Connection) -> bool {
    matches!(connection, AnyConnection::Sqlite(_))
}

/// An open database.
pub struct Store {
    place: Place,
    kind: Kind,
}

enum Kind {
    File(Sqlite),
    Server(Postgresql),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Store")
    }
}

impl Store {
    /// Opens the database file, or makes it if it is missing.
    ///
    /// # Errors
    /// One line that says what is wrong with the file and what to do.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { kind: Kind::File(Sqlite::open(path)?), place: Place::File(path.to_owned()) })
    }

    /// Opens the database at a URL: `sqlite:PATH`, or `postgres://…` with at most `connections` connections.
    ///
    /// # Errors
    /// One line that says what is wrong with the database and what to do. [`StoreError::Unavailable`] if a later
    /// attempt can succeed without a change of the configuration.
    pub fn connect(url: &str, connections: usize) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Self::open(Path::new(path));
        }
        let place = Place::of_server(url)?;
        Ok(Self { kind: Kind::Server(Postgresql::open(url, connections, &place)?), place })
    }

    /// Where the database is. It may be shown: it never contains a password.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Brings the schema up to date. Returns the names of the migrations that ran. If several replicas migrate at once,
    /// one does it and the others wait.
    ///
    /// # Errors
    /// If a migration fails, or the schema is newer than this program.
    pub fn migrate(&self) -> Result<Vec<String>, StoreError> {
        match &self.kind {
            Kind::File(sqlite) => migrations::run_on_file(&mut sqlite.writer.lock()),
            Kind::Server(postgresql) => migrations::run_on_server(&mut postgresql.patient()?),
        }
    }

    /// The names of the migrations that [`Self::migrate`] would run.
    ///
    /// # Errors
    /// If the schema is newer than this program.
    pub fn pending(&self) -> Result<Vec<String>, StoreError> {
        match &self.kind {
            Kind::File(sqlite) => migrations::pending_on_file(&mut sqlite.writer.lock()),
            Kind::Server(postgresql) => migrations::pending_on_server(&mut postgresql.patient()?),
        }
    }

    /// Runs `work` in a transaction, one at a time among all replicas. It is committed if `work` succeeds, and
    /// rolled back if `work` fails. `after` runs after the commit and before the next commit of this process, and never
    /// during [`Self::follow`].
    pub fn write<T, E: From<StoreError>, C>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<(T, C), E>,
        after: impl FnOnce(C),
    ) -> Result<T, E> {
        match &self.kind {
            Kind::File(sqlite) => sqlite.write(work, after),
            Kind::Server(postgresql) => postgresql.write(work, after),
        }
    }

    /// Runs `work` in a transaction that may run beside others. `work` must not write anything that a decision depends
    /// on. If another transaction gets in the way, `work` runs again. Rows that `work` reads before it writes can
    /// change in between, unless it locks them ([`runs::take_in`] shows how).
    pub fn append<T, E: From<StoreError>>(
        &self,
        work: impl Fn(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, E> {
        match &self.kind {
            Kind::File(sqlite) => sqlite.write(|connection| Ok((work(connection)?, ())), |()| ()),
            Kind::Server(postgresql) => postgresql.append(work),
        }
    }

    /// Reads the changes of other replicas as of one moment, and passes them to `after`, which puts them into this
    /// process's memory. Meanwhile this process neither commits a write nor applies one.
    pub fn follow<T, E: From<StoreError>, C>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<C, E>,
        after: impl FnOnce(C) -> T,
    ) -> Result<T, E> {
        match &self.kind {
            Kind::File(sqlite) => sqlite.follow(read, after),
            Kind::Server(postgresql) => postgresql.follow(read, after),
        }
    }

    /// Whether other processes can change the same database.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self.kind, Kind::Server(_))
    }

    /// A listener for changes; `None` if only this process can change the database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is no connection.
    pub fn listen(&self) -> Result<Option<Listener>, StoreError> {
        match &self.kind {
            Kind::File(_) => Ok(None),
            Kind::Server(postgresql) => Listener::on(postgresql.patient()?).map(Some),
        }
    }

    /// Takes the lead among the processes that share the database; `None` if another one has it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is no connection.
    pub fn lead(&self) -> Result<Option<Lead>, StoreError> {
        match &self.kind {
            Kind::File(_) => Ok(Some(Lead::alone())),
            Kind::Server(postgresql) => Lead::among(postgresql.patient()?),
        }
    }

    /// Runs queries that all see the state of one moment.
    pub fn snapshot<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Connection) -> Result<T, E>) -> Result<T, E> {
        match &self.kind {
            Kind::File(sqlite) => {
                sqlite.read(|connection| transaction::run(connection, transaction::Purpose::Snapshot, work))
            }
            Kind::Server(postgresql) => postgresql.snapshot(work),
        }
    }

    /// Runs queries on a reading connection. Each query can see another state.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Connection) -> Result<T, E>) -> Result<T, E> {
        match &self.kind {
            Kind::File(sqlite) => sqlite.read(work),
            Kind::Server(postgresql) => postgresql.read(work),
        }
    }

    /// Like [`Self::snapshot`], for work that may take hours: on a connection of its own, without limits of time.
    pub fn long_snapshot<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.kind {
            Kind::File(_) => self.snapshot(work),
            Kind::Server(postgresql) => postgresql.at_leisure(transaction::Purpose::Snapshot, work),
        }
    }

    /// Like [`Self::write`], for work that may take hours: on a connection of its own, without limits of time. No other
    /// process may use the database meanwhile.
    pub fn long_write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.kind {
            Kind::File(sqlite) => sqlite.write(|connection| Ok((work(connection)?, ())), |()| ()),
            Kind::Server(postgresql) => postgresql.at_leisure(transaction::Purpose::Change, work),
        }
    }

    /// Compares the database's schema with that of this program. Changes nothing.
    pub fn schema(&self) -> Result<Schema, StoreError> {
        self.read(migrations::compare)
    }

    /// Moves all writes from the log beside the database file into the file, so that a copy of the file alone is
    /// complete while the server is stopped. A database server does not need this.
    ///
    /// # Errors
    /// If the file cannot be written. Nothing is lost then: the log has all writes.
    pub fn settle(&self) -> Result<(), StoreError> {
        match &self.kind {
            Kind::File(sqlite) => sqlite.settle(),
            Kind::Server(_) => Ok(()),
        }
    }
}

/// Runs `work` within the open write of this connection, and rolls back all that it did. Tells whether `work` would
/// succeed.
pub fn rehearse<T, E: From<StoreError>>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    transaction::rehearse(connection, work)
}
