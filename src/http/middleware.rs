//! The middleware around every request.

use std::time::Duration;

use actix_web::{
    Error, ResponseError as _,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use futures_util::FutureExt as _;

use super::{
    Problem,
    extract::{ClientAddress, caller},
    headers, routes,
};
use crate::{
    app::App,
    services::{Code, Refusal, desk::acting},
};

/// For how many seconds this replica has not followed the others' changes (contract, end of section 3).
const STALE: HeaderName = HeaderName::from_static("sluice-stale");

fn stale_for<B>(response: &ServiceResponse<B>) -> Option<Duration> {
    response.request().app_data::<web::Data<App>>()?.following.stale_for()
}

/// Adds only the security headers, for a server that waits for its database.
///
/// # Errors
/// What the handlers could not turn into a response.
pub async fn dress<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let policy = headers::policy(request.path());
    let mut response = next.call(request).await?;
    headers::add(response.headers_mut(), policy, false);
    Ok(response)
}

/// Refusals with these codes may be attempts to guess credentials.
const GUESSES: [Code; 10] = [
    Code::AuthorizationInvalid,
    Code::IdentityRefused,
    Code::LicenseKeyMistyped,
    Code::LicenseKeyUnknown,
    Code::LicenseKeyRevoked,
    Code::LoginFailed,
    Code::RefreshTokenInvalid,
    Code::SetupLinkInvalid,
    Code::SingleSignOnFailed,
    Code::UrlInvalid,
];

/// Counts refused credentials by address. An address with too many is told to wait. Valid credentials are
/// accepted all the same, as hundreds of others may share the address.
fn refuse_guesses<B>(response: &ServiceResponse<B>) -> Option<Problem> {
    if !matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return None;
    }
    let code = response.response().error()?.as_error::<Problem>()?.0.code;
    let app = response.request().app_data::<web::Data<App>>().filter(|_| GUESSES.contains(&code))?;
    let wait = app.limits.failures.count(&ClientAddress::of(response.request()).network()).err()?;
    Some(Problem(Refusal::too_many("invalid credentials from this address", wait)))
}

/// Adds the headers that every answer has.
fn finish<B>(response: &mut ServiceResponse<B>, policy: HeaderValue, is_https: bool) {
    if response.status() == StatusCode::TOO_MANY_REQUESTS
        && let Some(app) = response.request().app_data::<web::Data<App>>()
    {
        app.metrics.limited.inc();
    }
    let stale_for = stale_for(response);
    headers::add(response.headers_mut(), policy, is_https);
    if let Some(age) = stale_for {
        response.headers_mut().insert(STALE, age.as_secs().into());
    }
}

/// Turns a panic into a 500 instead of a cut connection, refuses queries that no operation reads, identifies
/// callers, counts guesses of credentials, adds security headers, and logs every answer at level
/// `debug`.
///
/// # Errors
/// What the handlers could not turn into a response.
pub async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let policy = headers::policy(request.path());
    let is_https = request.app_data::<web::Data<App>>().is_some_and(|app| app.is_https);
    let (method, path) = match tracing::enabled!(tracing::Level::DEBUG) {
        true => (Some(request.method().clone()), request.path().to_owned()),
        false => (None, String::new()),
    };
    // The check, by far the most frequent request, reads its query itself.
    if !request.query_string().is_empty()
        && request.path() != "/api/v1/check"
        && let Some(problem) = routes::refuse_query(request.method(), request.path(), request.query_string())
    {
        let mut response = problem.error_response();
        headers::add(response.headers_mut(), policy, is_https);
        return Ok(request.into_response(response).map_into_right_body());
    }
    let answering = async {
        caller::identify(&request).await;
        // Safe methods change nothing, so their actor is not needed.
        if request.method().is_safe() {
            return next.call(request).await;
        }
        let acting = caller::acting(&request);
        acting::acting_as(acting, next.call(request)).await
    };
    let Ok(answered) = std::panic::AssertUnwindSafe(answering).catch_unwind().await else {
        let problem = Problem(Refusal::internal(&"a handler panicked"));
        let mut response = problem.error_response();
        headers::add(response.headers_mut(), policy, is_https);
        return Err(InternalError::from_response(problem, response).into());
    };
    let answered = answered?;
    let mut response = match refuse_guesses(&answered) {
        Some(problem) => answered.into_response(problem.error_response()).map_into_right_body(),
        None => answered.map_into_left_body(),
    };
    finish(&mut response, policy, is_https);
    if let Some(method) = method {
        let ClientAddress(from) = ClientAddress::of(response.request());
        tracing::debug!(%method, path, address = %from, status = response.status().as_u16(), "answered");
    }
    Ok(response)
}
