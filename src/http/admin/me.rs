//! The logged-in user: profile, password, second factor.

use actix_web::{HttpResponse, delete, get, http::StatusCode, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::users::UserBody;
use crate::{
    http::{
        App, Problem,
        extract::{Body, Caller, caller::ActForOneself},
        json,
    },
    services::people::{second_factor, users},
};

/// A change of one's own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The current password.
    #[schema(format = Password, max_length = 512)]
    current_password: String,
    /// The new password.
    #[schema(format = Password, min_length = 8, max_length = 512)]
    password: String,
}

/// The user's current password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrentPassword {
    /// The current password.
    #[schema(format = Password, max_length = 512)]
    current_password: String,
}

/// A code of the user's second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OtpBody {
    /// The code that the device shows; to remove the second factor, a recovery code is accepted too.
    #[schema(max_length = 64, example = "123456")]
    otp: String,
}

/// A second factor that is still to be confirmed.
#[derive(Serialize, ToSchema)]
pub struct NewSecondFactor {
    /// The secret in base32, to type in; it is not shown again.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// The secret as an `otpauth` URI, for a QR code.
    uri: String,
}

/// Recovery codes.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each is valid for one login without the device. They are not shown again.
    recovery_codes: Vec<String>,
}

/// Show who is logged in.
#[utoipa::path(tag = "Session", security(("bearer" = [])), responses((status = 200, description = "The person.", body = UserBody)))]
#[get("/api/v1/auth/me")]
pub async fn get_me(app: App, caller: Caller<ActForOneself>) -> Result<HttpResponse, Problem> {
    let user = users::get(&app.context, caller.person()?.id).await?;
    let revision = user.revision;
    Ok(json::answer_with_etag(StatusCode::OK, revision, &UserBody::of(&app.context.directory.catalogue(), user)))
}

/// Change one's own password.
///
/// All sessions of the user end at once, on every replica, including this one.
#[utoipa::path(
    tag = "Session",
    security(("bearer" = [])),
    request_body(content = PasswordChange, example = json!({"current_password": "demo-password", "password": "demo-password"})),
    responses((status = 204, description = "The password is changed; log in again."))
)]
#[patch("/api/v1/auth/me")]
pub async fn change_own_password(
    app: App,
    caller: Caller<ActForOneself>,
    body: Body<PasswordChange>,
) -> Result<HttpResponse, Problem> {
    let PasswordChange { current_password, password } = body.0;
    users::change_own_password(&app.context, &app.authentication, caller.person()?.id, current_password, password)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Begin a second factor (TOTP, RFC 6238).
///
/// It takes effect once it is confirmed with a code; until then it can be started again.
#[utoipa::path(
    tag = "Session",
    security(("bearer" = [])),
    request_body(content = CurrentPassword, example = json!({"current_password": "demo-password"})),
    responses((status = 200, description = "The secret for the device.", body = NewSecondFactor))
)]
#[post("/api/v1/auth/me/totp")]
pub async fn begin_second_factor(
    app: App,
    caller: Caller<ActForOneself>,
    body: Body<CurrentPassword>,
) -> Result<HttpResponse, Problem> {
    let (secret, email) =
        second_factor::begin(&app.context, &app.authentication, caller.person()?.id, body.0.current_password).await?;
    Ok(json::answer(StatusCode::OK, &NewSecondFactor { secret: secret.to_text(), uri: secret.to_uri(&email) }))
}

/// Confirm a second factor with a code of the device; only this answer has the recovery codes.
#[utoipa::path(
    tag = "Session",
    security(("bearer" = [])),
    request_body(content = OtpBody, example = json!({"otp": "123456"})),
    responses((status = 200, description = "From now on a login takes a code.", body = RecoveryCodes))
)]
#[post("/api/v1/auth/me/totp/confirm")]
pub async fn confirm_second_factor(
    app: App,
    caller: Caller<ActForOneself>,
    body: Body<OtpBody>,
) -> Result<HttpResponse, Problem> {
    let recovery_codes =
        second_factor::confirm(&app.context, &app.authentication, &caller.person()?.session, body.0.otp).await?;
    Ok(json::answer(StatusCode::OK, &RecoveryCodes { recovery_codes }))
}

/// Remove one's second factor, with a code of it or a recovery code.
#[utoipa::path(
    tag = "Session",
    security(("bearer" = [])),
    request_body(content = OtpBody, example = json!({"otp": "123456"})),
    responses((status = 204, description = "It is deleted."))
)]
#[delete("/api/v1/auth/me/totp")]
pub async fn remove_second_factor(
    app: App,
    caller: Caller<ActForOneself>,
    body: Body<OtpBody>,
) -> Result<HttpResponse, Problem> {
    second_factor::remove(&app.context, &app.authentication, &caller.person()?.session, body.0.otp).await?;
    Ok(HttpResponse::NoContent().finish())
}
