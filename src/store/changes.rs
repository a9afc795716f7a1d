//! Table `changes`, the change log: which things that checks depend on were changed, in the order of the commits.
//! Replicas follow it.

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

/// The kind of a change of a subscription or of one of its license keys.
pub const SUBSCRIPTION: &str = "subscription";

/// The ids of a changed thing. Its new content is in its own table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The kind of thing. A text, because a newer version may write kinds that this version does not know.
    pub kind: String,
    /// The id of the thing, or of the product that it belongs to.
    pub first: Uuid,
    /// The id of the thing, if it belongs to a product.
    pub second: Option<Uuid>,
}

/// An entry of the change log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Later commits have higher numbers. Numbers can be missing.
    pub id: i64,
    pub entry: Entry,
    pub at: Timestamp,
}

/// A stretch of the change log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The number of the change before the first one.
    pub after: i64,
    /// The number of the last change.
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

/// Rows in one statement: 4 values each, of the 32,766 that `SQLite` accepts.
const AT_ONCE: usize = 1000;

/// Adds changes to the log, and notifies other replicas. Call it only within [`Store::write`](super::Store::write):
/// only there do the numbers grow in the order of the commits.
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

/// The changes after a number, the oldest first, at most `limit`.
pub fn after(connection: &mut Connection, id: i64, limit: i64) -> Result<Vec<Logged>, StoreError> {
    let rows: Vec<Row> = changes::table
        .filter(changes::id.gt(id))
        .order(changes::id)
        .limit(limit)
        .select(Row::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}

/// The number of the newest change; `None` before the first change. [`forget_before`] keeps the newest.
pub fn newest(connection: &mut Connection) -> Result<Option<i64>, StoreError> {
    Ok(changes::table.select(changes::id).order(changes::id.desc()).first(connection).optional()?)
}

/// The number of the oldest change in the log. A replica that has only followed to an earlier number may have missed
/// changes.
pub fn oldest(connection: &mut Connection) -> Result<Option<i64>, StoreError> {
    Ok(changes::table.select(changes::id).order(changes::id).first(connection).optional()?)
}

/// Deletes the changes before a time, except the newest change. Returns how many it deleted.
pub fn forget_before(connection: &mut Connection, at: Timestamp) -> Result<usize, StoreError> {
    let Some(newest) = newest(connection)? else { return Ok(0) };
    let old = changes::table.filter(changes::at.lt(Moment(at))).filter(changes::id.ne(newest));
    Ok(diesel::delete(old).execute(connection)?)
}
