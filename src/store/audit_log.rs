//! Table `audit_log`: who changed what, in a chain of hashes. Rows are only ever added.

use std::net::IpAddr;

use diesel::prelude::*;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Connection, Page, StoreError,
    bulk::{Bulk, NewRow},
    schema::audit_log,
    value::{Key, Moment, Name},
};
use crate::domain::{
    actor::{Actor, ActorKind},
    audit::{BEGINNING, Entry, Hash, Record},
    id::{ProductId, UserId},
    reach::Reach,
    subject::Subject,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_log)]
struct Row {
    number: i64,
    at: Moment,
    actor_kind: Name<ActorKind>,
    actor_id: Option<Key<Uuid>>,
    actor_name: String,
    address: Option<String>,
    action: String,
    subject: String,
    product_id: Option<Key<ProductId>>,
    details: String,
    hash: Vec<u8>,
}

impl Row {
    fn into_domain(self) -> Stored {
        let address: Option<IpAddr> = self.address.as_deref().and_then(|text| text.parse().ok());
        // An address is the only value that can be written in several ways, or be invalid. Any other form than ours was
        // not written by this program.
        let is_ours = address.map(|address| address.to_string()) == self.address;
        let entry = Entry {
            number: self.number,
            at: self.at.0,
            actor: Actor { kind: self.actor_kind.0, id: self.actor_id.map(|id| id.0), name: self.actor_name, address },
            action: self.action,
            subject: self.subject,
            product: self.product_id.map(|id| id.0),
            details: self.details,
        };
        Stored { entry, hash: if is_ours { self.hash } else { Vec::new() } }
    }
}

/// An entry and its stored hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub entry: Entry,
    /// Empty if the row holds a value that this program never writes, so that the verification fails.
    pub hash: Vec<u8>,
}

/// Rows in one statement: 11 values each, of the 32,766 that `SQLite` accepts.
const AT_ONCE: usize = 1000;

/// The number and hash of the newest entry; in an empty log 0 and [`BEGINNING`].
///
/// # Errors
/// [`StoreError::Damaged`] if the newest entry has no valid hash.
pub fn head(connection: &mut Connection) -> Result<(i64, Hash), StoreError> {
    let newest: Option<(i64, Vec<u8>)> = audit_log::table
        .order(audit_log::number.desc())
        .select((audit_log::number, audit_log::hash))
        .first(connection)
        .optional()?;
    let Some((number, hash)) = newest else { return Ok((0, BEGINNING)) };
    let hash = Hash::try_from(hash);
    Ok((number, hash.map_err(|_| StoreError::Damaged(format!("entry {number} of the audit log has no hash")))?))
}

/// Adds entries after the newest one, `head`. Returns the new head. Call it only within
/// [`Store::write`](super::Store::write): such transactions run one after the other, as the chain of hashes needs.
pub fn append(
    connection: &mut Connection,
    (mut number, mut hash): (i64, Hash),
    actor: &Actor,
    records: &[Record],
    now: Timestamp,
) -> Result<(i64, Hash), StoreError> {
    for part in records.chunks(AT_ONCE) {
        let mut rows = Vec::with_capacity(part.len());
        for record in part {
            number += 1;
            let entry = Entry {
                number,
                at: now,
                actor: actor.clone(),
                action: record.action.to_owned(),
                subject: record.subject.to_string(),
                product: record.product,
                details: record.details.to_string(),
            };
            hash = entry
                .hash(&hash)
                .ok_or_else(|| StoreError::Other("an entry of the audit log has no canonical form".to_owned()))?;
            rows.push(new_row(entry, &hash));
        }
        Bulk::of(rows).insert(connection)?;
    }
    Ok((number, hash))
}

