//! The database: where writes go, and what start-up reads. The only room that names diesel.
//!
//! [`Store::write`] runs one transaction at a time on the one writing connection, [`Store::read`] runs queries on a
//! pool of reading ones. Both block: call them off the async threads. Each table has a file of its own, with its
//! row, the conversion to the domain, and the queries, named by the question they answer.

pub mod api_tokens;
pub mod artifacts;
pub mod customers;
pub mod hosting_groups;
pub mod installations;
pub mod license_keys;
pub mod manifests;
pub mod products;
pub mod releases;
pub mod runs;
pub mod schema;
pub mod settings;
pub mod stops;
pub mod subscriptions;
pub mod users;
pub mod value;

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Duration,
};

use diesel::{
    Connection as _,
    connection::SimpleConnection,
    r2d2::{ConnectionManager, CustomizeConnection, Pool},
    result::{DatabaseErrorKind, Error as DieselError},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use parking_lot::Mutex;

/// The connection that queries are written against.
pub type Connection = diesel::sqlite::SqliteConnection;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Readers wait for nothing in `SQLite`'s WAL, so a few serve all the staff there is.
const READERS: u32 = 4;

/// What went wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A value that must be unique is there already.
    #[error("a row like this is there already: {0}")]
    Conflict(String),
    /// The database cannot be written or read just now.
    #[error("{0}")]
    Unavailable(String),
    /// What the database holds cannot be understood.
    #[error("{0}")]
    Damaged(String),
    /// A query that should work did not.
    #[error("{0}")]
    Other(String),
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        let text = error.to_string();
        match &error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Conflict(text),
            DieselError::DeserializationError(_) => {
                Self::Damaged(format!("the database holds a value that is none: {text}"))
            }
            _ => Self::from_message(text),
        }
    }
}

impl StoreError {
    /// `SQLite` tells these cases apart only by the text of its error.
    fn from_message(text: String) -> Self {
        const AWAY: [&str; 6] =
            ["disk is full", "readonly database", "disk I/O", "database is locked", "unable to open", "timed out"];
        const BROKEN: [&str; 2] = ["malformed", "not a database"];
        if AWAY.iter().any(|sign| text.contains(sign)) {
            Self::Unavailable(text)
        } else if BROKEN.iter().any(|sign| text.contains(sign)) {
            Self::Damaged(text)
        } else {
            Self::Other(text)
        }
    }
}

impl StoreError {
    /// The error with the file it is about, and what to do: for the person who starts the server.
    #[must_use]
    pub fn at(self, path: &Path) -> Self {
        let shown = path.display();
        match self {
            Self::Unavailable(text) => Self::Unavailable(format!(
                "cannot use the database {shown}: {text}; check the disk and the rights of the file and its folder"
            )),
            Self::Damaged(text) => {
                Self::Damaged(format!("the database {shown} is damaged ({text}); restore it from a backup"))
            }
            Self::Conflict(text) | Self::Other(text) => Self::Other(format!("cannot use the database {shown}: {text}")),
        }
    }
}

