//! Trusted publishing: exchanges a pipeline's identity token for an API token.

use actix_web::{HttpResponse, http::StatusCode, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{scope::Scope, slug::Slug},
    http::{
        App, Problem,
        extract::{Body, ClientAddress},
        json,
    },
    services::{self, Refusal},
};

/// The identity of a pipeline.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The identity token, a JWT, that the pipeline's service made for this job.
    #[schema(max_length = 16384, example = "eyJhbGciOiJSUzI1NiIs…")]
    token: String,
    /// The slug of the product; required if several products trust the same workload.
    #[schema(example = "office-maker")]
    product: Option<Slug>,
}

/// The scopes of the token.
#[derive(Serialize, ToSchema)]
pub struct ExchangedToken {
    /// An API token, for `Authorization: Bearer`.
    token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// How long the token is valid, in seconds.
    expires_in: i64,
    /// The scopes.
    scopes: Vec<Scope>,
    /// The slug of the product that the token is for.
    product: String,
}

/// Exchange a pipeline's identity token for an API token of a product that trusts it.
///
/// The API token is valid for `auth.trusted_publishing_ttl`, for this product, with the scopes of its trusted
/// publisher. An identity token can be exchanged once.
#[utoipa::path(
    tag = "Publisher",
    request_body(content = Identity, example = json!({"token": "eyJhbGciOiJSUzI1NiIs…", "product": "office-maker"})),
    responses((status = 200, description = "The API token.", body = ExchangedToken),
        (status = 401, description = "The identity token is not trusted, invalid, or was exchanged before.", content_type = "application/problem+json", body = crate::http::error::ProblemBody))
)]
#[post("/api/v1/auth/oidc/exchange")]
pub async fn exchange_identity(
    app: App,
    address: ClientAddress,
    body: Body<Identity>,
) -> Result<HttpResponse, Problem> {
    let counted = app.limits.logins.count(&address.network());
    counted.map_err(|wait| Refusal::too_many("logins from this address", wait))?;
    let Identity { token, product } = body.0;
    let given = services::people::exchange_identity::exchange(&app.context, &token, product, address.0).await?;
    let given = ExchangedToken {
        token: given.text,
        token_type: "Bearer",
        expires_in: given.expires_in,
        scopes: given.token.scopes,
        product: given.product.to_string(),
    };
    Ok(json::answer(StatusCode::OK, &given))
}
