//! People who may log in.

use actix_web::{HttpResponse, delete, get, http::StatusCode, patch, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    directory::Catalogue,
    domain::{id::UserId, role::Role},
    http::{
        App, Problem,
        extract::{Body, Caller, IfMatch, Query, Segments, caller::ManageUsers},
        json,
        paging::{Listed, PageQuery},
    },
    services::people::users::{self, Identity, NewUser, User, UserChange},
};

/// Where a user is.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UserPath {
    /// The user's id.
    #[param(example = "0199a0de-0000-7000-8000-0000000000e2")]
    id: UserId,
}

/// A person who may log in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    /// Their id.
    id: UserId,
    /// The e-mail address to log in with.
    email: String,
    /// The role.
    role: Role,
    /// The slugs of the only products that they may act on; `null`: all.
    products: Option<Vec<String>>,
    /// Whether they can log in with a password.
    password_login: bool,
    /// Whether a password login takes a second factor.
    second_factor: bool,
    /// Their identity at the identity provider; `null` if they have never logged in through it.
    identity: Option<Identity>,
    /// When they were entered.
    created_at: Timestamp,
}

impl UserBody {
    /// A user, as they and owners see them.
    #[must_use]
    pub fn of(catalogue: &Catalogue, user: User) -> Self {
        let slugs = |ids: Vec<_>| {
            let entries = ids.into_iter().filter_map(|id| catalogue.product_by_id(id));
            entries.map(|entry| entry.product.slug.to_string()).collect()
        };
        Self {
            id: user.id,
            email: user.email,
            role: user.role,
            products: user.products.map(slugs),
            password_login: user.password_hash.is_some(),
            second_factor: user.factor.secret.is_some(),
            identity: user.identity,
            created_at: user.created_at,
        }
    }
}

fn answer(app: &App, status: StatusCode, user: User) -> HttpResponse {
    let revision = user.revision;
    json::answer_with_etag(status, revision, &UserBody::of(&app.context.directory.catalogue(), user))
}

/// Add a user.
#[utoipa::path(
    tag = "Admin",
    security(("bearer" = [])),
    request_body(content = NewUser, example = json!({"email": "anna@example.com", "password": "correct horse battery staple", "role": "release_manager", "products": ["office-maker"]})),
    responses((status = 201, description = "The user.", body = UserBody))
)]
#[post("/api/v1/admin/users")]
pub async fn add_user(app: App, _caller: Caller<ManageUsers>, body: Body<NewUser>) -> Result<HttpResponse, Problem> {
    Ok(answer(&app, StatusCode::CREATED, users::add(&app.context, &app.authentication, body.0).await?))
}

/// List users.
#[utoipa::path(
    tag = "Admin",
    params(PageQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of users.", body = Listed<UserBody>))
)]
#[get("/api/v1/admin/users")]
pub async fn list_users(
    app: App,
    _caller: Caller<ManageUsers>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.0.limit.page(query.0.after.map(UserId));
    let rows = users::list(&app.context, page).await?;
    let catalogue = app.context.directory.catalogue();
    let listed = Listed::of(rows, query.0.limit.get(), |user| user.id.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|user| UserBody::of(&catalogue, user))))
}

/// Show a user.
#[utoipa::path(
    tag = "Admin",
    params(UserPath),
    security(("bearer" = [])),
    responses((status = 200, description = "The user.", body = UserBody))
)]
#[get("/api/v1/admin/users/{id}")]
pub async fn get_user(
    app: App,
    _caller: Caller<ManageUsers>,
    path: Segments<UserPath>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&app, StatusCode::OK, users::get(&app.context, path.0.id).await?))
}

/// Change a user.
///
/// Unless only the address changes, their sessions end at once, on every replica. The last owner stays an owner. The
/// role of a user who logs in through the identity provider follows their groups there, and cannot be changed here.
#[utoipa::path(
    tag = "Admin",
    params(UserPath, IfMatch),
    security(("bearer" = [])),
    request_body(content = UserChange, example = json!({"role": "viewer", "products": null})),
    responses((status = 200, description = "The user.", body = UserBody))
)]
#[patch("/api/v1/admin/users/{id}")]
pub async fn change_user(
    app: App,
    caller: Caller<ManageUsers>,
    path: Segments<UserPath>,
    expected: IfMatch,
    body: Body<UserChange>,
) -> Result<HttpResponse, Problem> {
    let by = caller.person()?.id;
    let changed = users::change(&app.context, &app.authentication, by, path.0.id, expected.0, body.0).await?;
    Ok(answer(&app, StatusCode::OK, changed))
}

/// Remove a user; their sessions end at once. The last owner cannot be removed.
///
/// A removed user cannot come back through the identity provider: an owner has to add their address again.
/// API tokens that they made stay valid; delete those that they may have copied.
#[utoipa::path(
    tag = "Admin",
    params(UserPath, IfMatch),
    security(("bearer" = [])),
    responses((status = 204, description = "The user is removed."))
)]
#[delete("/api/v1/admin/users/{id}")]
pub async fn delete_user(
    app: App,
    _caller: Caller<ManageUsers>,
    path: Segments<UserPath>,
    expected: IfMatch,
) -> Result<HttpResponse, Problem> {
    users::delete(&app.context, path.0.id, expected.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