fn new_row(entry: Entry, hash: &Hash) -> impl NewRow<Table = audit_log::table> + use<> {
    (
        (audit_log::number, entry.number),
        (audit_log::at, Moment(entry.at)),
        (audit_log::actor_kind, Name(entry.actor.kind)),
        (audit_log::actor_id, entry.actor.id.map(Key)),
        (audit_log::actor_name, entry.actor.name),
        (audit_log::address, entry.actor.address.map(Name)),
        (audit_log::action, entry.action),
        (audit_log::subject, entry.subject),
        (audit_log::product_id, entry.product.map(Key)),
        (audit_log::details, entry.details),
        (audit_log::hash, hash.to_vec()),
    )
}

/// The filter of a list of entries; `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only entries about products within this reach; all entries if the reach is not limited.
    pub reach: Reach,
    /// The exact name of the actor.
    pub actor: Option<String>,
    /// The exact action, or a prefix that ends with a dot.
    pub action: Option<String>,
    /// The exact subject.
    pub subject: Option<String>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
}

/// A page of entries, the newest first.
pub fn matching(connection: &mut Connection, wanted: &Wanted, page: Page<i64>) -> Result<Vec<Stored>, StoreError> {
    let texts = [&wanted.actor, &wanted.action, &wanted.subject];
    // PostgreSQL refuses texts with NUL with an error, and no entry contains it.
    if texts.into_iter().flatten().any(|text| text.contains('\0')) {
        return Ok(Vec::new());
    }
    let mut query =
        audit_log::table.order(audit_log::number.desc()).limit(page.limit).select(Row::as_select()).into_boxed();
    if let Some(before) = page.after {
        query = query.filter(audit_log::number.lt(before));
    }
    if let Some(products) = wanted.reach.products() {
        query = query.filter(audit_log::product_id.eq_any(products.iter().copied().map(Key)));
    }
    if let Some(actor) = &wanted.actor {
        query = query.filter(audit_log::actor_name.eq(actor.clone()));
    }
    if let Some(action) = &wanted.action {
        query = match action.strip_suffix('.') {
            // From `release.` to just before `release/`.
            Some(area) => {
                query.filter(audit_log::action.ge(action.clone())).filter(audit_log::action.lt(format!("{area}/")))
            }
            None => query.filter(audit_log::action.eq(action.clone())),
        };
    }
    if let Some(subject) = &wanted.subject {
        query = query.filter(audit_log::subject.eq(subject.clone()));
    }
    if let Some(from) = wanted.from {
        query = query.filter(audit_log::at.ge(Moment(from)));
    }
    if let Some(to) = wanted.to {
        query = query.filter(audit_log::at.lt(Moment(to)));
    }
    Ok(query.load(connection)?.into_iter().map(Row::into_domain).collect())
}

/// The newest entry about a subject after `after` whose actor is another person than `besides`.
pub fn done_by_another(
    connection: &mut Connection,
    subject: &Subject,
    besides: UserId,
    after: Timestamp,
) -> Result<Option<Entry>, StoreError> {
    let row: Option<Row> = audit_log::table
        .filter(audit_log::subject.eq(subject.to_string()))
        .filter(audit_log::at.gt(Moment(after)))
        .filter(
            audit_log::actor_kind
                .eq(ActorKind::Person.as_str())
                .and(audit_log::actor_id.ne(Key(besides)))
                // A user who is added or linked at a login through an identity provider acts as a stranger: no user
                // here made the entry. It counts too.
                .or(audit_log::actor_kind
                    .eq(ActorKind::Stranger.as_str())
                    .and(audit_log::action.eq_any(["user.add", "user.link"]))),
        )
        .order(audit_log::number.desc())
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(|row| row.into_domain().entry))
}

/// The entries after a number, the oldest first, at most `limit`.
pub fn after(connection: &mut Connection, number: i64, limit: i64) -> Result<Vec<Stored>, StoreError> {
    let rows: Vec<Row> = audit_log::table
        .filter(audit_log::number.gt(number))
        .order(audit_log::number)
        .limit(limit)
        .select(Row::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}