/// The open database.
pub struct Store {
    writer: Mutex<Connection>,
    readers: Pool<ConnectionManager<Connection>>,
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
        let shown = path.display();
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| {
                StoreError::Unavailable(format!("cannot make the folder {}: {error}", folder.display()))
            })?;
        }
        let url = path
            .to_str()
            .ok_or_else(|| StoreError::Other(format!("the database path {shown} is not valid Unicode")))?;
        // SQLite would make the file for everybody to read; its journals take the rights of the file.
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| StoreError::Unavailable(error.to_string()).at(path))?;
        let explain = |text: String| StoreError::from_message(text).at(path);
        let mut writer = Connection::establish(url).map_err(|error| explain(error.to_string()))?;
        // FULL, not NORMAL: what was answered with success must outlive a power cut.
        writer
            .batch_execute("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
            .map_err(|error| explain(error.to_string()))?;
        let readers = Pool::builder()
            .max_size(READERS)
            .min_idle(Some(0))
            .connection_timeout(Duration::from_secs(5))
            .connection_customizer(Box::new(ReaderSetup))
            .build_unchecked(ConnectionManager::new(url));
        Ok(Self { writer: Mutex::new(writer), readers })
    }

    /// Brings the schema up to date; returns the names of the migrations that were run.
    ///
    /// # Errors
    /// When a migration fails, or when the schema is newer than this program knows.
    pub fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let mut writer = self.writer.lock();
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| match StoreError::from_message(error.to_string())
        {
            StoreError::Other(text) => StoreError::Other(format!("the migration of the database failed: {text}")),
            known => known,
        };
        let known: Vec<String> = diesel::migration::MigrationSource::<diesel::sqlite::Sqlite>::migrations(&MIGRATIONS)
            .map_err(failed)?
            .iter()
            .map(|migration| migration.name().version().to_string())
            .collect();
        let applied = writer.applied_migrations().map_err(failed)?;
        if let Some(newer) = applied.iter().find(|version| !known.contains(&version.to_string())) {
            return Err(StoreError::Other(format!(
                "the database has the schema of a newer Sluice (migration {newer}); start that version, or restore a backup from before it"
            )));
        }
        let run = writer.run_pending_migrations(MIGRATIONS).map_err(failed)?;
        Ok(run.iter().map(ToString::to_string).collect())
    }

    /// The migrations that [`Self::migrate`] would run.
    ///
    /// # Errors
    /// When the database cannot be read, or when the schema is newer than this program knows.
    pub fn pending(&self) -> Result<Vec<String>, StoreError> {
        let mut writer = self.writer.lock();
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::from_message(error.to_string());
        let pending = writer.pending_migrations(MIGRATIONS).map_err(failed)?;
        Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
    }

    /// Runs `work` in a transaction of its own, one at a time. It is committed when `work` succeeds, and has left no
    /// trace when it fails. `after` runs once it is committed and before the next write begins.
    ///
    /// # Errors
    /// What `work` failed with, or what the database did.
    pub fn write<T, E: From<StoreError>, C>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<(T, C), E>,
        after: impl FnOnce(C),
    ) -> Result<T, E> {
        // A transaction that a panic left open would swallow every later write, so a panic is a failure like any other.
        let guarded = |connection: &mut Connection| {
            let done = catch_unwind(AssertUnwindSafe(|| work(connection)));
            done.unwrap_or_else(|_| Err(E::from(StoreError::Other("a write panicked".to_owned()))))
        };
        // Where SQLite has rolled back by itself (a full disk), diesel's own rollback fails, and its error would take the
        // place of the one that says what happened.
        let mut failure = None;
        let kept = |error| {
            failure = Some(error);
            DieselError::RollbackTransaction
        };
        let mut writer = self.writer.lock();
        let done = writer.immediate_transaction(|connection| guarded(connection).map_err(kept));
        let done = done.map_err(|error| failure.unwrap_or_else(|| E::from(StoreError::from(error))));
        done.map(|(value, committed)| {
            after(committed);
            value
        })
    }

    /// Brings everything that was written into the database file itself: whoever copies that file while the server is
    /// stopped is to have all of it.
    ///
    /// # Errors
    /// When the database cannot be written; nothing is lost then, it is all in the log beside the file.
    pub fn settle(&self) -> Result<(), StoreError> {
        Ok(self.writer.lock().batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }

    /// Runs queries on a reading connection.
    ///
    /// # Errors
    /// What `work` failed with, or that no connection could be had.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Connection) -> Result<T, E>) -> Result<T, E> {
        let mut connection = self
            .readers
            .get()
            .map_err(|error| StoreError::Unavailable(format!("no connection to the database: {error}")))?;
        work(&mut connection)
    }
}

#[derive(Debug)]
struct ReaderSetup;

impl CustomizeConnection<Connection, diesel::r2d2::Error> for ReaderSetup {
    fn on_acquire(&self, connection: &mut Connection) -> Result<(), diesel::r2d2::Error> {
        connection
            .batch_execute("PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;")
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

/// One page of a list: at most `limit` rows that come after a given one.
#[derive(Clone, Copy, Debug)]
pub struct Page<T> {
    /// The last row of the page before.
    pub after: Option<T>,
    /// How many rows at most.
    pub limit: i64,
}
