//! Table `refresh_tokens`: the current logins of users.

use diesel::prelude::*;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Connection, StoreError, locks,
    schema::refresh_tokens,
    transaction,
    value::{Key, Moment},
};
use crate::domain::id::UserId;

/// A stored refresh token. The tokens that follow one another from one login are a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    pub user: UserId,
    /// The login that it belongs to.
    pub family: Uuid,
    pub expires_at: Timestamp,
    /// When it was exchanged for the next token.
    pub used_at: Option<Timestamp>,
    /// When the login ends, even if it is prolonged; `None`: never.
    pub ends_at: Option<Timestamp>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens)]
struct Row {
    hash: Vec<u8>,
    user_id: Key<UserId>,
    family: Key<Uuid>,
    expires_at: Moment,
    used_at: Option<Moment>,
    ends_at: Option<Moment>,
}

/// The refresh token with this hash.
pub fn get(connection: &mut Connection, hash: &[u8; 32]) -> Result<Option<RefreshToken>, StoreError> {
    let row: Option<Row> =
        refresh_tokens::table.find(hash.to_vec()).select(Row::as_select()).first(connection).optional()?;
    Ok(row.map(|row| RefreshToken {
        hash: *hash,
        user: row.user_id.0,
        family: row.family.0,
        expires_at: row.expires_at.0,
        used_at: row.used_at.map(|at| at.0),
        ends_at: row.ends_at.map(|at| at.0),
    }))
}

/// The refresh token with this hash. Its login is locked until the transaction ends: if two requests present the token
/// at once, one comes first.
pub fn lock(connection: &mut Connection, hash: &[u8; 32]) -> Result<Option<RefreshToken>, StoreError> {
    let Some(known) = get(connection, hash)? else { return Ok(None) };
    transaction::hold(connection, locks::THING, known.family)?;
    // Read again: another request may have exchanged it during the wait.
    get(connection, hash)
}

/// Whether a login has not ended.
pub fn family_lives(connection: &mut Connection, family: Uuid) -> Result<bool, StoreError> {
    let any = refresh_tokens::table.filter(refresh_tokens::family.eq(Key(family)));
    Ok(diesel::select(diesel::dsl::exists(any)).get_result(connection)?)
}

/// Adds the row of a refresh token.
pub fn insert(connection: &mut Connection, token: &RefreshToken) -> Result<(), StoreError> {
    let row = Row {
        hash: token.hash.to_vec(),
        user_id: Key(token.user),
        family: Key(token.family),
        expires_at: Moment(token.expires_at),
        used_at: token.used_at.map(Moment),
        ends_at: token.ends_at.map(Moment),
    };
    diesel::insert_into(refresh_tokens::table).values(row).execute(connection)?;
    Ok(())
}

/// Records when a token was exchanged.
pub fn mark_used(connection: &mut Connection, hash: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
    diesel::update(refresh_tokens::table.find(hash.to_vec()))
        .set(refresh_tokens::used_at.eq(Moment(now)))
        .execute(connection)?;
    Ok(())
}

/// Ends a login: deletes all of its tokens.
pub fn end_family(connection: &mut Connection, family: Uuid) -> Result<(), StoreError> {
    transaction::hold(connection, locks::THING, family)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::family.eq(Key(family)))).execute(connection)?;
    Ok(())
}

/// Deletes expired tokens.
pub fn forget_expired(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(Moment(now)))).execute(connection)?;
    Ok(())
}

/// Ends all logins of a user except `family`. The caller must have locked the user.
pub fn end_others_of(connection: &mut Connection, user: UserId, family: Uuid) -> Result<(), StoreError> {
    let of_user = refresh_tokens::table.filter(refresh_tokens::user_id.eq(Key(user)));
    diesel::delete(of_user.filter(refresh_tokens::family.ne(Key(family)))).execute(connection)?;
    Ok(())
}

/// Ends all logins of a user: access tokens are valid only during their login. Returns whether any existed. The caller
/// must have locked the user.
pub fn end_all_of(connection: &mut Connection, user: UserId) -> Result<bool, StoreError> {
    let all = refresh_tokens::table.filter(refresh_tokens::user_id.eq(Key(user)));
    Ok(diesel::delete(all).execute(connection)? > 0)
}
