//! What happens around every request.

use std::time::Duration;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::HeaderName,
    middleware::Next,
    web,
};
use futures_util::FutureExt as _;

use super::{Problem, extract::caller, routes};
use crate::{app::App, services::Refusal};

/// Says for how many seconds others may have changed what is not known here (contract, end of section 3).
const STALE: HeaderName = HeaderName::from_static("sluice-stale");

fn stale_for<B>(response: &ServiceResponse<B>) -> Option<Duration> {
    response.request().app_data::<web::Data<App>>()?.context.following.stale_for()
}

/// Turns a panic into a 500, as no fault of ours may cut a connection; refuses queries that nobody reads; finds out who
/// asks; writes every answer to the log where somebody asked for it (`debug`).
///
/// # Errors
/// What the handlers could not turn into a response.
pub async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let (method, path, peer) = match tracing::enabled!(tracing::Level::DEBUG) {
        true => (Some(request.method().clone()), request.path().to_owned(), request.peer_addr()),
        false => (None, String::new(), None),
    };
    // The check, by far the most asked for, reads its query itself.
    if !request.query_string().is_empty()
        && request.path() != "/api/v1/check"
        && let Some(problem) = routes::refuse_query(request.method(), request.path(), request.query_string())
    {
        return Err(problem.into());
    }
    let answering = async {
        caller::identify(&request).await;
        next.call(request).await
    };
    match std::panic::AssertUnwindSafe(answering).catch_unwind().await {
        Ok(answered) => {
            let mut response = answered?;
            if let Some(age) = stale_for(&response) {
                response.headers_mut().insert(STALE, age.as_secs().into());
            }
            if let Some(method) = method {
                tracing::debug!(%method, path, ?peer, status = response.status().as_u16(), "answered");
            }
            Ok(response)
        }
        Err(_) => Err(Problem(Refusal::internal(&"a handler panicked")).into()),
    }
}
