//! The schema, brought up to date: the same migrations for either database, each in its own language.

use diesel::{backend::Backend, connection::SimpleConnection as _, migration::MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{AnyConnection, Connection, StoreError};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRESQL: EmbeddedMigrations = embed_migrations!("migrations/postgresql");

/// Held while migrating, so that of two replicas that start at once one does it and the other finds it done.
const MIGRATION_LOCK: i64 = 0x536C_7569_6365_0002;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn failed(error: &Failure) -> StoreError {
    match StoreError::from_message(error.to_string()) {
        StoreError::Other(text) if text.contains("permission denied") => StoreError::Other(format!(
            "the migration of the database failed: {text}; make the user of database.url the owner of the database"
        )),
        StoreError::Other(text) => StoreError::Other(format!("the migration of the database failed: {text}")),
        known => known,
    }
}

/// Runs what is missing on the one writer of `SQLite`.
pub(super) fn run_on_file(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    match connection {
        AnyConnection::Sqlite(connection) => run(connection, SQLITE),
        AnyConnection::Postgresql(connection) => run_on_server(connection),
    }
}

/// Runs what is missing on a connection to `PostgreSQL` that is used for nothing else: the lock goes with it.
pub(super) fn run_on_server(connection: &mut diesel::pg::PgConnection) -> Result<Vec<String>, StoreError> {
    connection.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})"))?;
    run(connection, POSTGRESQL)
}

fn run<DB: Backend, H: MigrationHarness<DB>>(
    harness: &mut H,
    migrations: EmbeddedMigrations,
) -> Result<Vec<String>, StoreError> {
    let known: Vec<String> = MigrationSource::<DB>::migrations(&migrations)
        .map_err(|error| failed(&error))?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = harness.applied_migrations().map_err(|error| failed(&error))?;
    if let Some(newer) = applied.iter().find(|version| !known.contains(&version.to_string())) {
        return Err(StoreError::Other(format!(
            "the database has the schema of a newer Sluice (migration {newer}); start that version, or restore a backup from before it"
        )));
    }
    let run = harness.run_pending_migrations(migrations).map_err(|error| failed(&error))?;
    Ok(run.iter().map(ToString::to_string).collect())
}
