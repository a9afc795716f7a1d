//! `changes`: what was changed of that which checks are answered from, in the order of the commits. Replicas follow it.

use diesel::prelude::*;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Connection, StoreError,
    bulk::{Bulk, NewRow},
    listener,
    schema::changes,
    value::{Key, Moment},
};

/// The kind of a change of the signing keys.
pub const KEYS: &str = "keys";

/// The kind of a subscription's change, or of one of its license keys.
pub const SUBSCRIPTION: &str = "subscription";

/// A change, by the ids of the thing that was changed; what it is now stands in its own table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// What kind of thing. A text, as a newer version may know of more kinds than this one.
    pub kind: String,
    /// Its id, or that of what it belongs to.
    pub first: Uuid,
    /// Its own id, where it belongs to something.
    pub second: Option<Uuid>,
}

/// A change as it is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its number. Later commits have higher ones; there may be gaps.
    pub id: i64,
    /// What was changed.
    pub entry: Entry,
    /// When.
    pub at: Timestamp,
}

/// A part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The number of the change before the first one.
    pub after: i64,
    /// The number of the last one.
    pub up_to: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = changes)]
struct Row {
    id: i64,
    kind: String,
    first: Key<Uuid>,
    second: Option<Key<Uuid>>,
    at: Moment,
}

impl Row {
    fn into_domain(self) -> Logged {
        let entry = Entry { kind: self.kind, first: self.first.0, second: self.second.map(|id| id.0) };
        Logged { id: self.id, entry, at: self.at.0 }
    }
}

/// Rows of one statement: far below the number of values that either database takes.
const AT_ONCE: usize = 1000;

/// Notes changes. Only within a write that changes what decisions depend on: the ids then grow in the order of the commits.
///
/// # Errors
/// When the database cannot be written.
pub fn append(connection: &mut Connection, entries: &[Entry], now: Timestamp) -> Result<(), StoreError> {
    for part in entries.chunks(AT_ONCE) {
        let rows = part.iter().map(|entry| new_row(entry, now)).collect();
        Bulk::without(changes::id, rows).insert(connection)?;
    }
    if entries.is_empty() { Ok(()) } else { listener::announce(connection) }
}

fn new_row(entry: &Entry, at: Timestamp) -> impl NewRow<Table = changes::table> {
    (
        (changes::kind, entry.kind.as_str()),
        (changes::first, Key(entry.first)),
        (changes::second, entry.second.map(Key)),
        (changes::at, Moment(at)),
    )
}

/// The changes after one, the oldest first.
///
/// # Errors
/// When the database cannot be read.
pub fn after(connection: &mut Connection, id: i64, limit: i64) -> Result<Vec<Logged>, StoreError> {
    let rows: Vec<Row> = changes::table
        .filter(changes::id.gt(id))
        .order(changes::id)
        .limit(limit)
        .select(Row::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}

/// The number of the newest change, if there ever was one: [`forget_before`] leaves it.
///
/// # Errors
/// When the database cannot be read.
pub fn newest(connection: &mut Connection) -> Result<Option<i64>, StoreError> {
    Ok(changes::table.select(changes::id).order(changes::id.desc()).first(connection).optional()?)
}

/// The number of the oldest change that is still known. Whoever has followed to an earlier one may have missed some.
///
/// # Errors
/// When the database cannot be read.
pub fn oldest(connection: &mut Connection) -> Result<Option<i64>, StoreError> {
    Ok(changes::table.select(changes::id).order(changes::id).first(connection).optional()?)
}

/// Forgets the changes from before a moment, all but the newest; returns how many there were.
///
/// # Errors
/// When the database cannot be written.
pub fn forget_before(connection: &mut Connection, at: Timestamp) -> Result<usize, StoreError> {
    let Some(newest) = newest(connection)? else { return Ok(0) };
    let old = changes::table.filter(changes::at.lt(Moment(at))).filter(changes::id.ne(newest));
    Ok(diesel::delete(old).execute(connection)?)
}
