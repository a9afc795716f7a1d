//! Logins.

use actix_web::{HttpResponse, http::StatusCode, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    http::{
        App, Problem,
        extract::{Body, Caller, ClientAddress, caller::ActForOneself},
        json,
    },
    services::{
        self, Refusal,
        people::log_in::{Credentials, Tokens},
    },
};

/// Who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Their e-mail address.
    #[schema(max_length = 254, example = "admin@demo.example.com")]
    email: String,
    /// Their password.
    #[schema(format = Password, max_length = 512, example = "demo-password")]
    password: String,
    /// The code of the second factor, or a recovery code; required for users who have one.
    #[schema(max_length = 64)]
    otp: Option<String>,
}

/// A request to renew a login.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The refresh token of the login, or of its last renewal.
    #[schema(max_length = 512)]
    refresh_token: String,
}

/// The tokens of a login.
#[derive(Serialize, ToSchema)]
pub struct TokensBody {
    /// The token for `Authorization: Bearer`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// How long the access token is valid, in seconds.
    expires_in: i64,
    /// The token for the next renewal, valid once.
    refresh_token: String,
}

impl TokensBody {
    /// The tokens, as they are sent.
    #[must_use]
    pub fn of(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            token_type: "Bearer",
            expires_in: tokens.expires_in,
            refresh_token: tokens.refresh_token,
        }
    }
}

/// Counts a login attempt.
///
/// # Errors
/// `too_many_requests`.
pub fn count_login(app: &App, address: ClientAddress) -> Result<(), Refusal> {
    let counted = app.limits.logins.count(&address.network());
    counted.map_err(|wait| Refusal::too_many("logins from this address", wait))
}

/// Log in.
///
/// A failure does not say what was wrong, with one exception: the right password without the second factor is refused
/// with `otp_required`. After too many failures a user has to wait, at most a minute.
#[utoipa::path(
    tag = "Session",
    request_body(content = Login, example = json!({"email": "admin@demo.example.com", "password": "demo-password"})),
    responses((status = 200, description = "A session.", body = TokensBody), (status = 401, description = "The login failed.", content_type = "application/problem+json", body = crate::http::error::ProblemBody),
        (status = 429, description = "Too many failed attempts.", content_type = "application/problem+json", body = crate::http::error::ProblemBody, headers(("Retry-After" = u64, description = "Seconds to wait."))))
)]
#[post("/api/v1/auth/login")]
pub async fn log_in(app: App, address: ClientAddress, body: Body<Login>) -> Result<HttpResponse, Problem> {
    count_login(&app, address)?;
    let Login { email, password, otp } = body.0;
    let address = Some(address.0);
    let tokens = services::people::log_in::log_in(
        &app.context,
        &app.authentication,
        Credentials { email, password, otp, address },
    )
    .await?;
    Ok(json::answer(StatusCode::OK, &TokensBody::of(tokens)))
}

/// Renew a login.
///
/// A refresh token is valid once. If it is sent twice, it has been copied, and the whole login ends.
#[utoipa::path(
    tag = "Session",
    request_body(content = Refresh, example = json!({"refresh_token": "the refresh_token of a login"})),
    responses((status = 200, description = "The next tokens.", body = TokensBody), (status = 401, description = "The refresh token is invalid.", content_type = "application/problem+json", body = crate::http::error::ProblemBody))
)]
#[post("/api/v1/auth/refresh")]
pub async fn refresh_session(app: App, address: ClientAddress, body: Body<Refresh>) -> Result<HttpResponse, Problem> {
    let tokens =
        services::people::log_in::refresh(&app.context, &app.authentication, &body.0.refresh_token, Some(address.0))
            .await?;
    Ok(json::answer(StatusCode::OK, &TokensBody::of(tokens)))
}

/// Log out.
#[utoipa::path(tag = "Session", security(("bearer" = [])), responses((status = 204, description = "The login has ended.")))]
#[post("/api/v1/auth/logout")]
pub async fn log_out(app: App, caller: Caller<ActForOneself>) -> Result<HttpResponse, Problem> {
    services::people::log_in::log_out(&app.context, &caller.person()?.session).await?;
    Ok(HttpResponse::NoContent().finish())
}
