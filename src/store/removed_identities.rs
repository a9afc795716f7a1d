//! `removed_identities`: people of an identity provider who were removed here, and are not entered again by logging in.

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

/// Whether this one was removed.
///
/// # Errors
/// When the database cannot be read.
pub fn has(connection: &mut Connection, identity: &Identity) -> Result<bool, StoreError> {
    let found = removed_identities::table.find((&identity.issuer, &identity.subject));
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(connection)?)
}

/// Remembers that one was removed.
///
/// # Errors
/// When the database cannot be written.
pub fn insert(connection: &mut Connection, identity: Identity, now: Timestamp) -> Result<(), StoreError> {
    let Identity { issuer, subject } = identity;
    let row = Row { issuer, subject, removed_at: Moment(now) };
    diesel::insert_into(removed_identities::table).values(row).execute(connection)?;
    Ok(())
}

/// Forgets it.
///
/// # Errors
/// When the database cannot be written.
pub fn delete(connection: &mut Connection, identity: &Identity) -> Result<(), StoreError> {
    let found = removed_identities::table.find((&identity.issuer, &identity.subject));
    diesel::delete(found).execute(connection)?;
    Ok(())
}
