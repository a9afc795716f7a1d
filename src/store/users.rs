//! `users` and `refresh_tokens`: the people who may log in, and their sessions.

use diesel::prelude::*;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Connection, StoreError, locks,
    schema::{refresh_tokens, users},
    transaction,
    value::{Key, Moment},
};
use crate::domain::id::UserId;

/// A person who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// What they log in with, in lower case.
    pub email: String,
    /// argon2id, in PHC format.
    pub password_hash: String,
    /// What they may do.
    pub role: String,
    /// When they were entered.
    pub created_at: Timestamp,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = users)]
struct UserRow {
    id: Key<UserId>,
    email: String,
    password_hash: String,
    role: String,
    created_at: Moment,
}

impl UserRow {
    fn into_domain(self) -> User {
        User {
            id: self.id.0,
            email: self.email,
            password_hash: self.password_hash,
            role: self.role,
            created_at: self.created_at.0,
        }
    }
}

/// The user with this e-mail address, in lower case.
///
/// # Errors
/// When the database cannot be read.
pub fn by_email(connection: &mut Connection, email: &str) -> Result<Option<User>, StoreError> {
    // PostgreSQL takes no NUL in a query; no address has one.
    if email.contains('\0') {
        return Ok(None);
    }
    let row = users::table.filter(users::email.eq(email)).select(UserRow::as_select()).first(connection).optional()?;
    Ok(row.map(UserRow::into_domain))
}

/// The user with this id.
///
/// # Errors
/// When the database cannot be read.
pub fn get(connection: &mut Connection, id: UserId) -> Result<Option<User>, StoreError> {
    Ok(users::table.find(Key(id)).select(UserRow::as_select()).first(connection).optional()?.map(UserRow::into_domain))
}

/// The addresses of all users.
///
/// # Errors
/// When the database cannot be read.
pub fn addresses(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    Ok(users::table.order(users::email).select(users::email).load(connection)?)
}

/// Whether there is any user.
///
/// # Errors
/// When the database cannot be read.
pub fn exist(connection: &mut Connection) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(connection)?)
}

/// Adds a user.
///
/// # Errors
/// [`StoreError::Conflict`] when the address is taken; else when the database cannot be written.
pub fn insert(connection: &mut Connection, user: &User) -> Result<(), StoreError> {
    let row = UserRow {
        id: Key(user.id),
        email: user.email.clone(),
        password_hash: user.password_hash.clone(),
        role: user.role.clone(),
        created_at: Moment(user.created_at),
    };
    diesel::insert_into(users::table).values(row).execute(connection)?;
    Ok(())
}

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
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens)]
struct RefreshRow {
    hash: Vec<u8>,
    user_id: Key<UserId>,
    family: Key<Uuid>,
    expires_at: Moment,
    used_at: Option<Moment>,
}

/// The refresh token with this hash.
///
/// # Errors
/// When the database cannot be read.
fn refresh_token(connection: &mut Connection, hash: &[u8; 32]) -> Result<Option<RefreshToken>, StoreError> {
    let row: Option<RefreshRow> =
        refresh_tokens::table.find(hash.to_vec()).select(RefreshRow::as_select()).first(connection).optional()?;
    Ok(row.map(|row| RefreshToken {
        hash: *hash,
        user: row.user_id.0,
        family: row.family.0,
        expires_at: row.expires_at.0,
        used_at: row.used_at.map(|at| at.0),
    }))
}

/// The refresh token with this hash, held with its whole login until the transaction ends: of two that present it at once,
/// one is the second.
///
/// # Errors
/// When the database cannot be read.
pub fn held_refresh_token(connection: &mut Connection, hash: &[u8; 32]) -> Result<Option<RefreshToken>, StoreError> {
    let Some(known) = refresh_token(connection, hash)? else { return Ok(None) };
    transaction::hold(connection, locks::THING, known.family)?;
    // Read again: it may have been exchanged while this one waited.
    refresh_token(connection, hash)
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
pub fn insert_refresh_token(connection: &mut Connection, token: &RefreshToken) -> Result<(), StoreError> {
    let row = RefreshRow {
        hash: token.hash.to_vec(),
        user_id: Key(token.user),
        family: Key(token.family),
        expires_at: Moment(token.expires_at),
        used_at: token.used_at.map(Moment),
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
