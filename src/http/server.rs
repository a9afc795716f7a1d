//! The server: it listens, and hands requests to the routes.

use std::{io, net::TcpListener};

use actix_web::{App as ActixApp, HttpServer, dev::Server, middleware::from_fn, web};
use utoipa_actix_web::AppExt as _;

use super::{App, extract::body::JSON_LIMIT, middleware, routes};
use crate::config::ServerConfig;

/// Starts to listen. The caller awaits the server, and stops it.
///
/// # Errors
/// When the operating system refuses.
pub fn start(app: App, listener: TcpListener, config: &ServerConfig) -> io::Result<Server> {
    // Made once here, and not by the first request that wants it.
    let _ = super::openapi::document();
    let workers = match config.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        set => set,
    };
    let server = HttpServer::new(move || {
        ActixApp::new()
            .into_utoipa_app()
            .app_data(app.clone())
            .app_data(web::PayloadConfig::new(JSON_LIMIT))
            .configure(routes::described)
            .into_app()
            .configure(routes::documentation)
            .default_service(web::to(routes::unknown))
            .wrap(from_fn(middleware::guard))
    });
    Ok(server
        .workers(workers)
        .shutdown_timeout(config.shutdown_timeout.0.as_secs())
        .disable_signals()
        .listen(listener)?
        .run())
}
