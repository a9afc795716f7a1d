//! What Sluice is compared with: programs that do only what cannot be left out.

use std::{
    fmt,
    fs::File,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{App, HttpResponse, HttpServer, http::header, web};
use aws_lc_rs::digest;
use bytes::Bytes;
use clap::ValueEnum;

use crate::Outcome;

/// The answers of the bare handler, in its folder: one per file.
pub const ANSWERS: &str = "answers";

/// Which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Answers checks with what Sluice answered before, without looking at what is asked.
    Checks,
    /// Hashes what it is sent and writes it to the disk.
    Uploads,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Checks => "checks",
            Self::Uploads => "uploads",
        })
    }
}

/// Serves until it is killed.
pub fn run(kind: Kind, folder: &Path) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listens on http://{}", listener.local_addr()?);
    match kind {
        Kind::Checks => answer_checks(listener, folder),
        Kind::Uploads => take_uploads(&listener, folder),
    }
}

fn answer_checks(listener: TcpListener, folder: &Path) -> Outcome<()> {
    let mut answers = Vec::new();
    for entry in std::fs::read_dir(folder.join(ANSWERS))? {
        answers.push(Bytes::from(std::fs::read(entry?.path())?));
    }
    let answers: Arc<[Bytes]> = answers.into();
    let next = Arc::new(AtomicUsize::new(0));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let server = HttpServer::new(move || {
        let (answers, next) = (Arc::clone(&answers), Arc::clone(&next));
        App::new().route(
            "/api/v1/check",
            web::get().to(move || {
                let answer = answers[next.fetch_add(1, Ordering::Relaxed) % answers.len()].clone();
                async move {
                    HttpResponse::Ok()
                        .content_type("application/json")
                        .insert_header((header::CACHE_CONTROL, "no-store"))
                        .body(answer)
                }
            }),
        )
    });
    let server = server.workers(workers).disable_signals().listen(listener)?;
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}

fn take_uploads(listener: &TcpListener, folder: &Path) -> Outcome<()> {
    let mut piece = vec![0; 256 << 10];
    loop {
        let (mut stream, _) = listener.accept()?;
        let incoming = folder.join("bare-incoming");
        let mut file = File::create(&incoming)?;
        let mut hash = digest::Context::new(&digest::SHA256);
        loop {
            let length = stream.read(&mut piece)?;
            if length == 0 {
                break;
            }
            hash.update(&piece[..length]);
            file.write_all(&piece[..length])?;
        }
        file.sync_all()?;
        std::fs::rename(&incoming, folder.join("bare-content"))?;
        File::open(folder)?.sync_all()?;
        stream.write_all(hash.finish().as_ref())?;
    }
}
