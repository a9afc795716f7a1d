//! Logins through an identity provider. They begin and end in a browser; there is no page for it yet, so what it shows
//! at the end is the JSON of any login.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    get,
    http::{StatusCode, header},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::session::{TokensBody, count_login};
use crate::{
    http::{
        App, Problem,
        error::ProblemBody,
        extract::{ClientAddress, Query},
        json,
    },
    services::people::single_sign_on::{self, Arrival, TIME},
};

/// What the provider sends back. Other parameters are ignored (RFC 6749, section 4.1.2).
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReturnQuery {
    /// The code to fetch the login with.
    code: Option<String>,
    /// The `state` that the login began with.
    state: Option<String>,
    /// The provider's issuer identifier (RFC 9207).
    iss: Option<String>,
    /// The error code of the provider, where it refuses the login.
    error: Option<String>,
    /// The same as a sentence.
    error_description: Option<String>,
}

/// The cookie that a browser keeps while its user is at the provider. Its prefix keeps other hosts of the domain from
/// setting it.
fn cookie(app: &App, value: String) -> Cookie<'static> {
    let name = if app.is_https { "__Host-sluice-sso" } else { "sluice-sso" };
    // `Lax`: it has to come along when the provider sends the browser back.
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .secure(app.is_https)
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(TIME.as_secs()))
        .finish()
}

/// Begin a login through the identity provider.
///
/// For browsers: they are sent to the provider, which sends them back to `/api/v1/auth/sso/callback` within ten
/// minutes. A cookie tells that it is the same browser.
#[utoipa::path(
    tag = "Session",
    responses((status = 303, description = "To the provider.", headers(("Location" = String, description = "Where to log in."))),
        (status = 404, description = "Single sign-on is not configured.", content_type = "application/problem+json", body = ProblemBody),
        (status = 503, description = "The provider is unavailable.", content_type = "application/problem+json", body = ProblemBody))
)]
#[get("/api/v1/auth/sso")]
pub async fn begin_single_sign_on(app: App, address: ClientAddress) -> Result<HttpResponse, Problem> {
    count_login(&app, address)?;
    let departure = single_sign_on::begin(&app.context, &app.authentication).await?;
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, departure.url))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(cookie(&app, departure.kept))
        .finish())
}

/// Complete a login through the identity provider.
///
/// The provider sends browsers back here. The answer is that of any login. The role is the one that the user's groups
/// at the provider bring, at every login.
#[utoipa::path(
    tag = "Session",
    params(ReturnQuery),
    responses((status = 200, description = "A session.", body = TokensBody),
        (status = 401, description = "What the provider sent back is invalid.", content_type = "application/problem+json", body = ProblemBody),
        (status = 403, description = "The person is not allowed to log in.", content_type = "application/problem+json", body = ProblemBody),
        (status = 404, description = "Single sign-on is not configured.", content_type = "application/problem+json", body = ProblemBody),
        (status = 503, description = "The provider is unavailable.", content_type = "application/problem+json", body = ProblemBody))
)]
#[get("/api/v1/auth/sso/callback")]
pub async fn complete_single_sign_on(
    app: App,
    address: ClientAddress,
    request: HttpRequest,
    query: Query<ReturnQuery>,
) -> Result<HttpResponse, Problem> {
    count_login(&app, address)?;
    let mut kept = cookie(&app, String::new());
    let ReturnQuery { code, state, iss, error, error_description } = query.0;
    let arrival = Arrival {
        code,
        state,
        issuer: iss,
        error,
        error_description,
        kept: request.cookie(kept.name()).map(|kept| kept.value().to_owned()),
        address: Some(address.0),
    };
    let tokens = single_sign_on::complete(&app.context, &app.authentication, arrival).await?;
    let mut response = json::answer(StatusCode::OK, &TokensBody::of(tokens));
    kept.make_removal();
    // This cookie is valid, so writing it cannot fail.
    response.add_cookie(&kept).map_err(|error| Problem(crate::services::Refusal::internal(&error)))?;
    Ok(response)
}
