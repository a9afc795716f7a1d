//! Table `webhook_messages`: the queued, failed and sent messages of webhooks.

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
    webhook::WebhookEvent,
    webhook_message::WebhookMessage,
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

/// Queues messages. A message whose cause its webhook already has is skipped.
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

/// The messages of a webhook that are due, the longest due first, at most `limit`.
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

/// Queues all waiting messages of a webhook anew, except those whose attempt is under way.
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

/// Whether the webhook has a message with this cause.
pub fn is_known(connection: &mut Connection, webhook: WebhookId, cause: &WebhookCause) -> Result<bool, StoreError> {
    let known = webhook_messages::table
        .filter(webhook_messages::webhook_id.eq(Key(webhook)))
        .filter(webhook_messages::cause.eq(cause.to_string()))
        .select(webhook_messages::id);
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(connection)?)
}

/// How many messages of a webhook were queued on account of a subscription since a time.
pub fn count_since(
    connection: &mut Connection,
    webhook: WebhookId,
    account: SubscriptionId,
    since: Timestamp,
) -> Result<i64, StoreError> {
    // A range of the index of causes. The prefix is followed by a UUID in lower case, and digits and a to f sort before
    // g in both databases.
    let prefix = WebhookCause::account_prefix(account);
    let recent = webhook_messages::table
        .filter(webhook_messages::webhook_id.eq(Key(webhook)))
        .filter(webhook_messages::cause.ge(format!("{prefix}0")))
        .filter(webhook_messages::cause.lt(format!("{prefix}g")))
        .filter(webhook_messages::created_at.gt(Moment(since)));
    Ok(recent.count().get_result(connection)?)
}

/// The message with this id, if it belongs to this webhook.
pub fn get(
    connection: &mut Connection,
    webhook: WebhookId,
    id: WebhookMessageId,
) -> Result<Option<WebhookMessage>, StoreError> {
    let known = webhook_messages::table.find(Key(id)).filter(webhook_messages::webhook_id.eq(Key(webhook)));
    Ok(known.select(Row::as_select()).first(connection).optional()?.map(Row::into_domain))
}

/// A page of a webhook's messages, the newest first: in one state, or in all.
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
