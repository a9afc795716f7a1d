//! API tokens.

use actix_web::{HttpResponse, delete, get, http::StatusCode, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    directory::Catalogue,
    domain::{
        id::{TokenId, TrustedPublisherId, UserId},
        scope::Scope,
    },
    http::{
        App, Problem,
        extract::{Body, Caller, Query, Segments, caller::ManageTokens},
        json,
        paging::{Listed, PageQuery},
    },
    services::people::tokens::{self, ApiToken, NewToken},
};

/// Where a token is.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TokenPath {
    /// The token's id.
    #[param(example = "0199a0de-0000-7000-8000-0000000000d2")]
    id: TokenId,
}

/// An API token, without the token itself, which is not stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenBody {
    /// Its id.
    id: TokenId,
    /// The name for people.
    name: String,
    /// The scopes.
    scopes: Vec<Scope>,
    /// The slug of the only product that it may act on; `null`: all.
    product: Option<String>,
    /// When it was made.
    created_at: Timestamp,
    /// When it expires; `null`: never.
    expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    last_used_at: Option<Timestamp>,
    /// The id of the user who made it; `null` if unknown.
    created_by: Option<UserId>,
    /// The trusted publisher that it was given to; `null` if a user made it.
    trusted_publisher: Option<TrustedPublisherId>,
}

/// A new API token.
#[derive(Serialize, ToSchema)]
pub struct MadeToken {
    /// The token.
    #[serde(flatten)]
    known: TokenBody,
    /// The token in clear; it is not stored and not shown again.
    token: String,
}

impl TokenBody {
    fn of(catalogue: &Catalogue, token: ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scopes: token.scopes,
            product: token
                .product
                .and_then(|id| catalogue.product_by_id(id))
                .map(|entry| entry.product.slug.to_string()),
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            created_by: token.created_by,
            trusted_publisher: token.publisher,
        }
    }
}

/// Make an API token; only this answer has it in clear.
#[utoipa::path(
    tag = "Admin",
    security(("bearer" = [])),
    request_body(content = NewToken, example = json!({"name": "release pipeline", "scopes": ["releases:write", "releases:publish"], "product": "office-maker", "expires_in_days": 365})),
    responses((status = 201, description = "The token.", body = MadeToken))
)]
#[post("/api/v1/admin/tokens")]
pub async fn add_token(app: App, _caller: Caller<ManageTokens>, body: Body<NewToken>) -> Result<HttpResponse, Problem> {
    let (known, token) = tokens::add(&app.context, body.0).await?;
    let known = TokenBody::of(&app.context.directory.catalogue(), known);
    Ok(json::answer(StatusCode::CREATED, &MadeToken { known, token }))
}

/// List API tokens, without the tokens themselves, which are not stored.
#[utoipa::path(
    tag = "Admin",
    params(PageQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of tokens.", body = Listed<TokenBody>))
)]
#[get("/api/v1/admin/tokens")]
pub async fn list_tokens(
    app: App,
    _caller: Caller<ManageTokens>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.0.limit.page(query.0.after.map(TokenId));
    let rows = tokens::list(&app.context, page).await?;
    let catalogue = app.context.directory.catalogue();
    let listed = Listed::of(rows, query.0.limit.get(), |token| token.id.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|token| TokenBody::of(&catalogue, token))))
}

/// Delete an API token; from then on it is refused.
#[utoipa::path(
    tag = "Admin",
    params(TokenPath),
    security(("bearer" = [])),
    responses((status = 204, description = "It is deleted."))
)]
#[delete("/api/v1/admin/tokens/{id}")]
pub async fn delete_token(
    app: App,
    _caller: Caller<ManageTokens>,
    path: Segments<TokenPath>,
) -> Result<HttpResponse, Problem> {
    tokens::delete(&app.context, path.0.id).await?;
    Ok(HttpResponse::NoContent().finish())
}
