//! Uploads: a file is streamed in constant memory, hashed, and given up when the connection stalls.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use reqwest::{
    Body, Method,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::{ApiError, Client, read, wire};
use crate::domain::{artifact::Sha256, slug::Slug, version::Version};

/// Bytes that are read and sent at a time.
const PIECE: usize = 256 * 1024;

/// How long no bytes may move before the connection counts as dead. After the last byte the server still syncs the file
/// to its disk, which takes some seconds per GB.
const STALLED: Duration = Duration::from_mins(3);

/// How often to check whether bytes moved.
const LOOK: Duration = Duration::from_secs(5);

/// A file to upload.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    pub product: &'a Slug,
    pub version: &'a Version,
    pub path: &'a Path,
    /// The artifact, with the size and hash of the file when it was read.
    pub artifact: &'a wire::Artifact,
}

impl Client {
    /// `PUT …/artifacts/{filename}`. It starts again when it fails in a way that may pass. `begun` is called at each
    /// start, `sent` with the length of each piece that is sent.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::Unreadable`] when the file has vanished since it was hashed.
    pub async fn upload(
        &self,
        upload: Upload<'_>,
        begun: impl Fn(),
        sent: impl Fn(u64) + Clone + Send + Sync + 'static,
    ) -> Result<wire::Artifact, ApiError> {
        self.retries
            .run(&*self.on_retry, async || {
                begun();
                self.upload_once(upload, sent.clone()).await
            })
            .await
    }

    async fn upload_once(
        &self,
        upload: Upload<'_>,
        sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<wire::Artifact, ApiError> {
        let Upload { product, version, path, artifact } = upload;
        let mut address = self.release_address(product, version, &["artifacts", artifact.filename.as_str()]);
        address
            .query_pairs_mut()
            .append_pair("component", artifact.component.as_str())
            .append_pair("platform", artifact.platform.as_str())
            .append_pair("arch", artifact.arch.as_str())
            .append_pair("kind", artifact.kind.as_str());
        let unreadable =
            |error: std::io::Error| ApiError::Unreadable { path: path.to_owned(), cause: error.to_string() };
        let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let moved = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&moved);
        // Never more than announced, in case the file has grown since it was hashed.
        let pieces = ReaderStream::with_capacity(file.take(artifact.size), PIECE).inspect_ok(move |piece: &Bytes| {
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            counter.fetch_add(length, Ordering::Relaxed);
            sent(length);
        });
        let request = self
            .authorized(self.http.request(Method::PUT, address.clone()))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
            .header(CONTENT_LENGTH, artifact.size)
            .header("content-digest", content_digest(&artifact.sha256))
            .body(Body::wrap_stream(pieces));
        let request = match &artifact.signature {
            Some(signature) => request.header("x-signature", signature),
            None => request,
        };
        let response = tokio::select! {
            response = request.send() => response.map_err(|error| ApiError::unreachable(&self.server, &error))?,
            () = stalled(&moved) => {
                let cause = format!("nothing moved for {} seconds", STALLED.as_secs());
                return Err(ApiError::Unreachable { server: self.server.origin().ascii_serialization(), cause });
            }
        };
        read(ApiError::check(response).await?).await
    }
}

/// The value of `Content-Digest` (RFC 9530, section 2).
fn content_digest(hash: &Sha256) -> String {
    format!("sha-256=:{}:", STANDARD.encode(hash.0))
}

/// Returns once `moved` has not changed for [`STALLED`].
async fn stalled(moved: &AtomicU64) {
    let (mut before, mut still) = (0, Duration::ZERO);
    while still < STALLED {
        tokio::time::sleep(LOOK).await;
        let now = moved.load(Ordering::Relaxed);
        still = if now == before { still + LOOK } else { Duration::ZERO };
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_written_as_a_structured_field() {
        let hash: Sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse().expect("a hash");
        assert_eq!(content_digest(&hash), "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    }
}
