//! What the vendor's operators and other programs look at: health, metrics, the public keys.

use std::time::Duration;

use actix_web::{
    HttpResponse, get,
    http::{StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{App, Problem, json},
    services::{Refusal, telling::deliver},
    signing::PublicKey,
};

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ready`, `degraded`, `starting` or `alive`.
    status: &'static str,
    /// What is wrong, if something is.
    problems: Vec<String>,
}

impl Health {
    /// The process lives.
    #[must_use]
    pub const fn alive() -> Self {
        Self { status: "alive", problems: Vec::new() }
    }

    /// It cannot answer anything yet.
    #[must_use]
    pub fn starting(waits_for: String) -> Self {
        Self { status: "starting", problems: vec![waits_for] }
    }
}

/// Whether the process lives.
#[utoipa::path(tag = "Operations", responses((status = 200, description = "It does.", body = Health)))]
#[get("/livez")]
pub async fn get_liveness() -> HttpResponse {
    json::answer(StatusCode::OK, &Health::alive())
}

/// Whether the server can do all that it is there for.
///
/// `degraded` means that checks are answered from memory, and that writes or downloads may fail. It is 200 all the same:
/// when the database is away it is away for every replica, and a load balancer that took them all out would make an outage
/// of checks of it.
#[utoipa::path(
    tag = "Operations",
    responses(
        (status = 200, description = "It answers checks; `status` says whether it can do everything else too.", body = Health),
        (status = 503, description = "It waits for its database to start with.", body = Health),
    )
)]
#[get("/readyz")]
pub async fn get_readiness(app: App) -> HttpResponse {
    let context = &app.context;
    let mut problems = Vec::new();
    if let Some(age) = context.following.stale_for() {
        let seconds = age.as_secs();
        problems.push(format!(
            "the database has not been reached for {seconds} s; checks are answered from what was known then"
        ));
    } else if !is_so(context.can_read()).await {
        problems.push("the database cannot be read".to_owned());
    }
    if !is_so(context.artifacts.is_writable()).await {
        problems.push("the artifact store cannot be written".to_owned());
    }
    let status = if problems.is_empty() { "ready" } else { "degraded" };
    json::answer(StatusCode::OK, &Health { status, problems })
}

/// Whoever asks whether the server is ready waits no longer than this for each thing that is looked at: a load balancer takes
/// a server that does not answer for dead, and one store that hangs is no reason to have no checks.
const PATIENCE: Duration = Duration::from_millis(700);

async fn is_so(question: impl Future<Output = bool>) -> bool {
    tokio::time::timeout(PATIENCE, question).await.unwrap_or(false)
}

/// Figures for Prometheus.
#[utoipa::path(tag = "Operations", responses((status = 200, description = "The figures, in Prometheus' text format.", content_type = "text/plain", body = String)))]
#[get("/metrics")]
pub async fn get_metrics(app: App) -> Result<HttpResponse, Problem> {
    // Where the database is away the last known ones stay: the others are of most use just then.
    if app.metrics.wants_deliveries()
        && let Ok(Ok(found)) = tokio::time::timeout(PATIENCE, deliver::waiting(&app.context)).await
    {
        app.metrics.note_deliveries(&found);
    }
    let text = app.metrics.render(&app.context).map_err(|error| Refusal::internal(&error))?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// The public keys of manifests.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeySet {
    /// The one that signs first, then the one before it.
    keys: Vec<PublicKey>,
}

/// Show the public keys that manifests are signed with (RFC 7517).
#[utoipa::path(tag = "Operations", responses((status = 200, description = "The keys.", body = KeySet)))]
#[get("/.well-known/jwks.json")]
pub async fn get_public_keys(app: App) -> HttpResponse {
    let response = json::answer(StatusCode::OK, &KeySet { keys: app.context.keys.load().public_keys() });
    json::with_header(response, header::CACHE_CONTROL, "public, max-age=300")
}
