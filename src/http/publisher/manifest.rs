//! `GET …/manifest`: the signed manifest, for pipelines and for updaters.

use actix_web::{HttpRequest, HttpResponse, get, http::header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    http::{
        App, Problem,
        extract::{Caller, License, Segments, caller::ReadReleases},
        publisher::releases::find,
        release::ReleasePath,
    },
    services::releasing::{publish_release, release},
};

/// Show the signed manifest of a published release.
///
/// The body is the canonical JSON (RFC 8785) that was fixed at publication, or at the last correction.
/// `Sluice-Signature` has the key's id, the algorithm and the Ed25519 signature of the body's bytes; the key is in
/// `/.well-known/jwks.json`. An updater reads it with its license key; that of a release for everyone needs no key.
#[utoipa::path(
    tag = "Publisher",
    params(ReleasePath),
    security((), ("bearer" = []), ("license" = [])),
    responses((status = 200, description = "The manifest.", body = crate::domain::manifest::Manifest,
        headers(("Sluice-Signature" = String, description = "`keyid=\"…\", alg=\"ed25519\", signature=\"<base64url>\"`"))),
        (status = 409, description = "The release is a draft.", content_type = "application/problem+json", body = crate::http::error::ProblemBody))
)]
#[get("/api/v1/products/{slug}/releases/{version}/manifest")]
pub async fn get_manifest(
    app: App,
    request: HttpRequest,
    staff: Result<Caller<ReadReleases>, Problem>,
    license: Result<License, Problem>,
    path: Segments<ReleasePath>,
) -> Result<HttpResponse, Problem> {
    let release = match staff {
        Ok(_) => find(&app.context, &path.0)?,
        Err(problem) if is_bearer(&request) => return Err(problem),
        Err(_) => {
            let key = license?.0;
            release::get_for_program(&app.context, &path.0.slug, &path.0.version, key.as_ref())?
        }
    };
    let manifest = publish_release::manifest(&app.context, &release)?;
    let signature = URL_SAFE_NO_PAD.encode(&manifest.signature);
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::ETAG, format!("\"{}\"", manifest.revision)))
        .insert_header((
            "Sluice-Signature",
            format!("keyid=\"{}\", alg=\"ed25519\", signature=\"{signature}\"", manifest.key_id),
        ))
        .body(manifest.body.clone()))
}

fn is_bearer(request: &HttpRequest) -> bool {
    let scheme = request.headers().get(header::AUTHORIZATION).and_then(|value| value.as_bytes().get(..7));
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
}
