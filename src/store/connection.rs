//! One type for a connection to either database, so that each query is written once.
#![expect(
    missing_docs,
    missing_debug_implementations,
    reason = "the derive makes these types; what they are for is in diesel's documentation of `MultiConnection`"
)]

use diesel::{pg::PgConnection, sqlite::SqliteConnection};

/// A connection to the database that the configuration names.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Postgresql(PgConnection),
    Sqlite(SqliteConnection),
}
