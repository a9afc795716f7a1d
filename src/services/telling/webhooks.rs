//! Webhooks: added, changed and removed by staff; their secrets rotated, their messages replayed.

use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        delivery::DeliveryState,
        id::{WebhookId, WebhookMessageId},
        page::Page,
        patch::{Patch, patch_body},
        slug::Slug,
        webhook::{Webhook, WebhookEvent},
        webhook_message::WebhookMessage,
    },
    services::desk::{Code, Context, Expected, Faults, Refusal, Write, lookup},
    signing::WebhookSecret,
    store::{self, Connection},
};

/// A new webhook.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// The receiver's address: http or https, without user and password.
    #[schema(max_length = 2000, example = "https://hooks.example.com/sluice")]
    pub url: String,
    /// The events to send.
    #[schema(min_items = 1)]
    pub events: Vec<WebhookEvent>,
    /// The slug of the only product whose events are sent; default all products.
    #[schema(example = "office-maker")]
    pub product: Option<Slug>,
    /// Whether anything is sent; `true` unless given.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
}

const fn yes() -> bool {
    true
}

patch_body! {
    /// A change to a webhook: what is absent stays as it is.
    #[derive(Debug)]
    pub struct WebhookChange {
        /// The receiver's address, also for messages that are already queued.
        #[schema(max_length = 2000)]
        pub url: Patch<String>,
        /// The events to send from now on.
        #[schema(min_items = 1)]
        pub events: Patch<Vec<WebhookEvent>>,
        /// Whether messages are sent. While disabled, no message is queued, and queued messages wait.
        pub enabled: Patch<bool>,
    }
}

fn check(webhook: &Webhook) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    let usable = webhook.url.len() <= 2000
        && url::Url::parse(&webhook.url).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        });
    if !usable {
        faults.add(
            "url",
            "must be an http or https URL without user and password, such as `https://hooks.example.com/sluice`",
        );
    }
    if webhook.events.is_empty() {
        faults.add("events", "must name at least one");
    }
    faults.finish()
}

/// Refuses a URL to which nothing would be sent. Host names are resolved and checked before each try, not here.
fn check_reach(context: &Context, url: &str) -> Result<(), Refusal> {
    context.poster.objection(url).map_or(Ok(()), |objection| Err(Refusal::field("url", objection)))
}

/// The events without duplicates, in a fixed order.
fn sorted(mut events: Vec<WebhookEvent>) -> Vec<WebhookEvent> {
    events.sort_unstable();
    events.dedup();
    events
}

/// Adds a webhook. Also returns its secret.
///
/// # Errors
/// `body_invalid`, `product_not_found`.
pub async fn add(context: &Arc<Context>, new: NewWebhook) -> Result<(Webhook, WebhookSecret), Refusal> {
    check_reach(context, &new.url)?;
    let webhook = context
        .write(move |write| {
            let id = write.new_id();
            add_within(write, id, new)
        })
        .await?;
    let secret = secret(context, &webhook);
    Ok((webhook, secret))
}

/// Adds a webhook under a given id, within a write.
pub(in crate::services) fn add_within(
    write: &mut Write<'_>,
    id: WebhookId,
    new: NewWebhook,
) -> Result<Webhook, Refusal> {
    let product = match &new.product {
        Some(slug) => Some(lookup::product(write.connection, slug)?.id),
        None => None,
    };
    let webhook = Webhook {
        id,
        url: new.url,
        events: sorted(new.events),
        product,
        enabled: new.enabled,
        secret_number: 1,
        rotated_at: None,
        created_at: write.now,
        revision: 1,
    };
    check(&webhook)?;
    store::webhooks::insert(write.connection, &webhook)?;
    write.made("webhook.add", &webhook)?;
    Ok(webhook)
}

fn secret(context: &Context, webhook: &Webhook) -> WebhookSecret {
    context.keys.load().webhook_secret(webhook.id, webhook.secret_number)
}

fn find(connection: &mut Connection, id: WebhookId) -> Result<Webhook, Refusal> {
    store::webhooks::get(connection, id)?
        .ok_or_else(|| Refusal::new(Code::WebhookNotFound, format!("there is no webhook {id}")))
}

/// The webhook with this id.
///
/// # Errors
/// `webhook_not_found`.
pub async fn get(context: &Arc<Context>, id: WebhookId) -> Result<Webhook, Refusal> {
    context.read(move |connection| find(connection, id)).await
}

