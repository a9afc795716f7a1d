//! Table `webhooks`: the addresses at which the vendor's other systems receive events. There are few.

use diesel::prelude::*;

use super::{
    Connection, Page, StoreError,
    schema::webhooks,
    value::{Json, Key, Moment},
};
use crate::domain::{
    id::{ProductId, WebhookId},
    webhook::{Webhook, WebhookEvent},
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true)]
struct Row {
    id: Key<WebhookId>,
    url: String,
    events: Json<Vec<WebhookEvent>>,
    product_id: Option<Key<ProductId>>,
    enabled: bool,
    secret_number: i64,
    rotated_at: Option<Moment>,
    created_at: Moment,
    revision: i64,
}

impl Row {
    fn of(webhook: &Webhook) -> Self {
        Self {
            id: Key(webhook.id),
            url: webhook.url.clone(),
            events: Json(webhook.events.clone()),
            product_id: webhook.product.map(Key),
            enabled: webhook.enabled,
            secret_number: webhook.secret_number,
            rotated_at: webhook.rotated_at.map(Moment),
            created_at: Moment(webhook.created_at),
            revision: webhook.revision,
        }
    }

    fn into_domain(self) -> Webhook {
        Webhook {
            id: self.id.0,
            url: self.url,
            events: self.events.0,
            product: self.product_id.map(|id| id.0),
            enabled: self.enabled,
            secret_number: self.secret_number,
            rotated_at: self.rotated_at.map(|at| at.0),
            created_at: self.created_at.0,
            revision: self.revision,
        }
    }
}

/// All enabled webhooks, in no particular order.
pub fn enabled(connection: &mut Connection) -> Result<Vec<Webhook>, StoreError> {
    let rows = webhooks::table.filter(webhooks::enabled.eq(true)).select(Row::as_select()).load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}

/// The webhook with this id.
pub fn get(connection: &mut Connection, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
    let row = webhooks::table.find(Key(id)).select(Row::as_select()).first(connection).optional()?;
    Ok(row.map(Row::into_domain))
}

/// A page of webhooks, in the order of their creation.
pub fn page(connection: &mut Connection, page: Page<WebhookId>) -> Result<Vec<Webhook>, StoreError> {
    let mut query = webhooks::table.order(webhooks::id).limit(page.limit).select(Row::as_select()).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(webhooks::id.gt(Key(after)));
    }
    Ok(query.load(connection)?.into_iter().map(Row::into_domain).collect())
}

/// Adds the row of a webhook.
pub fn insert(connection: &mut Connection, webhook: &Webhook) -> Result<(), StoreError> {
    diesel::insert_into(webhooks::table).values(Row::of(webhook)).execute(connection)?;
    Ok(())
}

/// Replaces the row of a webhook.
pub fn update(connection: &mut Connection, webhook: &Webhook) -> Result<(), StoreError> {
    diesel::update(webhooks::table.find(Key(webhook.id))).set(Row::of(webhook)).execute(connection)?;
    Ok(())
}

/// Disables a webhook if it is enabled and still has this revision. Returns whether it did.
pub fn disable(connection: &mut Connection, id: WebhookId, revision: i64) -> Result<bool, StoreError> {
    let unchanged =
        webhooks::table.find(Key(id)).filter(webhooks::revision.eq(revision)).filter(webhooks::enabled.eq(true));
    let change = (webhooks::enabled.eq(false), webhooks::revision.eq(revision.saturating_add(1)));
    Ok(diesel::update(unchanged).set(change).execute(connection)? > 0)
}

/// Deletes a webhook and its messages; `false` if it does not exist.
pub fn delete(connection: &mut Connection, id: WebhookId) -> Result<bool, StoreError> {
    Ok(diesel::delete(webhooks::table.find(Key(id))).execute(connection)? > 0)
}
