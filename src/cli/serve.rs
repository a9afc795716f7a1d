//! `sluice serve`: the server.

pub mod demo;

use std::{
    io::IsTerminal as _,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{dev::ServerHandle, web};
use clap::Args;
use socket2::{Domain, Socket, Type};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{failure::Failure, machine::say};
use crate::{
    app::{App, StartError},
    config::{Config, LogFormat},
    http::server,
    jobs::Jobs,
    services::people::single_sign_on,
    store::StoreError,
};

/// Connections that may wait to be accepted: all programs of a company start at eight in the morning.
const BACKLOG: i32 = 4096;

/// A client that acknowledges no bytes for this long is disconnected. Downloads continue with `Range`.
const TAKES_NOTHING: Duration = Duration::from_mins(2);

/// How often to try to reach a database that is away at the start.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// How long the jobs may take to finish.
const LAST_WRITES: Duration = Duration::from_secs(15);

/// Log every nth failed attempt.
const SAY_EVERY: u32 = 30;

/// Run the server.
///
/// Without any configuration it listens on 127.0.0.1:8080 and keeps everything under ./data (`SQLite` and files). At
/// the first start it prints a one-time link to create the first administrator, unless `auth.bootstrap_email` and
/// `auth.bootstrap_password` are set. On SIGTERM or Ctrl-C it finishes the requests that are under way and stops.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  sluice serve --demo
  SLUICE__SERVER__BIND=0.0.0.0:8080 SLUICE__SERVER__PUBLIC_URL=https://updates.example.com sluice serve
  sluice --config /etc/sluice/sluice.toml serve")]
pub struct ServeArgs {
    /// Fill an empty data folder with a made-up vendor, and print curl lines to try. The data is kept under ./demo-data
    /// unless data.folder says otherwise
    #[arg(long)]
    demo: bool,
}

/// Runs the server until it is told to stop.
pub fn run(arguments: &ServeArgs, config: &Config) -> Result<(), Failure> {
    let mut config = config.clone();
    if arguments.demo {
        demo::adapt(&mut config)?;
    }
    start_log(&config)?;
    let listener = listen(config.server.bind)?;
    let bound = listener.local_addr().map_err(|error| Failure::failed(&error))?;
    actix_web::rt::System::new().block_on(async {
        // Before anything else: the first process of a container ignores signals without handlers, and a signal that
        // arrives before a handler exists is lost.
        let mut stop = StopSignal::listen()?;
        let app = tokio::select! {
            app = build(&config, bound, &listener) => app?,
            () = stop.told() => return Ok(()),
        };
        serve(app, listener, &config, arguments.demo, stop).await
    })
}

/// Builds the application. If the database is away, this waits for it, and requests are answered that the server is
/// starting.
async fn build(config: &Config, bound: SocketAddr, listener: &TcpListener) -> Result<App, Failure> {
    let mut waiting: Option<ServerHandle> = None;
    let mut tries: u32 = 0;
    loop {
        let for_this_try = config.clone();
        let built = web::block(move || App::build(&for_this_try, bound)).await;
        match built.map_err(|error| Failure::failed(&error))? {
            Ok(app) => {
                if let Some(waiting) = waiting {
                    waiting.stop(true).await;
                }
                return Ok(app);
            }
            Err(StartError::Store(StoreError::Unavailable(text))) if config.database.is_shared() => {
                if tries.is_multiple_of(SAY_EVERY) {
                    tracing::warn!("waiting for the database: {text}");
                }
                tries = tries.saturating_add(1);
            }
            Err(error) => return Err(Failure::failed(&error)),
        }
        if waiting.is_none() {
            let server =
                listener.try_clone().and_then(server::start_waiting).map_err(|error| Failure::failed(&error))?;
            waiting = Some(server.handle());
            actix_web::rt::spawn(server);
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
}

/// Waits for SIGTERM or Ctrl-C.
struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    fn listen() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::failed(&format!("cannot wait for signals: {error}"));
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn serve(
    mut app: App,
    listener: TcpListener,
    config: &Config,
    demo: bool,
    mut stop: StopSignal,
) -> Result<(), Failure> {
    let demo = match demo {
        true => Some(demo::fill(&app, config).await?),
        false => None,
    };
    app.bootstrap(config).await.map_err(|error| Failure::failed(&error))?;
    let bound = listener.local_addr().map_err(|error| Failure::failed(&error))?;
    let app = web::Data::new(app);
    let server = server::start(app.clone(), listener, &config.server).map_err(|error| Failure::failed(&error))?;
    let jobs = Jobs::start(&app, config.checks.sightings_every.0);
    welcome(&app, bound, config, demo);
    actix_web::rt::spawn(single_sign_on::look_for_provider(Arc::clone(&app.context), Arc::clone(&app.authentication)));
    let handle = server.handle();
    actix_web::rt::spawn(async move {
        stop.told().await;
        tracing::info!("stopping: finishing the requests that are under way");
        handle.stop(true).await;
    });
    let ended = server.await;
    if tokio::time::timeout(LAST_WRITES, jobs.stop()).await.is_err() {
        // A database that hangs would delay the end forever. Nothing that was acknowledged waits to be written.
        tracing::error!("the last sightings were not written within {} s", LAST_WRITES.as_secs());
        std::process::exit(1);
    }
    if let Err(error) = app.context.store.settle() {
        tracing::warn!(%error, "the write-ahead log was not merged into the database; the next start will do it");
    }
    ended.map_err(|error| Failure::failed(&error))
}

/// Binds the address first, so that a busy one is reported before anything else is touched.
fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let take = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        // Accepted connections inherit this.
        socket.set_tcp_user_timeout(Some(TAKES_NOTHING))?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    take().map_err(|error: std::io::Error| {
        Failure::failed(&format!("cannot listen on {address}: {error}; stop the program that uses it, or choose another address with server.bind"))
    })
}

fn start_log(config: &Config) -> Result<(), Failure> {
    // The HTTP parser would log invalid requests as errors of the server, as often as a stranger likes.
    let filter = format!("actix_http=off,{}", config.log.filter);
    let filter = EnvFilter::try_new(filter).map_err(|error| Failure {
        exit_code: 2,
        message: format!("configuration: log.filter: `{}` is not a valid filter: {error}", config.log.filter),
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.log.format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| Failure::failed(&error))
}

/// What the operator wants to know first.
fn welcome(app: &App, bound: SocketAddr, config: &Config, demo: Option<demo::Stage>) {
    let address = &app.context.settings.public_url;
    say(format_args!("Sluice {} listens on http://{bound}", env!("CARGO_PKG_VERSION")));
    say(format_args!("  data folder    {}", config.data.folder.display()));
    say(format_args!("  public address {address}"));
    say(format_args!("  API            {address}/docs/"));
    if let Some(link) = app.setup_link() {
        say(format_args!("\nThere is no administrator yet. Create one with this link; it works once:\n  {link}"));
    }
    if let Some(stage) = demo {
        demo::print(&app.context, config, stage);
    }
}
