//! What became of a release over time, from the tables `offers` and `runs`.

use diesel::{QueryableByName, RunQueryDsl as _, sql_types};
use jiff::{SignedDuration, Timestamp};

use super::{Connection, StoreError, bulk::Cell, sql::Sql, value::Moment};
use crate::domain::id::ReleaseId;

/// How many times an event happened within a span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// The start of the span.
    pub from: Timestamp,
    /// The event: `offered`, `downloaded`, `lost`, or the outcome of a run.
    pub what: String,
    /// The failure class; empty if none was reported.
    pub class: String,
    pub count: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::BigInt)]
    begun_at: Moment,
    #[diesel(sql_type = sql_types::Text)]
    what: String,
    #[diesel(sql_type = sql_types::Text)]
    class: String,
    #[diesel(sql_type = sql_types::BigInt)]
    n: i64,
}

/// All events of a release, in spans of this length, in the order of time.
pub fn of_release(
    connection: &mut Connection,
    release: ReleaseId,
    span: SignedDuration,
) -> Result<Vec<Happened>, StoreError> {
    let id = || Cell::Bytes(release.0.as_bytes().to_vec());
    // Times are whole microseconds, and both databases divide integers to an integer.
    let microseconds = span.as_micros();
    let rows: Vec<Row> = Sql::new(format!(
        "SELECT at / {microseconds} * {microseconds} AS begun_at, what, class, count(*) AS n FROM ("
    ))
    .then("SELECT offered_at AS at, 'offered' AS what, '' AS class FROM offers WHERE release_id = ")
    .value(id())
    .then(" UNION ALL SELECT downloaded_at, 'downloaded', '' FROM runs WHERE downloaded_at IS NOT NULL AND release_id = ")
    .value(id())
    .then(" UNION ALL SELECT lost_at, 'lost', '' FROM runs WHERE lost_at IS NOT NULL AND release_id = ")
    .value(id())
    .then(" UNION ALL SELECT ended_at, COALESCE(outcome, ''), COALESCE(error_class, '') FROM runs WHERE ended_at IS NOT NULL AND release_id = ")
    .value(id())
    .then(") AS happened GROUP BY 1, 2, 3 ORDER BY 1")
    .load(connection)?;
    let happened = |row: Row| Happened { from: row.begun_at.0, what: row.what, class: row.class, count: row.n };
    Ok(rows.into_iter().map(happened).collect())
}
