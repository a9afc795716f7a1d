//! Table `removed_identities`: removed users who logged in through an identity provider. A login does not add them
//! again.

use diesel::prelude::*;
use jiff::Timestamp;

use super::{Connection, StoreError, schema::removed_identities, users::Identity, value::Moment};

#[derive(Insertable)]
#[diesel(table_name = removed_identities)]
struct Row {
    issuer: String,
    subject: String,
    removed_at: Moment,
}

/// Whether the user with this identity was removed.
pub fn has(connection: &mut Connection, identity: &Identity) -> Result<bool, StoreError> {
    let found = removed_identities::table.find((&identity.issuer, &identity.subject));
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(connection)?)
}

/// Records that the user with this identity was removed.
pub fn insert(connection: &mut Connection, identity: Identity, now: Timestamp) -> Result<(), StoreError> {
    let Identity { issuer, subject } = identity;
    let row = Row { issuer, subject, removed_at: Moment(now) };
    diesel::insert_into(removed_identities::table).values(row).execute(connection)?;
    Ok(())
}

/// Deletes the record, so that the user can be added again.
pub fn delete(connection: &mut Connection, identity: &Identity) -> Result<(), StoreError> {
    let found = removed_identities::table.find((&identity.issuer, &identity.subject));
    diesel::delete(found).execute(connection)?;
    Ok(())
}
