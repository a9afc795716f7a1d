//! What happens around every request.

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

/// Says for how many seconds others may have changed what is not known here (contract, end of section 3).
const STALE: HeaderName = HeaderName::from_static("sluice-stale");

fn stale_for<B>(response: &ServiceResponse<B>) -> Option<Duration> {
    response.request().app_data::<web::Data<App>>()?.context.following.stale_for()
}

/// The headers alone, for a server that waits.
///
/// # Errors
/// What the handlers could not turn into a response.
pub async fn dress<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let policy = headers::policy(request.path());
    let mut response = next.call(request).await?;
    headers::add(response.headers_mut(), policy, false);
    Ok(response)
}

/// What is refused this way may be tries to guess.
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

/// Counts refusals of credentials by address: whoever has too many is told to wait instead. Those whose credentials are good are
/// answered all the same, as they may share the address with hundreds of others.
fn refuse_guesses<B>(response: &ServiceResponse<B>) -> Option<Problem> {
    if !matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return None;
    }
    let code = response.response().error()?.as_error::<Problem>()?.0.code;
    let app = response.request().app_data::<web::Data<App>>().filter(|_| GUESSES.contains(&code))?;
    let wait = app.limits.failures.count(&ClientAddress::of(response.request()).network()).err()?;
    Some(Problem(Refusal::too_many("credentials that are not good came from this address", wait)))
}

/// Adds what every answer says.
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

/// Turns a panic into a 500, as no fault of ours may cut a connection; refuses queries that nobody reads; finds out who
/// asks, and counts who guesses; says to browsers what they may do with an answer; writes every answer to the log where somebody
/// asked for it (`debug`).
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
    // The check, by far the most asked for, reads its query itself.
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
        // What only looks changes nothing that would have to be remembered.
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
        tracing::debug!(%method, path, %from, status = response.status().as_u16(), "answered");
    }
    Ok(response)
}
