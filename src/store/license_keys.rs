//! Table `license_keys`: the fingerprints of license keys. The keys themselves are not stored.

use diesel::prelude::*;
use jiff::Timestamp;

use super::{
    BATCH, Connection, Page, StoreError,
    changes::{SUBSCRIPTION, Stretch},
    schema::{changes, license_keys},
    streams,
    value::{Key, Moment},
};
use crate::domain::{
    id::{LicenseKeyId, SubscriptionId},
    license_key::KeyRecord,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = license_keys)]
struct Row {
    id: Key<LicenseKeyId>,
    subscription_id: Key<SubscriptionId>,
    fingerprint: Vec<u8>,
    imported: bool,
    created_at: Moment,
    revoked_at: Option<Moment>,
}

impl Row {
    fn into_domain(self) -> Result<KeyRecord, StoreError> {
        let fingerprint = self.fingerprint.as_slice().try_into().map_err(|_| {
            StoreError::Damaged(format!("license key {} in the database has no whole fingerprint", self.id.0))
        })?;
        Ok(KeyRecord {
            id: self.id.0,
            subscription: self.subscription_id.0,
            fingerprint,
            imported: self.imported,
            created_at: self.created_at.0,
            revoked_at: self.revoked_at.map(|at| at.0),
        })
    }
}

/// Calls `each` with every key, one at a time: there may be a million.
pub fn for_each(connection: &mut Connection, mut each: impl FnMut(KeyRecord)) -> Result<(), StoreError> {
    let mut last: Option<Key<LicenseKeyId>> = None;
    let streams = streams(connection);
    loop {
        let mut query = license_keys::table.select(Row::as_select()).into_boxed();
        if !streams {
            query = query.order(license_keys::id).limit(BATCH);
        }
        if let Some(last) = last {
            query = query.filter(license_keys::id.gt(last));
        }
        let before = last;
        for row in query.load_iter(connection)? {
            let row: Row = row?;
            last = Some(row.id);
            each(row.into_domain()?);
        }
        if streams || last == before {
            return Ok(());
        }
    }
}

/// Calls `each` with the keys of the subscriptions that a stretch of the change log names.
pub fn for_each_changed(
    connection: &mut Connection,
    Stretch { after, up_to }: Stretch,
    mut each: impl FnMut(KeyRecord),
) -> Result<(), StoreError> {
    let named = changes::table
        .filter(changes::id.gt(after).and(changes::id.le(up_to)).and(changes::kind.eq(SUBSCRIPTION)))
        .select(changes::first);
    let query = license_keys::table.filter(license_keys::subscription_id.eq_any(named)).select(Row::as_select());
    for row in query.load_iter(connection)? {
        let row: Row = row?;
        each(row.into_domain()?);
    }
    Ok(())
}

/// Whether a key with this fingerprint exists.
pub fn exists(connection: &mut Connection, fingerprint: &[u8; 32]) -> Result<bool, StoreError> {
    let same = license_keys::table.filter(license_keys::fingerprint.eq(fingerprint.to_vec()));
    Ok(diesel::select(diesel::dsl::exists(same.select(license_keys::id))).get_result(connection)?)
}

/// The keys of a subscription, in the order of their creation.
pub fn of_subscription(
    connection: &mut Connection,
    subscription: SubscriptionId,
) -> Result<Vec<KeyRecord>, StoreError> {
    page_of_subscription(connection, subscription, Page { after: None, limit: i64::MAX })
}

/// A page of the keys of a subscription, in the order of their creation.
pub fn page_of_subscription(
    connection: &mut Connection,
    subscription: SubscriptionId,
    page: Page<LicenseKeyId>,
) -> Result<Vec<KeyRecord>, StoreError> {
    let mut query = license_keys::table
        .filter(license_keys::subscription_id.eq(Key(subscription)))
        .order(license_keys::id)
        .limit(page.limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(license_keys::id.gt(Key(after)));
    }
    query.load(connection)?.into_iter().map(Row::into_domain).collect()
}

/// Adds the row of a key.
///
/// # Errors
/// [`StoreError::Conflict`] if a key with the same fingerprint exists.
pub fn insert(connection: &mut Connection, key: &KeyRecord) -> Result<(), StoreError> {
    let row = Row {
        id: Key(key.id),
        subscription_id: Key(key.subscription),
        fingerprint: key.fingerprint.to_vec(),
        imported: key.imported,
        created_at: Moment(key.created_at),
        revoked_at: key.revoked_at.map(Moment),
    };
    diesel::insert_into(license_keys::table).values(row).execute(connection)?;
    Ok(())
}

/// Revokes a key. A key that was already revoked keeps its time.
pub fn revoke(connection: &mut Connection, id: LicenseKeyId, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(license_keys::table.find(Key(id)).filter(license_keys::revoked_at.is_null()))
        .set(license_keys::revoked_at.eq(Moment(now)))
        .execute(connection)?;
    Ok(())
}