/// Changes a webhook by `apply`. Saves nothing if `apply` changes nothing.
async fn alter(
    context: &Arc<Context>,
    id: WebhookId,
    expected: Expected,
    apply: impl FnOnce(&mut Webhook, jiff::Timestamp) + Send + 'static,
) -> Result<Webhook, Refusal> {
    context
        .write(move |write| {
            let mut webhook = find(write.connection, id)?;
            expected.check(webhook.revision)?;
            let before = webhook.clone();
            apply(&mut webhook, write.now);
            check(&webhook)?;
            write.save("webhook.change", &before, &mut webhook)?;
            if webhook.enabled && !before.enabled {
                // Otherwise messages that waited for days would get only one try.
                store::webhook_messages::queue_again(write.connection, id, write.now)?;
            }
            Ok(webhook)
        })
        .await
}

/// Changes a webhook; enabling it queues its waiting messages again.
///
/// # Errors
/// `webhook_not_found`, `precondition_failed`, `body_invalid`.
pub async fn change(
    context: &Arc<Context>,
    id: WebhookId,
    expected: Expected,
    change: WebhookChange,
) -> Result<Webhook, Refusal> {
    if let Patch::Set(url) = &change.url {
        check_reach(context, url)?;
    }
    let apply = move |webhook: &mut Webhook, _| {
        change.url.apply(&mut webhook.url);
        if let Patch::Set(events) = change.events {
            webhook.events = sorted(events);
        }
        change.enabled.apply(&mut webhook.enabled);
    };
    alter(context, id, expected, apply).await
}

/// Rotates the secret of a webhook, and returns the new one. For a day, messages are signed with both.
///
/// # Errors
/// `webhook_not_found`, `precondition_failed`.
pub async fn rotate_secret(
    context: &Arc<Context>,
    id: WebhookId,
    expected: Expected,
) -> Result<(Webhook, WebhookSecret), Refusal> {
    let apply = |webhook: &mut Webhook, now| {
        webhook.secret_number += 1;
        webhook.rotated_at = Some(now);
    };
    let webhook = alter(context, id, expected, apply).await?;
    let secret = secret(context, &webhook);
    Ok((webhook, secret))
}

/// Removes a webhook with all its messages.
///
/// # Errors
/// `webhook_not_found`, `precondition_failed`.
pub async fn delete(context: &Arc<Context>, id: WebhookId, expected: Expected) -> Result<(), Refusal> {
    context
        .write(move |write| {
            let webhook = find(write.connection, id)?;
            expected.check(webhook.revision)?;
            store::webhooks::delete(write.connection, id)?;
            write.removed("webhook.delete", &webhook)?;
            Ok(())
        })
        .await
}

/// Queues a message again, even a sent one, with the same `webhook-id` and the same bytes.
///
/// # Errors
/// `webhook_not_found`, `webhook_message_not_found`.
pub async fn replay(
    context: &Arc<Context>,
    webhook: WebhookId,
    id: WebhookMessageId,
) -> Result<WebhookMessage, Refusal> {
    context
        .write(move |write| {
            find(write.connection, webhook)?;
            let mut message = store::webhook_messages::get(write.connection, webhook, id)?.ok_or_else(|| {
                Refusal::new(Code::WebhookMessageNotFound, format!("there is no message {id} to webhook {webhook}"))
            })?;
            if message.delivery.is_under_way(write.now) {
                // The message is being sent at this moment; if it were queued again, it would arrive twice.
                return Ok(message);
            }
            let before = message.clone();
            message.delivery.queue_again(write.now);
            store::webhook_messages::mark(write.connection, id, &before.delivery, &message.delivery)?;
            write.altered("webhook_message.replay", &before, &message)?;
            Ok(message)
        })
        .await
}

/// A page of webhooks, by id.
pub async fn list(context: &Arc<Context>, page: Page<WebhookId>) -> Result<Vec<Webhook>, Refusal> {
    context.read(move |connection| Ok(store::webhooks::page(connection, page)?)).await
}

/// A page of the messages to a webhook, the newest first; only those in `state`, if given.
///
/// # Errors
/// `webhook_not_found`, `storage_unavailable`.
pub async fn list_messages(
    context: &Arc<Context>,
    id: WebhookId,
    state: Option<DeliveryState>,
    page: Page<WebhookMessageId>,
) -> Result<Vec<WebhookMessage>, Refusal> {
    context
        .read(move |connection| {
            let webhook = find(connection, id)?.id;
            Ok(store::webhook_messages::matching(connection, webhook, state, page)?)
        })
        .await
}
