//! `refresh_tokens`: the logins that go on.

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

/// A refresh token, as much of it as is kept. Those that follow one another from one login are a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Whose it is.
    pub user: UserId,
    /// The login it came from.
    pub family: Uuid,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was exchanged for the next one.
    pub used_at: Option<Timestamp>,
    /// When the login ends however often it is prolonged; `None`: never.
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
///
/// # Errors
/// When the database cannot be read.
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

/// The refresh token with this hash, held with its whole login until the transaction ends: of two that present it at once,
/// one is the second.
///
/// # Errors
/// When the database cannot be read.
pub fn held(connection: &mut Connection, hash: &[u8; 32]) -> Result<Option<RefreshToken>, StoreError> {
    let Some(known) = get(connection, hash)? else { return Ok(None) };
    transaction::hold(connection, locks::THING, known.family)?;
    // Read again: it may have been exchanged while this one waited.
    get(connection, hash)
}

/// Whether a login is still going on.
///
/// # Errors
/// When the database cannot be read.
pub fn family_lives(connection: &mut Connection, family: Uuid) -> Result<bool, StoreError> {
    let any = refresh_tokens::table.filter(refresh_tokens::family.eq(Key(family)));
    Ok(diesel::select(diesel::dsl::exists(any)).get_result(connection)?)
}

/// Adds a refresh token.
///
/// # Errors
/// When the database cannot be written.
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

/// Notes that a token was exchanged.
///
/// # Errors
/// When the database cannot be written.
pub fn mark_used(connection: &mut Connection, hash: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
    diesel::update(refresh_tokens::table.find(hash.to_vec()))
        .set(refresh_tokens::used_at.eq(Moment(now)))
        .execute(connection)?;
    Ok(())
}

/// Ends a login: all of its tokens are gone.
///
/// # Errors
/// When the database cannot be written.
pub fn end_family(connection: &mut Connection, family: Uuid) -> Result<(), StoreError> {
    transaction::hold(connection, locks::THING, family)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::family.eq(Key(family)))).execute(connection)?;
    Ok(())
}

/// Forgets the tokens that are past their time.
///
/// # Errors
/// When the database cannot be written.
pub fn forget_expired(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(Moment(now)))).execute(connection)?;
    Ok(())
}

/// Ends all logins of a user, who is to be held, but one.
///
/// # Errors
/// When the database cannot be written.
pub fn end_others_of(connection: &mut Connection, user: UserId, family: Uuid) -> Result<(), StoreError> {
    let of_user = refresh_tokens::table.filter(refresh_tokens::user_id.eq(Key(user)));
    diesel::delete(of_user.filter(refresh_tokens::family.ne(Key(family)))).execute(connection)?;
    Ok(())
}

/// Ends all logins of a user, who is to be held: access tokens are good only while their login lives. Says whether there were
/// any.
///
/// # Errors
/// When the database cannot be written.
pub fn end_all_of(connection: &mut Connection, user: UserId) -> Result<bool, StoreError> {
    let all = refresh_tokens::table.filter(refresh_tokens::user_id.eq(Key(user)));
    Ok(diesel::delete(all).execute(connection)? > 0)
}
