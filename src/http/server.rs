//! The server: it listens, and hands requests to the routes.

use std::{io, net::TcpListener, time::Duration};

use actix_web::{
    App as ActixApp, Error, HttpRequest, HttpResponse, HttpServer, ResponseError as _,
    body::MessageBody,
    dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::from_fn,
    web,
};
use utoipa_actix_web::AppExt as _;

use super::{
    App, Problem,
    extract::body::JSON_LIMIT,
    json, middleware,
    operations::{self, Health},
    routes,
};
use crate::{config::ServerConfig, services::Code};

/// The longest time for the head of a request, from the first byte to the last.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// An idle connection is closed after this time.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Starts to listen. The caller awaits the server, and stops it.
///
/// # Errors
/// When the operating system refuses.
pub fn start(app: App, listener: TcpListener, config: &ServerConfig) -> io::Result<Server> {
    // Built once here, not by the first request that needs it.
    let _ = routes::document();
    let workers = match config.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        set => set,
    };
    let server = HttpServer::new(move || application(app.clone()));
    Ok(server
        .workers(workers)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(config.shutdown_timeout.0.as_secs())
        .disable_signals()
        .listen(listener)?
        .run())
}

/// Every route, and what happens around every request.
pub(super) fn application(
    app: App,
) -> ActixApp<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    ActixApp::new()
        .into_utoipa_app()
        .app_data(app)
        .app_data(web::PayloadConfig::new(JSON_LIMIT))
        .configure(routes::described)
        .into_app()
        .configure(routes::documentation)
        .default_service(web::to(routes::unknown))
        .wrap(from_fn(middleware::guard))
}

const WAITS: &str = "the server waits for its database";

/// Starts to answer before the database is there: the process is alive, and everything else is not ready.
///
/// # Errors
/// When the operating system refuses.
pub fn start_waiting(listener: TcpListener) -> io::Result<Server> {
    let server = HttpServer::new(|| {
        ActixApp::new()
            .service(operations::get_liveness)
            .default_service(web::to(|request: HttpRequest| async move { not_yet(&request) }))
            .wrap(from_fn(middleware::dress))
    });
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

fn not_yet(request: &HttpRequest) -> HttpResponse {
    if request.path() != "/readyz" {
        return Problem::new(Code::StorageUnavailable, WAITS).error_response();
    }
    let mut response = json::answer(StatusCode::SERVICE_UNAVAILABLE, &Health::starting(WAITS.to_owned()));
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
    response
}
