//! Table `api_tokens`: the tokens of pipelines and other programs. Only their hashes are stored.

use diesel::prelude::*;
use jiff::Timestamp;

use super::{
    Connection, Page, StoreError,
    schema::api_tokens,
    value::{Json, Key, Moment},
};
use crate::domain::{
    id::{ProductId, TokenId, TrustedPublisherId, UserId},
    scope::Scope,
};

/// A stored API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    pub id: TokenId,
    /// The name that staff gave it.
    pub name: String,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    pub scopes: Vec<Scope>,
    /// The only product that the token is valid for; `None`: all products.
    pub product: Option<ProductId>,
    pub created_at: Timestamp,
    /// `None`: valid until it is deleted.
    pub expires_at: Option<Timestamp>,
    /// When it was last presented, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// The user who made it; `None` if unknown, or if no user did.
    pub created_by: Option<UserId>,
    /// The trusted publisher that received it; `None` if a user made it.
    pub publisher: Option<TrustedPublisherId>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_tokens)]
struct Row {
    id: Key<TokenId>,
    name: String,
    hash: Vec<u8>,
    scopes: Json<Vec<Scope>>,
    product_id: Option<Key<ProductId>>,
    created_at: Moment,
    expires_at: Option<Moment>,
    last_used_at: Option<Moment>,
    created_by: Option<Key<UserId>>,
    publisher_id: Option<Key<TrustedPublisherId>>,
}

impl Row {
    fn into_domain(self) -> Result<ApiToken, StoreError> {
        let hash =
            self.hash.as_slice().try_into().map_err(|_| {
                StoreError::Damaged(format!("API token {} in the database has no whole hash", self.id.0))
            })?;
        Ok(ApiToken {
            id: self.id.0,
            name: self.name,
            hash,
            scopes: self.scopes.0,
            product: self.product_id.map(|id| id.0),
            created_at: self.created_at.0,
            expires_at: self.expires_at.map(|at| at.0),
            last_used_at: self.last_used_at.map(|at| at.0),
            created_by: self.created_by.map(|id| id.0),
            publisher: self.publisher_id.map(|id| id.0),
        })
    }
}

/// The token with this id.
pub fn get(connection: &mut Connection, id: TokenId) -> Result<Option<ApiToken>, StoreError> {
    let row: Option<Row> = api_tokens::table.find(Key(id)).select(Row::as_select()).first(connection).optional()?;
    row.map(Row::into_domain).transpose()
}

/// The token with this hash.
pub fn by_hash(connection: &mut Connection, hash: &[u8; 32]) -> Result<Option<ApiToken>, StoreError> {
    let row = api_tokens::table
        .filter(api_tokens::hash.eq(hash.to_vec()))
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    row.map(Row::into_domain).transpose()
}

/// A page of tokens, in the order of their creation.
pub fn page(connection: &mut Connection, page: Page<TokenId>) -> Result<Vec<ApiToken>, StoreError> {
    let mut query = api_tokens::table.order(api_tokens::id).limit(page.limit).select(Row::as_select()).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(api_tokens::id.gt(Key(after)));
    }
    query.load(connection)?.into_iter().map(Row::into_domain).collect()
}

/// Adds the row of a token.
pub fn insert(connection: &mut Connection, token: &ApiToken) -> Result<(), StoreError> {
    let row = Row {
        id: Key(token.id),
        name: token.name.clone(),
        hash: token.hash.to_vec(),
        scopes: Json(token.scopes.clone()),
        product_id: token.product.map(Key),
        created_at: Moment(token.created_at),
        expires_at: token.expires_at.map(Moment),
        last_used_at: token.last_used_at.map(Moment),
        created_by: token.created_by.map(Key),
        publisher_id: token.publisher.map(Key),
    };
    diesel::insert_into(api_tokens::table).values(row).execute(connection)?;
    Ok(())
}

/// Sets `last_used_at` of a token.
pub fn mark_used(connection: &mut Connection, id: TokenId, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(api_tokens::table.find(Key(id)))
        .set(api_tokens::last_used_at.eq(Moment(now)))
        .execute(connection)?;
    Ok(())
}

/// Deletes a token; `false` if it does not exist.
pub fn delete(connection: &mut Connection, id: TokenId) -> Result<bool, StoreError> {
    Ok(diesel::delete(api_tokens::table.find(Key(id))).execute(connection)? > 0)
}

/// Deletes all tokens that a trusted publisher received.
pub fn delete_of_publisher(connection: &mut Connection, publisher: TrustedPublisherId) -> Result<(), StoreError> {
    diesel::delete(api_tokens::table.filter(api_tokens::publisher_id.eq(Key(publisher)))).execute(connection)?;
    Ok(())
}

/// Deletes the tokens of trusted publishers that expired before `until`. Tokens that users made stay: their users
/// delete them.
pub fn forget_expired(connection: &mut Connection, until: Timestamp) -> Result<(), StoreError> {
    let given = api_tokens::table.filter(api_tokens::publisher_id.is_not_null());
    diesel::delete(given.filter(api_tokens::expires_at.lt(Moment(until)))).execute(connection)?;
    Ok(())
}
