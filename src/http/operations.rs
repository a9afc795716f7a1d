//! What the vendor's operators and other programs look at: health, metrics, the public keys.

use actix_web::{
    HttpResponse, get,
    http::{StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{App, Problem, wire},
    services::Refusal,
    signing::PublicKey,
};

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ready`, `degraded` or `alive`.
    status: &'static str,
    /// What is wrong, if something is.
    problems: Vec<&'static str>,
}

/// Whether the process lives.
#[utoipa::path(tag = "Operations", responses((status = 200, description = "It does.", body = Health)))]
#[get("/livez")]
pub async fn get_liveness() -> HttpResponse {
    wire::json(StatusCode::OK, &Health { status: "alive", problems: Vec::new() })
}

/// Whether the server can do all that it is there for.
///
/// `degraded` (503) means that checks are answered and writes may fail.
#[utoipa::path(
    tag = "Operations",
    responses((status = 200, description = "It can.", body = Health), (status = 503, description = "It answers checks, but cannot write.", body = Health))
)]
#[get("/readyz")]
pub async fn get_readiness(app: App) -> HttpResponse {
    let database = app
        .context
        .read(|connection| Ok(crate::store::settings::get(connection, crate::store::settings::LICENSE_SECRET)?))
        .await
        .is_ok();
    let storage = app.context.artifacts.is_writable().await;
    let problems: Vec<_> =
        [(database, "the database cannot be read"), (storage, "the artifact store cannot be written")]
            .into_iter()
            .filter(|(works, _)| !works)
            .map(|(_, problem)| problem)
            .collect();
    match problems.is_empty() {
        true => wire::json(StatusCode::OK, &Health { status: "ready", problems }),
        false => wire::json(StatusCode::SERVICE_UNAVAILABLE, &Health { status: "degraded", problems }),
    }
}

/// Figures for Prometheus.
#[utoipa::path(tag = "Operations", responses((status = 200, description = "The figures, in Prometheus' text format.", content_type = "text/plain", body = String)))]
#[get("/metrics")]
pub async fn get_metrics(app: App) -> Result<HttpResponse, Problem> {
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
    let mut response = wire::json(StatusCode::OK, &KeySet { keys: app.context.keys.public_keys() });
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("public, max-age=300"));
    response
}
