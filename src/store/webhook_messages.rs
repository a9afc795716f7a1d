//! `webhook_messages`: what webhooks are told, and were.

use diesel::prelude::*;
use jiff::Timestamp;

use super::{
    Connection, Page, StoreError,
    bulk::{Both, Bulk, NewRow},
    deliveries::deliveries,
    schema::webhook_messages,
};
use crate::domain::{
    cause::WebhookCause,
    id::{SubscriptionId, WebhookId, WebhookMessageId},
    webhook::{WebhookEvent, WebhookMessage},
};

deliveries!(webhook_messages, WebhookMessageId);

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_messages)]
struct Row {
    id: Key<WebhookMessageId>,
    webhook_id: Key<WebhookId>,
    cause: Name<WebhookCause>,
    event: Name<WebhookEvent>,
    payload: String,
    #[diesel(embed)]
    delivery: DeliveryRow,
}

impl Row {
    fn into_domain(self) -> WebhookMessage {
        WebhookMessage {
            id: self.id.0,
            webhook: self.webhook_id.0,
            cause: self.cause.0,
            event: self.event.0,
            payload: self.payload,
            delivery: self.delivery.into_domain(),
        }
    }
}

/// Queues messages, but none about what its webhook was told already.
///
/// # Errors
/// When the database cannot be written.
pub fn queue(connection: &mut Connection, messages: &[WebhookMessage]) -> Result<(), StoreError> {
    Bulk::of(messages.iter().map(new_row).collect()).ignoring().insert(connection)
}

fn new_row(message: &WebhookMessage) -> impl NewRow<Table = webhook_messages::table> {
    let own = (
        (webhook_messages::id, Key(message.id)),
        (webhook_messages::webhook_id, Key(message.webhook)),
        (webhook_messages::cause, Name(message.cause.clone())),
        (webhook_messages::event, Name(message.event)),
        (webhook_messages::payload, message.payload.as_str()),
    );
    Both(own, DeliveryRow::of(&message.delivery).new_row())
}

/// The messages that are due to a webhook, the longest due first.
///
/// # Errors
/// When the database cannot be read.
pub fn due(
    connection: &mut Connection,
    webhook: WebhookId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<WebhookMessage>, StoreError> {
    let due = webhook_messages::table
        .filter(webhook_messages::webhook_id.eq(Key(webhook)))
        .filter(webhook_messages::next_attempt_at.is_not_null())
        .filter(webhook_messages::next_attempt_at.le(Moment(now)))
        .order((webhook_messages::next_attempt_at, webhook_messages::id))
        .limit(limit)
        .select(Row::as_select());
    Ok(due.load(connection)?.into_iter().map(Row::into_domain).collect())
}

/// Queues everything that waits to be sent to a webhook as if it were new, but for what is being tried.
///
/// # Errors
/// When the database cannot be written.
pub fn queue_again(connection: &mut Connection, webhook: WebhookId, now: Timestamp) -> Result<(), StoreError> {
    let waiting = webhook_messages::table
        .filter(webhook_messages::webhook_id.eq(Key(webhook)))
        .filter(webhook_messages::state.eq(DeliveryState::Queued.as_str()))
        .filter(
            webhook_messages::last_error
                .is_null()
                .or(webhook_messages::last_error.ne(UNDER_WAY))
                .or(webhook_messages::next_attempt_at.le(Moment(now))),
        );
    let anew = (
        webhook_messages::attempts.eq(0_i64),
        webhook_messages::next_attempt_at.eq(Moment(now)),
        webhook_messages::queued_at.eq(Moment(now)),
    );
    diesel::update(waiting).set(anew).execute(connection)?;
    Ok(())
}

/// Whether a webhook is told, or was, of something with this cause.
///
/// # Errors
/// When the database cannot be read.
pub fn is_known(connection: &mut Connection, webhook: WebhookId, cause: &WebhookCause) -> Result<bool, StoreError> {
    let known = webhook_messages::table
        .filter(webhook_messages::webhook_id.eq(Key(webhook)))
        .filter(webhook_messages::cause.eq(cause.to_string()))
        .select(webhook_messages::id);
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(connection)?)
}

/// How many messages to a webhook were queued on a subscription's account since a moment.
///
/// # Errors
/// When the database cannot be read.
pub fn count_since(
    connection: &mut Connection,
    webhook: WebhookId,
    account: SubscriptionId,
    since: Timestamp,
) -> Result<i64, StoreError> {
    // A range of the index of causes. A UUID in lower case follows the prefix: digits and a to f come before g in the order
    // of any database.
    let prefix = WebhookCause::account_prefix(account);
    let recent = webhook_messages::table
        .filter(webhook_messages::webhook_id.eq(Key(webhook)))
        .filter(webhook_messages::cause.ge(format!("{prefix}0")))
        .filter(webhook_messages::cause.lt(format!("{prefix}g")))
        .filter(webhook_messages::created_at.gt(Moment(since)));
    Ok(recent.count().get_result(connection)?)
}

/// The message with this id, if it is one to this webhook.
///
/// # Errors
/// When the database cannot be read.
pub fn get(
    connection: &mut Connection,
    webhook: WebhookId,
    id: WebhookMessageId,
) -> Result<Option<WebhookMessage>, StoreError> {
    let known = webhook_messages::table.find(Key(id)).filter(webhook_messages::webhook_id.eq(Key(webhook)));
    Ok(known.select(Row::as_select()).first(connection).optional()?.map(Row::into_domain))
}

/// A page of the messages to a webhook, in one state or all, the newest first.
///
/// # Errors
/// When the database cannot be read.
pub fn matching(
    connection: &mut Connection,
    webhook: WebhookId,
    state: Option<DeliveryState>,
    page: Page<WebhookMessageId>,
) -> Result<Vec<WebhookMessage>, StoreError> {
    let mut query = webhook_messages::table
        .filter(webhook_messages::webhook_id.eq(Key(webhook)))
        .order(webhook_messages::id.desc())
        .limit(page.limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(webhook_messages::id.lt(Key(after)));
    }
    if let Some(state) = state {
        query = query.filter(webhook_messages::state.eq(state.as_str()));
    }
    Ok(query.load(connection)?.into_iter().map(Row::into_domain).collect())
}
