//! Table `trusted_publishers`: pipeline identities that may release a product. There are few.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{
    Connection, Page, StoreError,
    schema::trusted_publishers,
    value::{Json, Key, Moment},
};
use crate::domain::{
    id::{ProductId, TrustedPublisherId, UserId},
    scope::Scope,
    trusted_publisher::TrustedPublisher,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = trusted_publishers, treat_none_as_null = true)]
struct Row {
    id: Key<TrustedPublisherId>,
    product_id: Key<ProductId>,
    name: String,
    issuer: String,
    audience: Option<String>,
    claims: Json<BTreeMap<String, String>>,
    pins: Json<Vec<String>>,
    scopes: Json<Vec<Scope>>,
    created_at: Moment,
    created_by: Option<Key<UserId>>,
    last_used_at: Option<Moment>,
}

impl Row {
    fn of(publisher: &TrustedPublisher) -> Self {
        Self {
            id: Key(publisher.id),
            product_id: Key(publisher.product),
            name: publisher.name.clone(),
            issuer: publisher.issuer.clone(),
            audience: publisher.audience.clone(),
            claims: Json(publisher.claims.clone()),
            pins: Json(publisher.pins.clone()),
            scopes: Json(publisher.scopes.clone()),
            created_at: Moment(publisher.created_at),
            created_by: publisher.created_by.map(Key),
            last_used_at: publisher.last_used_at.map(Moment),
        }
    }

    fn into_domain(self) -> TrustedPublisher {
        TrustedPublisher {
            id: self.id.0,
            product: self.product_id.0,
            name: self.name,
            issuer: self.issuer,
            audience: self.audience,
            claims: self.claims.0,
            pins: self.pins.0,
            scopes: self.scopes.0,
            created_at: self.created_at.0,
            created_by: self.created_by.map(|id| id.0),
            last_used_at: self.last_used_at.map(|at| at.0),
        }
    }
}

/// The trusted publisher with this id.
pub fn get(connection: &mut Connection, id: TrustedPublisherId) -> Result<Option<TrustedPublisher>, StoreError> {
    let row = trusted_publishers::table.find(Key(id)).select(Row::as_select()).first(connection).optional()?;
    Ok(row.map(Row::into_domain))
}

/// All trusted publishers of an issuer, in the order of their creation.
pub fn of_issuer(connection: &mut Connection, issuer: &str) -> Result<Vec<TrustedPublisher>, StoreError> {
    // PostgreSQL refuses texts with NUL with an error, and no issuer contains it.
    if issuer.contains('\0') {
        return Ok(Vec::new());
    }
    let all = trusted_publishers::table.filter(trusted_publishers::issuer.eq(issuer)).order(trusted_publishers::id);
    Ok(all.select(Row::as_select()).load(connection)?.into_iter().map(Row::into_domain).collect())
}

/// A page of the product's trusted publishers, in the order of their creation.
pub fn page(
    connection: &mut Connection,
    product: ProductId,
    page: Page<TrustedPublisherId>,
) -> Result<Vec<TrustedPublisher>, StoreError> {
    let of_product = trusted_publishers::table.filter(trusted_publishers::product_id.eq(Key(product)));
    let mut query = of_product.order(trusted_publishers::id).limit(page.limit).select(Row::as_select()).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(trusted_publishers::id.gt(Key(after)));
    }
    Ok(query.load(connection)?.into_iter().map(Row::into_domain).collect())
}

/// The number of the product's trusted publishers.
pub fn count(connection: &mut Connection, product: ProductId) -> Result<i64, StoreError> {
    let of_product = trusted_publishers::table.filter(trusted_publishers::product_id.eq(Key(product)));
    Ok(of_product.count().get_result(connection)?)
}

/// Adds the row of a trusted publisher.
pub fn insert(connection: &mut Connection, publisher: &TrustedPublisher) -> Result<(), StoreError> {
    diesel::insert_into(trusted_publishers::table).values(Row::of(publisher)).execute(connection)?;
    Ok(())
}

/// Replaces the row of a trusted publisher.
pub fn update(connection: &mut Connection, publisher: &TrustedPublisher) -> Result<(), StoreError> {
    diesel::update(trusted_publishers::table.find(Key(publisher.id))).set(Row::of(publisher)).execute(connection)?;
    Ok(())
}

/// Deletes a trusted publisher. Its tokens must be deleted before.
pub fn delete(connection: &mut Connection, id: TrustedPublisherId) -> Result<(), StoreError> {
    diesel::delete(trusted_publishers::table.find(Key(id))).execute(connection)?;
    Ok(())
}
