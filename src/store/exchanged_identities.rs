//! `exchanged_identities`: identity tokens that were exchanged and are not past their time. None is good twice.

use diesel::prelude::*;
use jiff::Timestamp;

use super::{Connection, StoreError, schema::exchanged_identities, value::Moment};

/// Notes that a token was exchanged; `false` when it was before. The transaction is over then: nothing else can be done in it.
///
/// # Errors
/// When the database cannot be written.
pub fn insert(connection: &mut Connection, hash: &[u8; 32], expires_at: Timestamp) -> Result<bool, StoreError> {
    let row = (exchanged_identities::hash.eq(hash.to_vec()), exchanged_identities::expires_at.eq(Moment(expires_at)));
    match diesel::insert_into(exchanged_identities::table).values(row).execute(connection).map_err(StoreError::from) {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Forgets those that are past their time: they are refused for that.
///
/// # Errors
/// When the database cannot be written.
pub fn forget_expired(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    let expired = exchanged_identities::table.filter(exchanged_identities::expires_at.lt(Moment(now)));
    diesel::delete(expired).execute(connection)?;
    Ok(())
}
