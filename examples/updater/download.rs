//! An artifact onto the disk: in constant memory, hashed while it arrives, and resumed after whatever broke it off.
//!
//! What has arrived lies in `<sha256>.part`, with the server's `ETag` in `<sha256>.etag` beside it. A later attempt, in
//! this process or in the next one, asks only for the rest (`Range`), and only of the same file (`If-Range`).

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use aws_lc_rs::digest;
use reqwest::{
    StatusCode,
    blocking::{Client as Http, Response},
    header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_RANGE, RANGE},
};

use super::{
    backoff::Backoff,
    client::{problem, retry_after, unreachable_server},
    durable,
    failure::Failure,
    wire::{Artifact, Sha256},
};

/// Memory that a download takes, whatever its size.
const PIECE: usize = 64 * 1024;

/// How often a new link is asked for. A link lives for minutes, so this many are hours.
const MOST_LINKS: u32 = 50;

/// Where downloads go, and how patiently.
pub struct Downloader<'a> {
    /// The client for signed links.
    pub http: &'a Http,
    /// The folder for the files.
    pub folder: &'a Path,
    /// Pauses and number of retries. An attempt that brought something starts the count anew.
    pub backoff: Backoff,
}

/// Why an attempt did not bring the whole file.
enum Interruption {
    /// The link is no longer good: a new check brings another.
    Link(Failure),
    /// The line or the server: try again, perhaps after a pause that the server asked for.
    Line(Failure, Option<Duration>),
    /// It makes no sense to try again.
    Final(Failure),
}

impl From<Failure> for Interruption {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

impl Downloader<'_> {
    /// Brings the artifact's file, with exactly the promised content, and returns where it lies.
    ///
    /// `renew` makes a new check for a fresh link; `progress` is told bytes there and bytes in all.
    pub fn fetch(
        &self,
        artifact: &Artifact,
        renew: &mut dyn FnMut() -> Result<Artifact, Failure>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<PathBuf, Failure> {
        let complete = self.folder.join(format!("{}.archive", artifact.sha256));
        if let Some(there) = Part::open(&complete, artifact)? {
            if there.is_whole() {
                return Ok(complete);
            }
            durable::remove(&complete)?;
        }

        let mut part = self.part(artifact)?;
        let (mut url, mut links, mut retry, mut begun_anew) = (artifact.url.clone(), 0, 0, false);
        loop {
            let before = part.length;
            let interruption = match self.attempt(&url, &mut part, progress) {
                Ok(()) if part.is_whole() => break,
                // The bytes are all there, but they are not the right ones. They may have been damaged on the way, or
                // on this disk since an earlier attempt: fetch them once more from the start before giving up.
                Ok(()) if begun_anew => {
                    part.discard()?;
                    return Err(Failure::integrity(
                        "sha256_mismatch",
                        format!("the downloaded file is not what the vendor published (sha256 {})", artifact.sha256),
                    ));
                }
                Ok(()) => {
                    begun_anew = true;
                    part.discard()?;
                    continue;
                }
                Err(interruption) => interruption,
            };
            match interruption {
                Interruption::Link(failure) if links >= MOST_LINKS => return Err(failure),
                Interruption::Link(_) => {
                    links += 1;
                    let renewed = renew()?;
                    if renewed.sha256 != artifact.sha256 {
                        let sentence = "the update changed while it was being downloaded; start again";
                        return Err(Failure::network("offer_changed", sentence));
                    }
                    if part.length == before && links > 1 {
                        // A fresh link that is refused at once: do not hammer the server.
                        self.backoff.wait(links.min(8), None);
                    }
                    url = renewed.url;
                }
                Interruption::Line(failure, asked_for) => {
                    retry = if part.length > before { 0 } else { retry };
                    if retry >= self.backoff.retries {
                        return Err(failure);
                    }
                    self.backoff.wait(retry, asked_for);
                    retry += 1;
                }
                Interruption::Final(failure) => return Err(failure),
            }
        }
        part.file.sync_all().map_err(Failure::io("sync", &part.path))?;
        durable::rename(&part.path, &complete)?;
        durable::remove(&part.etag_path())?;
        Ok(complete)
    }

    /// What an earlier attempt left, or an empty start.
    fn part(&self, artifact: &Artifact) -> Result<Part, Failure> {
        let path = self.folder.join(format!("{}.part", artifact.sha256));
        if !path.exists() {
            File::create(&path).map_err(Failure::io("create", &path))?;
        }
        let mut part = Part::open(&path, artifact)?
            .ok_or_else(|| Failure::internal("file_vanished", format!("{} vanished", path.display())))?;
        part.etag = durable::absent_as_none(fs::read_to_string(part.etag_path()))
            .map_err(Failure::io("read", &path))?
            .filter(|etag| !etag.is_empty());
        // Without an ETag nothing says that the rest would be of the same file.
        if part.length > part.size || (part.length > 0 && part.etag.is_none()) {
            part.discard()?;
        }
        Ok(part)
    }

    /// One request; what it brings goes to the part. `Ok` means that all bytes are there.
    fn attempt(&self, url: &str, part: &mut Part, progress: &mut dyn FnMut(u64, u64)) -> Result<(), Interruption> {
        if part.length == part.size {
            return Ok(());
        }
        let mut request = self.http.get(url);
        if let (1.., Some(etag)) = (part.length, &part.etag) {
            request = request.header(RANGE, format!("bytes={}-", part.length)).header(IF_RANGE, etag);
        }
        let mut answer = request.send().map_err(|error| Interruption::Line(unreachable_server(&error), None))?;
        match answer.status() {
            StatusCode::OK => part.discard()?,
            StatusCode::PARTIAL_CONTENT if continues_at(answer.headers(), part.length, part.size) => {}
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                // Not the piece that was asked for. From the start, then; the empty part asks for no range.
                part.discard()?;
                return Err(Interruption::Line(problem_or(answer, "range_refused"), None));
            }
            _ => return Err(refusal(answer)),
        }
        let rest = part.size.saturating_sub(part.length);
        if let Some(announced) = number(answer.headers(), CONTENT_LENGTH).filter(|announced| *announced != rest) {
            let sentence = format!("the server announces {announced} bytes where {rest} should come");
            return Err(Interruption::Final(Failure::integrity("size_mismatch", sentence)));
        }
        part.remember_etag(answer.headers())?;

        let mut buffer = vec![0_u8; PIECE];
        loop {
            let read = answer.read(&mut buffer).map_err(|error| {
                Interruption::Line(
                    Failure::network("download_interrupted", format!("the download broke off: {error}")),
                    None,
                )
            })?;
            let piece = buffer.get(..read).unwrap_or_default();
            if piece.is_empty() {
                break;
            }
            part.append(piece)?;
            progress(part.length, part.size);
        }
        if part.length < part.size {
            let sentence = format!("the download broke off after {} of {} bytes", part.length, part.size);
            return Err(Interruption::Line(Failure::network("download_interrupted", sentence), None));
        }
        Ok(())
    }
}

