//! Trusted publishers: pipelines that may release a product.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, delete, get, http::StatusCode, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        id::{TrustedPublisherId, UserId},
        scope::Scope,
        slug::Slug,
        trusted_publisher::TrustedPublisher,
    },
    http::{
        App, Problem,
        approvals::{self, Asked},
        extract::{Body, Caller, Query, Segments, caller::ManageTrust},
        json,
        paging::{Listed, PageQuery},
    },
    services::people::trust::{self, NewTrustedPublisher},
};

/// The product that trusts.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TrustPath {
    /// The product's slug.
    #[param(value_type = String, example = "office-maker")]
    slug: Slug,
}

/// Where a trusted publisher is.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TrustedPublisherPath {
    /// The product's slug.
    #[param(value_type = String, example = "office-maker")]
    slug: Slug,
    /// The trusted publisher's id.
    #[param(example = "0199a0de-0000-7000-8000-0000000000f1")]
    id: TrustedPublisherId,
}

/// A trusted publisher of a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrustedPublisher)]
pub struct TrustedPublisherBody {
    /// Its id.
    id: TrustedPublisherId,
    /// The name for people.
    name: String,
    /// The issuer of its tokens.
    issuer: String,
    /// The audience that its tokens must have.
    audience: String,
    /// The claims that its tokens must have: the exact value, or its beginning followed by `*`.
    claims: BTreeMap<String, String>,
    /// Claims whose values are taken from the first matching token and required from then on.
    pinned_at_first_use: Vec<String>,
    /// The scopes.
    scopes: Vec<Scope>,
    /// When it was entered.
    created_at: Timestamp,
    /// The id of the user who added it; `null` if none did.
    created_by: Option<UserId>,
    /// When it last exchanged an identity token.
    last_used_at: Option<Timestamp>,
}

impl TrustedPublisherBody {
    fn of(app: &App, publisher: TrustedPublisher) -> Self {
        Self {
            id: publisher.id,
            name: publisher.name,
            issuer: publisher.issuer,
            audience: publisher.audience.unwrap_or_else(|| app.context.settings.public_url.clone()),
            claims: publisher.claims,
            pinned_at_first_use: publisher.pins,
            scopes: publisher.scopes,
            created_at: publisher.created_at,
            created_by: publisher.created_by,
            last_used_at: publisher.last_used_at,
        }
    }
}

/// Add a trusted publisher to a product.
///
/// A preset makes claims of its fields; without one, `issuer` and `claims` say it all. The ids of a project are taken
/// over from its first token: a project that is created again under the same name has others.
#[utoipa::path(
    tag = "Admin",
    params(TrustPath),
    security(("bearer" = [])),
    request_body(content = NewTrustedPublisher, example = json!({"preset": "github", "repository": "vendor/office-maker", "workflow": "release.yml", "environment": "release", "ref": "refs/tags/v*", "scopes": ["releases:write", "releases:publish"]})),
    responses(
        (status = 201, description = "The trusted publisher.", body = TrustedPublisherBody),
        (status = 202, description = "Under the two-person rule: done once a second person approves.", body = Asked,
            headers(("Location" = String, description = "The address of the approval request.")))
    )
)]
#[post("/api/v1/products/{slug}/trusted-publishers")]
pub async fn add_trusted_publisher(
    app: App,
    _: Caller<ManageTrust>,
    path: Segments<TrustPath>,
    body: Body<NewTrustedPublisher>,
) -> Result<HttpResponse, Problem> {
    let carried = trust::trust(&app.context, path.0.slug, body.0).await?;
    let trusted = |publisher| json::answer(StatusCode::CREATED, &TrustedPublisherBody::of(&app, publisher));
    Ok(approvals::answer(&app, carried, trusted))
}

/// List the trusted publishers of a product.
#[utoipa::path(
    tag = "Admin",
    params(TrustPath, PageQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of trusted publishers.", body = Listed<TrustedPublisherBody>))
)]
#[get("/api/v1/products/{slug}/trusted-publishers")]
pub async fn list_trusted_publishers(
    app: App,
    _: Caller<ManageTrust>,
    path: Segments<TrustPath>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.0.limit.page(query.0.after.map(TrustedPublisherId));
    let rows = trust::list(&app.context, path.0.slug, page).await?;
    let listed = Listed::of(rows, query.0.limit.get(), |publisher| publisher.id.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|publisher| TrustedPublisherBody::of(&app, publisher))))
}

/// Show a trusted publisher of a product.
#[utoipa::path(
    tag = "Admin",
    params(TrustedPublisherPath),
    security(("bearer" = [])),
    responses((status = 200, description = "The trusted publisher.", body = TrustedPublisherBody))
)]
#[get("/api/v1/products/{slug}/trusted-publishers/{id}")]
pub async fn get_trusted_publisher(
    app: App,
    _: Caller<ManageTrust>,
    path: Segments<TrustedPublisherPath>,
) -> Result<HttpResponse, Problem> {
    let TrustedPublisherPath { slug, id } = path.0;
    let publisher = trust::get(&app.context, slug, id).await?;
    Ok(json::answer(StatusCode::OK, &TrustedPublisherBody::of(&app, publisher)))
}

/// Remove a trusted publisher; the tokens that it was given end at once.
#[utoipa::path(
    tag = "Admin",
    params(TrustedPublisherPath),
    security(("bearer" = [])),
    responses((status = 204, description = "The trusted publisher is removed."))
)]
#[delete("/api/v1/products/{slug}/trusted-publishers/{id}")]
pub async fn delete_trusted_publisher(
    app: App,
    _: Caller<ManageTrust>,
    path: Segments<TrustedPublisherPath>,
) -> Result<HttpResponse, Problem> {
    trust::distrust(&app.context, path.0.slug, path.0.id).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests;
