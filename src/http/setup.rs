//! The one-time link of the first start, which creates the first administrator.

use actix_web::{
    HttpResponse, get,
    http::{StatusCode, header},
    post,
};
use aws_lc_rs::constant_time;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::id::UserId,
    http::{
        App, Problem,
        extract::{Body, Query},
        headers, json,
    },
    services::{Code, people::log_in},
};

/// The link's token.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SetupQuery {
    /// From the link that the first start printed.
    #[param(example = "from the link")]
    token: String,
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstAdministrator {
    /// From the link that the first start printed.
    token: String,
    /// The e-mail address to log in with.
    #[schema(format = Email)]
    email: String,
    /// At least 8 characters.
    #[schema(format = Password, min_length = 8, max_length = 512)]
    password: String,
}

/// The new administrator.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeAdministrator {
    /// Their id.
    id: UserId,
    /// The e-mail address to log in with.
    email: String,
}

fn check(app: &App, token: &str) -> Result<(), Problem> {
    let good = app
        .setup_token
        .as_ref()
        .is_some_and(|known| constant_time::verify_slices_are_equal(known.as_bytes(), token.as_bytes()).is_ok());
    if good {
        Ok(())
    } else {
        Err(Problem::new(
            Code::SetupLinkInvalid,
            "this set-up link is invalid or was used; the newest one is in the server's output",
        ))
    }
}

/// Show the page behind the one-time link.
#[utoipa::path(
    tag = "Session",
    params(SetupQuery),
    responses((status = 200, description = "A form for the first administrator.", content_type = "text/html", body = String),
        (status = 403, description = "The link is invalid or was used.", content_type = "application/problem+json", body = crate::http::error::ProblemBody))
)]
#[get("/setup")]
pub async fn show_setup(app: App, query: Query<SetupQuery>) -> Result<HttpResponse, Problem> {
    check(&app, &query.0.token)?;
    if log_in::is_set_up(&app.context).await? {
        return Err(Problem::new(Code::SetupLinkInvalid, "there is an administrator already; log in"));
    }
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, headers::FORM))
        .body(include_str!("setup.html")))
}

/// Make the first administrator.
#[utoipa::path(
    tag = "Session",
    request_body(content = FirstAdministrator, example = json!({"token": "from the link", "email": "anna@example.com", "password": "correct horse battery staple"})),
    responses((status = 201, description = "The administrator; they can log in now.", body = MadeAdministrator),
        (status = 403, description = "The link is invalid or was used.", content_type = "application/problem+json", body = crate::http::error::ProblemBody))
)]
#[post("/api/v1/auth/setup")]
pub async fn set_up(app: App, body: Body<FirstAdministrator>) -> Result<HttpResponse, Problem> {
    let FirstAdministrator { token, email, password } = body.0;
    check(&app, &token)?;
    let user = log_in::set_up(&app.context, &app.authentication, &email, password).await?;
    Ok(json::answer(StatusCode::CREATED, &MadeAdministrator { id: user.id, email: user.email }))
}
