//! Messages to webhooks, sent and queued.

use actix_web::{HttpResponse, get, http::StatusCode, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    domain::{
        delivery::DeliveryState,
        id::{WebhookId, WebhookMessageId},
        webhook::WebhookEvent,
        webhook_message::WebhookMessage,
    },
    http::{
        App, Problem,
        admin::webhooks::WebhookPath,
        extract::{
            Caller, Query, Segments,
            caller::{ManageWebhooks, ReadWebhooks},
        },
        json,
        paging::{self, Limit, Listed},
    },
    services::telling::webhooks,
};

/// A message to a webhook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookMessage)]
pub struct WebhookMessageBody {
    /// The message's id: the `webhook-id` of every attempt.
    id: WebhookMessageId,
    /// The event.
    event: WebhookEvent,
    /// The text that every attempt sends.
    payload: String,
    /// The delivery state.
    state: DeliveryState,
    /// The number of attempts since it was queued.
    attempts: u32,
    /// The time of the next attempt.
    next_attempt_at: Option<Timestamp>,
    /// The error of the last failed attempt.
    last_error: Option<String>,
    /// When it was written.
    created_at: Timestamp,
    /// When the receiving server accepted it.
    sent_at: Option<Timestamp>,
}

impl WebhookMessageBody {
    fn of(message: WebhookMessage) -> Self {
        Self {
            id: message.id,
            event: message.event,
            payload: message.payload,
            state: message.delivery.state,
            attempts: message.delivery.attempts,
            next_attempt_at: message.delivery.next_attempt_at,
            last_error: message.delivery.last_error,
            created_at: message.delivery.created_at,
            sent_at: message.delivery.sent_at,
        }
    }
}

/// Which messages.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MessagesQuery {
    /// Only those in this state.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before.
    #[serde(default, deserialize_with = "paging::cursor")]
    after: Option<Uuid>,
}

/// Where a message is.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MessagePath {
    /// The webhook's id.
    #[param(example = "0199a0de-0000-7000-8000-000000000121")]
    id: WebhookId,
    /// The message's id.
    #[param(example = "0199a0de-0000-7000-8000-000000000131")]
    message_id: WebhookMessageId,
}

/// List the messages to a webhook, the newest first.
#[utoipa::path(
    tag = "Admin",
    params(WebhookPath, MessagesQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of messages.", body = Listed<WebhookMessageBody>))
)]
#[get("/api/v1/admin/webhooks/{id}/messages")]
pub async fn list_webhook_messages(
    app: App,
    _caller: Caller<ReadWebhooks>,
    path: Segments<WebhookPath>,
    query: Query<MessagesQuery>,
) -> Result<HttpResponse, Problem> {
    let MessagesQuery { state, limit, after } = query.0;
    let page = limit.page(after.map(WebhookMessageId));
    let rows = webhooks::list_messages(&app.context, path.0.id, state, page).await?;
    let listed = Listed::of(rows, limit.get(), |message| message.id.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(WebhookMessageBody::of)))
}

/// Send a message again, even one that was sent, with the same `webhook-id` and the same text.
#[utoipa::path(
    tag = "Admin",
    params(MessagePath),
    security(("bearer" = [])),
    responses((status = 200, description = "The message, queued again.", body = WebhookMessageBody))
)]
#[post("/api/v1/admin/webhooks/{id}/messages/{message_id}/replay")]
pub async fn replay_webhook_message(
    app: App,
    _caller: Caller<ManageWebhooks>,
    path: Segments<MessagePath>,
) -> Result<HttpResponse, Problem> {
    let message = webhooks::replay(&app.context, path.0.id, path.0.message_id).await?;
    Ok(json::answer(StatusCode::OK, &WebhookMessageBody::of(message)))
}
