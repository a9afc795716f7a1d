//! Webhooks: systems of the vendor that receive events.

use actix_web::{HttpResponse, delete, get, http::StatusCode, patch, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    directory::Catalogue,
    domain::{
        id::WebhookId,
        webhook::{Webhook, WebhookEvent},
    },
    http::{
        App, Problem,
        extract::{
            Body, Caller, IfMatch, Query, Segments,
            caller::{ManageWebhooks, ReadWebhooks},
        },
        json,
        paging::{Listed, PageQuery},
    },
    services::telling::webhooks::{self, NewWebhook, WebhookChange},
    signing::WebhookSecret,
};

/// Where a webhook is.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WebhookPath {
    /// The webhook's id.
    #[param(example = "0199a0de-0000-7000-8000-000000000121")]
    pub id: WebhookId,
}

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookBody {
    /// Its id.
    id: WebhookId,
    /// The URL that messages are sent to.
    url: String,
    /// The events that it receives.
    events: Vec<WebhookEvent>,
    /// The slug of the only product whose events it receives; `null`: all.
    product: Option<String>,
    /// Whether messages are sent. An answer of 410 Gone sets it to false.
    enabled: bool,
    /// When it got its current secret; for 24 hours from then, messages are signed with the previous one too.
    rotated_at: Option<Timestamp>,
    /// When it was entered.
    created_at: Timestamp,
}

/// A webhook with its secret.
#[derive(Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    known: WebhookBody,
    /// The secret that signs messages; it is not shown again.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    secret: String,
}

impl WebhookBody {
    fn of(catalogue: &Catalogue, webhook: Webhook) -> Self {
        let entry = webhook.product.and_then(|id| catalogue.product_by_id(id));
        Self {
            id: webhook.id,
            url: webhook.url,
            events: webhook.events,
            product: entry.map(|entry| entry.product.slug.to_string()),
            enabled: webhook.enabled,
            rotated_at: webhook.rotated_at,
            created_at: webhook.created_at,
        }
    }
}

fn answer(app: &App, webhook: Webhook) -> HttpResponse {
    let revision = webhook.revision;
    let body = WebhookBody::of(&app.context.directory.catalogue(), webhook);
    json::answer_with_etag(StatusCode::OK, revision, &body)
}

fn answer_with_secret(app: &App, status: StatusCode, webhook: Webhook, secret: &WebhookSecret) -> HttpResponse {
    let revision = webhook.revision;
    let known = WebhookBody::of(&app.context.directory.catalogue(), webhook);
    json::answer_with_etag(status, revision, &WebhookWithSecret { known, secret: secret.to_text() })
}

/// Add a webhook; only this answer has its secret.
///
/// Messages follow [Standard Webhooks](https://www.standardwebhooks.com).
#[utoipa::path(
    tag = "Admin",
    security(("bearer" = [])),
    request_body(content = NewWebhook, example = json!({"url": "https://hooks.example.com/sluice", "events": ["release.published", "run.failed"], "product": "office-maker"})),
    responses((status = 201, description = "The webhook.", body = WebhookWithSecret))
)]
#[post("/api/v1/admin/webhooks")]
pub async fn add_webhook(
    app: App,
    _caller: Caller<ManageWebhooks>,
    body: Body<NewWebhook>,
) -> Result<HttpResponse, Problem> {
    let (webhook, secret) = webhooks::add(&app.context, body.0).await?;
    Ok(answer_with_secret(&app, StatusCode::CREATED, webhook, &secret))
}

/// List webhooks.
#[utoipa::path(
    tag = "Admin",
    params(PageQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of webhooks.", body = Listed<WebhookBody>))
)]
#[get("/api/v1/admin/webhooks")]
pub async fn list_webhooks(
    app: App,
    _caller: Caller<ReadWebhooks>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.0.limit.page(query.0.after.map(WebhookId));
    let rows = webhooks::list(&app.context, page).await?;
    let catalogue = app.context.directory.catalogue();
    let listed = Listed::of(rows, query.0.limit.get(), |webhook| webhook.id.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|webhook| WebhookBody::of(&catalogue, webhook))))
}

/// Show a webhook.
#[utoipa::path(
    tag = "Admin",
    params(WebhookPath),
    security(("bearer" = [])),
    responses((status = 200, description = "The webhook.", body = WebhookBody))
)]
#[get("/api/v1/admin/webhooks/{id}")]
pub async fn get_webhook(
    app: App,
    _caller: Caller<ReadWebhooks>,
    path: Segments<WebhookPath>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&app, webhooks::get(&app.context, path.0.id).await?))
}

/// Change a webhook.
#[utoipa::path(
    tag = "Admin",
    params(WebhookPath, IfMatch),
    security(("bearer" = [])),
    request_body(content = WebhookChange, example = json!({"events": ["release.published", "release.halted"]})),
    responses((status = 200, description = "The webhook.", body = WebhookBody))
)]
#[patch("/api/v1/admin/webhooks/{id}")]
pub async fn change_webhook(
    app: App,
    _caller: Caller<ManageWebhooks>,
    path: Segments<WebhookPath>,
    expected: IfMatch,
    body: Body<WebhookChange>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&app, webhooks::change(&app.context, path.0.id, expected.0, body.0).await?))
}

/// Remove a webhook with its messages.
#[utoipa::path(
    tag = "Admin",
    params(WebhookPath, IfMatch),
    security(("bearer" = [])),
    responses((status = 204, description = "It is deleted."))
)]
#[delete("/api/v1/admin/webhooks/{id}")]
pub async fn delete_webhook(
    app: App,
    _caller: Caller<ManageWebhooks>,
    path: Segments<WebhookPath>,
    expected: IfMatch,
) -> Result<HttpResponse, Problem> {
    webhooks::delete(&app.context, path.0.id, expected.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Give a webhook a new secret; only this answer has it.
///
/// For 24 hours messages are also signed with the previous secret, so that the receiver has time to change it.
#[utoipa::path(
    tag = "Admin",
    params(WebhookPath, IfMatch),
    security(("bearer" = [])),
    responses((status = 200, description = "The webhook.", body = WebhookWithSecret))
)]
#[post("/api/v1/admin/webhooks/{id}/rotate-secret")]
pub async fn rotate_webhook_secret(
    app: App,
    _caller: Caller<ManageWebhooks>,
    path: Segments<WebhookPath>,
    expected: IfMatch,
) -> Result<HttpResponse, Problem> {
    let (webhook, secret) = webhooks::rotate_secret(&app.context, path.0.id, expected.0).await?;
    Ok(answer_with_secret(&app, StatusCode::OK, webhook, &secret))
}
