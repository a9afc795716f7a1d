//! Migrations of the schema. Each exists for both databases, in the language of each.

use diesel::{
    QueryableByName, RunQueryDsl as _, backend::Backend, connection::SimpleConnection as _, migration::MigrationSource,
    sql_types::Text,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{AnyConnection, Connection, StoreError, locks};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRESQL: EmbeddedMigrations = embed_migrations!("migrations/postgresql");

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn failed(error: &Failure) -> StoreError {
    match StoreError::from_message(&error.to_string()) {
        StoreError::Other(text) if text.contains("permission denied") => StoreError::Other(format!(
            "the migration of the database failed: {text}; make the user of database.url the owner of the database"
        )),
        StoreError::Other(text) => StoreError::Other(format!("the migration of the database failed: {text}")),
        known => known,
    }
}

/// Runs the pending migrations on the writing connection of `SQLite`.
pub(super) fn run_on_file(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    match connection {
        AnyConnection::Sqlite(connection) => run(connection, SQLITE),
        AnyConnection::Postgresql(connection) => run_on_server(connection),
    }
}

/// Runs the pending migrations on `PostgreSQL`. The connection must be used for nothing else: the lock lasts until it
/// is closed.
pub(super) fn run_on_server(connection: &mut diesel::pg::PgConnection) -> Result<Vec<String>, StoreError> {
    connection.batch_execute(&format!("SELECT pg_advisory_lock({})", locks::MIGRATION))?;
    run(connection, POSTGRESQL)
}

/// How a database's schema compares with the one that this program knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    /// The database has no tables.
    Missing,
    /// It lacks migrations that this program knows.
    Older,
    /// It has the migrations that this program knows.
    Current,
    /// It has a migration that this program does not know.
    Newer(String),
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Compares the schemas and changes nothing. The harness of diesel cannot be used: it makes its table if that is
/// missing.
pub(super) fn compare(connection: &mut Connection) -> Result<Schema, StoreError> {
    const APPLIED: &str = "SELECT version FROM __diesel_schema_migrations";
    let (table, known) = match connection {
        AnyConnection::Sqlite(_) => (
            "SELECT name AS version FROM sqlite_master WHERE name = '__diesel_schema_migrations'",
            known::<diesel::sqlite::Sqlite>(&SQLITE)?,
        ),
        AnyConnection::Postgresql(_) => (
            "SELECT relname::text AS version FROM pg_class WHERE oid = to_regclass('__diesel_schema_migrations')",
            known::<diesel::pg::Pg>(&POSTGRESQL)?,
        ),
    };
    let tables: Vec<Version> = diesel::sql_query(table).load(connection)?;
    if tables.is_empty() {
        return Ok(Schema::Missing);
    }
    let applied: Vec<Version> = diesel::sql_query(APPLIED).load(connection)?;
    if let Some(newer) = applied.iter().find(|applied| !known.contains(&applied.version)) {
        return Ok(Schema::Newer(newer.version.clone()));
    }
    Ok(match applied.len() {
        0 => Schema::Missing,
        count if count < known.len() => Schema::Older,
        _ => Schema::Current,
    })
}

/// The versions of the migrations that this program knows.
fn known<DB: Backend>(migrations: &EmbeddedMigrations) -> Result<Vec<String>, StoreError> {
    let known = MigrationSource::<DB>::migrations(migrations).map_err(|error| failed(&error))?;
    Ok(known.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// The pending migrations of a file.
pub(super) fn pending_on_file(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    match connection {
        AnyConnection::Sqlite(connection) => pending(connection, &SQLITE),
        AnyConnection::Postgresql(connection) => pending(connection, &POSTGRESQL),
    }
}

/// The pending migrations of a server.
pub(super) fn pending_on_server(connection: &mut diesel::pg::PgConnection) -> Result<Vec<String>, StoreError> {
    pending(connection, &POSTGRESQL)
}

fn run<DB: Backend, H: MigrationHarness<DB>>(
    harness: &mut H,
    migrations: EmbeddedMigrations,
) -> Result<Vec<String>, StoreError> {
    pending(harness, &migrations)?;
    let run = harness.run_pending_migrations(migrations).map_err(|error| failed(&error))?;
    Ok(run.iter().map(ToString::to_string).collect())
}

/// The pending migrations. A schema that is newer than this program is an error.
fn pending<DB: Backend, H: MigrationHarness<DB>>(
    harness: &mut H,
    migrations: &EmbeddedMigrations,
) -> Result<Vec<String>, StoreError> {
    let known = known::<DB>(migrations)?;
    let applied = harness.applied_migrations().map_err(|error| failed(&error))?;
    if let Some(newer) = applied.iter().find(|version| !known.contains(&version.to_string())) {
        return Err(StoreError::Other(format!(
            "the database has the schema of a newer Sluice (migration {newer}); start that version, or restore a backup from before it"
        )));
    }
    let applied: Vec<String> = applied.iter().map(ToString::to_string).collect();
    Ok(known.into_iter().filter(|version| !applied.contains(version)).collect())
}
