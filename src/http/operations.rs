//! For operators and monitoring: health, metrics, public keys.

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

/// The health of the server.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ready`, `degraded`, `starting` or `alive`.
    status: &'static str,
    /// The problems that make the server `degraded` or `starting`.
    problems: Vec<String>,
}

impl Health {
    /// The process is alive.
    #[must_use]
    pub const fn alive() -> Self {
        Self { status: "alive", problems: Vec::new() }
    }

    /// The server cannot answer yet.
    #[must_use]
    pub fn starting(waits_for: String) -> Self {
        Self { status: "starting", problems: vec![waits_for] }
    }
}

/// Whether the process is alive.
#[utoipa::path(tag = "Operations", responses((status = 200, description = "It does.", body = Health)))]
#[get("/livez")]
pub async fn get_liveness() -> HttpResponse {
    json::answer(StatusCode::OK, &Health::alive())
}

/// Whether the server can do everything.
///
/// `degraded` means that checks are answered from memory and that writes or downloads may fail. The status is 200 all
/// the same: an unavailable database is unavailable to every replica, and a load balancer that removed them all would
/// turn it into an outage of the checks.
#[utoipa::path(
    tag = "Operations",
    responses(
        (status = 200, description = "The server answers checks; `status` says whether it can do everything else.", body = Health),
        (status = 503, description = "The server is starting and waits for its database.", body = Health),
    )
)]
#[get("/readyz")]
pub async fn get_readiness(app: App) -> HttpResponse {
    let context = &app.context;
    let mut problems = Vec::new();
    if let Some(age) = app.following.stale_for() {
        let seconds = age.as_secs();
        problems.push(format!("the database has been unreachable for {seconds} s; checks are answered from memory"));
    } else if !is_so(context.can_read()).await {
        problems.push("the database cannot be read".to_owned());
    }
    if !is_so(context.artifacts.is_writable()).await {
        problems.push("the artifact store cannot be written".to_owned());
    }
    let status = if problems.is_empty() { "ready" } else { "degraded" };
    json::answer(StatusCode::OK, &Health { status, problems })
}

/// The longest wait for each thing that readiness checks: a load balancer takes
/// a server that does not answer for dead, and a store that hangs must not stop the checks.
const PATIENCE: Duration = Duration::from_millis(700);

async fn is_so(question: impl Future<Output = bool>) -> bool {
    tokio::time::timeout(PATIENCE, question).await.unwrap_or(false)
}

/// Figures for Prometheus.
#[utoipa::path(tag = "Operations", responses((status = 200, description = "The figures, in Prometheus' text format.", content_type = "text/plain", body = String)))]
#[get("/metrics")]
pub async fn get_metrics(app: App) -> Result<HttpResponse, Problem> {
    // If the database is unavailable, the last known figures stay: the other metrics are needed most at that time.
    if app.metrics.wants_deliveries()
        && let Ok(Ok(found)) = tokio::time::timeout(PATIENCE, deliver::waiting(&app.context)).await
    {
        app.metrics.note_deliveries(&found);
    }
    let text = app.metrics.render(&app.context, &app.judging).map_err(|error| Refusal::internal(&error))?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// The public keys of manifests.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeySet {
    /// The current key, then the previous one.
    keys: Vec<PublicKey>,
}

/// Show the public keys that manifests are signed with (RFC 7517).
#[utoipa::path(tag = "Operations", responses((status = 200, description = "The keys.", body = KeySet)))]
#[get("/.well-known/jwks.json")]
pub async fn get_public_keys(app: App) -> HttpResponse {
    let response = json::answer(StatusCode::OK, &KeySet { keys: app.context.keys.load().public_keys() });
    json::with_header(response, header::CACHE_CONTROL, "public, max-age=300")
}