/// A file that is on its way.
struct Part {
    path: PathBuf,
    file: File,
    hash: digest::Context,
    length: u64,
    size: u64,
    sha256: Sha256,
    etag: Option<String>,
}

impl Part {
    /// Opens what is there and hashes it, so that the hash can go on from where the file ends.
    fn open(path: &Path, artifact: &Artifact) -> Result<Option<Self>, Failure> {
        let opened = OpenOptions::new().read(true).write(true).open(path);
        let Some(mut file) = durable::absent_as_none(opened).map_err(Failure::io("open", path))? else {
            return Ok(None);
        };
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut length = 0_u64;
        let mut buffer = vec![0_u8; PIECE];
        loop {
            let read = file.read(&mut buffer).map_err(Failure::io("read", path))?;
            let piece = buffer.get(..read).unwrap_or_default();
            if piece.is_empty() {
                break;
            }
            hash.update(piece);
            length = length.saturating_add(length_of(piece));
        }
        let (size, sha256) = (artifact.size, artifact.sha256.clone());
        Ok(Some(Self { path: path.to_owned(), file, hash, length, size, sha256, etag: None }))
    }

    fn is_whole(&self) -> bool {
        self.length == self.size && Sha256::of_digest(self.hash.clone().finish().as_ref()) == self.sha256
    }

    fn append(&mut self, piece: &[u8]) -> Result<(), Failure> {
        let length = self.length.saturating_add(length_of(piece));
        if length > self.size {
            let sentence = format!("the server sends more than the {} bytes of the file", self.size);
            return Err(Failure::integrity("size_mismatch", sentence));
        }
        self.file.write_all(piece).map_err(Failure::io("write", &self.path))?;
        self.hash.update(piece);
        self.length = length;
        Ok(())
    }

    /// Back to an empty file. The `ETag` goes first: a kill in between must not leave it beside foreign bytes.
    fn discard(&mut self) -> Result<(), Failure> {
        durable::remove(&self.etag_path())?;
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .map_err(Failure::io("empty", &self.path))?;
        self.hash = digest::Context::new(&digest::SHA256);
        self.length = 0;
        self.etag = None;
        Ok(())
    }

    /// Keeps the `ETag` for the next attempt. A weak one does not promise the same bytes and is no use.
    fn remember_etag(&mut self, headers: &HeaderMap) -> Result<(), Failure> {
        let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok()).filter(|etag| !etag.starts_with("W/"));
        if let Some(etag) = etag.filter(|etag| self.etag.as_deref() != Some(*etag)) {
            durable::write(&self.etag_path(), etag.as_bytes())?;
            self.etag = Some(etag.to_owned());
        }
        Ok(())
    }

    fn etag_path(&self) -> PathBuf {
        self.path.with_extension("etag")
    }
}

/// Whether a 206 is the piece that starts where the file ends, of a file of the right size:
/// `Content-Range: bytes 1000-4999/5000`.
fn continues_at(headers: &HeaderMap, length: u64, size: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let parsed = range.and_then(|range| {
        let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        Some((span.split_once('-')?.0.parse::<u64>().ok()?, total.parse::<u64>().ok()?))
    });
    length > 0 && parsed == Some((length, size))
}

/// What an error answer to a download means for the next attempt.
fn refusal(answer: Response) -> Interruption {
    let (status, asked_for) = (answer.status(), retry_after(&answer));
    let failure = problem(answer);
    match status {
        // Withdrawn means withdrawn: a new check would not offer it.
        StatusCode::FORBIDDEN if failure.code == "url_withdrawn" => Interruption::Final(failure),
        // `url_expired` of the server, or the XML of an object store that it redirected to.
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Interruption::Link(failure),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Interruption::Line(failure, asked_for),
        status if status.is_server_error() => Interruption::Line(failure, asked_for),
        _ => Interruption::Final(failure),
    }
}

fn problem_or(answer: Response, code: &'static str) -> Failure {
    if answer.status().is_success() {
        Failure::network(code, "the server sent another piece than the one that was asked for")
    } else {
        problem(answer)
    }
}

fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn length_of(piece: &[u8]) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}
