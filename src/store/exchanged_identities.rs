//! Table `exchanged_identities`: identity tokens that were exchanged and have not expired. Each can be exchanged once.

use diesel::prelude::*;
use jiff::Timestamp;

use super::{Connection, StoreError, schema::exchanged_identities, value::Moment};

/// Records that a token was exchanged; `false` if it already was. After `false` the transaction is over: nothing else
/// can be done in it.
pub fn insert(connection: &mut Connection, hash: &[u8; 32], expires_at: Timestamp) -> Result<bool, StoreError> {
    let row = (exchanged_identities::hash.eq(hash.to_vec()), exchanged_identities::expires_at.eq(Moment(expires_at)));
    match diesel::insert_into(exchanged_identities::table).values(row).execute(connection).map_err(StoreError::from) {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Deletes expired tokens. They need no row, because an expired token is refused anyway.
pub fn forget_expired(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    let expired = exchanged_identities::table.filter(exchanged_identities::expires_at.lt(Moment(now)));
    diesel::delete(expired).execute(connection)?;
    Ok(())
}
