//! The database: where writes go, and what start-up reads. The only room that names diesel.
//!
//! [`Store::write`] runs one transaction at a time, in the whole installation; [`Store::append`] is for what no decision
//! depends on; [`Store::read`] runs queries beside them. All of them block: call them off the async threads. Each table has
//! a file of its own, with its row, the conversion to the domain, and the queries, named by the question they answer. They
//! are written once, for `SQLite` and `PostgreSQL` alike, against [`Connection`].

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

/// The connection that queries are written against.
pub type Connection = AnyConnection;

/// How many rows of a table that is read as a whole are asked for at once: `PostgreSQL`'s library holds a whole answer in
/// memory.
const BATCH: i64 = 10_000;

/// Whether rows are handed out as they are found: then a table is read as a whole, in the order in which it lies on the
/// disk, and not in batches by its key, each row of which would be looked up elsewhere.
const fn streams(connection: &Connection) -> bool {
    matches!(connection, AnyConnection::Sqlite(_))
}

/// The open database.
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
    /// Opens the database file, making it where there is none.
    ///
    /// # Errors
    /// With one line that says what is wrong with the file and what to do.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { kind: Kind::File(Sqlite::open(path)?), place: Place::File(path.to_owned()) })
    }

    /// Opens the database that a URL names: `sqlite:PATH`, or `postgres://…`, where at most so many connections are used.
    ///
    /// # Errors
    /// With one line that says what is wrong with the database and what to do. [`StoreError::Unavailable`] when it may be
    /// there later without anybody's doing anything about the configuration.
    pub fn connect(url: &str, connections: usize) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Self::open(Path::new(path));
        }
        let place = Place::of_server(url)?;
        Ok(Self { kind: Kind::Server(Postgresql::open(url, connections, &place)?), place })
    }

    /// Where the database is, as it may be shown.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Brings the schema up to date; returns the names of the migrations that were run. Of several replicas that do this
    /// at once, one does it and the others wait.
    ///
    /// # Errors
    /// When a migration fails, or when the schema is newer than this program knows.
    pub fn migrate(&self) -> Result<Vec<String>, StoreError> {
        match &self.kind {
            Kind::File(sqlite) => migrations::run_on_file(&mut sqlite.writer.lock()),
            Kind::Server(postgresql) => migrations::run_on_server(&mut postgresql.patient()?),
        }
    }

    /// The names of the migrations that [`Self::migrate`] would run.
    ///
    /// # Errors
    /// When the database cannot be read, or when the schema is newer than this program knows.
    pub fn pending(&self) -> Result<Vec<String>, StoreError> {
        match &self.kind {
            Kind::File(sqlite) => migrations::pending_on_file(&mut sqlite.writer.lock()),
            Kind::Server(postgresql) => migrations::pending_on_server(&mut postgresql.patient()?),
        }
    }

    /// Runs `work` in a transaction of its own, one at a time in the whole installation. It is committed when `work`
    /// succeeds, and has left no trace when it fails. `after` runs once it is committed and before the next write of this
    /// process is, and never while [`Self::follow`] is under way.
    ///
    /// # Errors
    /// What `work` failed with, or what the database did.
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

    /// Runs `work`, which writes nothing that a decision depends on, in a transaction that may run beside others. `work`
    /// is run again when another transaction got in its way. What it looks up before it writes is to be held
    /// ([`runs::take_in`] shows how), or may change in between.
    ///
    /// # Errors
    /// What `work` failed with, or what the database did.
    pub fn append<T, E: From<StoreError>>(
        &self,
        work: impl Fn(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, E> {
        match &self.kind {
            Kind::File(sqlite) => sqlite.write(|connection| Ok((work(connection)?, ())), |()| ()),
            Kind::Server(postgresql) => postgresql.append(work),
        }
    }

    /// Reads what others have changed, as it is at one moment, and hands it to `after`, which brings it into this
    /// process's memory. No write of this process is committed or brought in meanwhile.
    ///
    /// # Errors
    /// What `read` failed with, or what the database did.
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

    /// Whether other processes may change the same database.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self.kind, Kind::Server(_))
    }

    /// Somebody who is told of changes as they are committed, where others than this process may make any.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no connection.
    pub fn listen(&self) -> Result<Option<Listener>, StoreError> {
        match &self.kind {
            Kind::File(_) => Ok(None),
            Kind::Server(postgresql) => Listener::on(postgresql.patient()?).map(Some),
        }
    }

    /// The lead among the processes that share the database, unless another one has it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no connection.
    pub fn lead(&self) -> Result<Option<Lead>, StoreError> {
        match &self.kind {
            Kind::File(_) => Ok(Some(Lead::alone())),
            Kind::Server(postgresql) => Lead::among(postgresql.patient()?),
        }
    }

    /// Runs queries that are to see the database as it is at one moment.
    ///
    /// # Errors
    /// What `work` failed with, or that no connection could be had.
    pub fn snapshot<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Connection) -> Result<T, E>) -> Result<T, E> {
        match &self.kind {
            Kind::File(sqlite) => {
                sqlite.read(|connection| transaction::run(connection, transaction::Purpose::Snapshot, work))
            }
            Kind::Server(postgresql) => postgresql.snapshot(work),
        }
    }

    /// Runs queries on a reading connection.
    ///
    /// # Errors
    /// What `work` failed with, or that no connection could be had.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Connection) -> Result<T, E>) -> Result<T, E> {
        match &self.kind {
            Kind::File(sqlite) => sqlite.read(work),
            Kind::Server(postgresql) => postgresql.read(work),
        }
    }

    /// The same as [`Self::snapshot`], for work that may take hours: on a connection of its own, without limits of time.
    ///
    /// # Errors
    /// What `work` failed with, or that no connection could be had.
    pub fn long_snapshot<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.kind {
            Kind::File(_) => self.snapshot(work),
            Kind::Server(postgresql) => postgresql.at_leisure(transaction::Purpose::Snapshot, work),
        }
    }

    /// The same as [`Self::write`], for work that may take hours, on a database that nobody else uses: on a connection of
    /// its own, without limits of time.
    ///
    /// # Errors
    /// What `work` failed with, or what the database did.
    pub fn long_write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.kind {
            Kind::File(sqlite) => sqlite.write(|connection| Ok((work(connection)?, ())), |()| ()),
            Kind::Server(postgresql) => postgresql.at_leisure(transaction::Purpose::Change, work),
        }
    }

    /// How the schema compares with the one that this program knows. Changes nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn schema(&self) -> Result<Schema, StoreError> {
        self.read(migrations::compare)
    }

    /// Brings everything that was written into the database file itself: whoever copies that file while the server is
    /// stopped is to have all of it. A database server sees to that itself.
    ///
    /// # Errors
    /// When the database cannot be written; nothing is lost then, it is all in the log beside the file.
    pub fn settle(&self) -> Result<(), StoreError> {
        match &self.kind {
            Kind::File(sqlite) => sqlite.settle(),
            Kind::Server(_) => Ok(()),
        }
    }
}

/// Runs `work` within the write that is under way on this connection, and takes back whatever it has done: to know whether it
/// could be done.
///
/// # Errors
/// What `work` failed with, or what the database did.
pub fn rehearse<T, E: From<StoreError>>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    transaction::rehearse(connection, work)
}
