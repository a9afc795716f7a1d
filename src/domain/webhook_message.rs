//! Messages to webhooks, as the outbox keeps them.

use super::{
    cause::WebhookCause,
    delivery::Delivery,
    id::{WebhookId, WebhookMessageId},
    webhook::WebhookEvent,
};

/// A message to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookMessage {
    /// The `webhook-id` of every attempt.
    pub id: WebhookMessageId,
    pub webhook: WebhookId,
    /// What it tells of; nothing is told twice.
    pub cause: WebhookCause,
    pub event: WebhookEvent,
    /// The bytes that every attempt sends.
    pub payload: String,
    pub delivery: Delivery,
}
