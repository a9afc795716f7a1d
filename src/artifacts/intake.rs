//! Contents coming in: counted and hashed while they arrive, in constant memory.

use aws_lc_rs::digest;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use object_store::{MultipartUpload, ObjectStoreExt as _, PutPayload};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{Artifacts, ArtifactsError, ObjectKey};
use crate::domain::artifact::Sha256;

/// Bytes that are gathered before they are written: while one part is written and hashed on other threads, the
/// next one is gathered, so an upload holds two.
const PART: usize = 4 << 20;

/// A content that has come in whole and is on the disk, but not yet in its place.
#[derive(Debug)]
pub struct Received {
    pub(super) id: Uuid,
    /// Bytes.
    pub size: u64,
    /// Of all of it.
    pub sha256: Sha256,
}

/// Why a content did not come in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError<E> {
    /// The sender failed, or went away.
    #[error("the upload broke off")]
    Sender(E),
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] ArtifactsError),
}

/// The store's side of an upload, and the hash of what it has been given. Dropped before it is completed, it leaves
/// nothing behind.
struct Sink {
    target: Box<dyn MultipartUpload>,
    hash: digest::Context,
    size: u64,
}

impl Sink {
    /// Writes and hashes one part, at the same time.
    async fn write(mut self, part: PutPayload) -> Result<Self, ArtifactsError> {
        self.size += u64::try_from(part.content_length()).unwrap_or(u64::MAX);
        let written = self.target.put_part(part.clone());
        let mut hash = self.hash;
        let hashed = tokio::task::spawn_blocking(move || {
            part.iter().for_each(|piece| hash.update(piece));
            hash
        });
        let (written, hashed) = futures_util::join!(written, hashed);
        written?;
        Ok(Self { hash: hashed.map_err(broken)?, ..self })
    }
}

/// Where the sink is: here, or with the task that writes the last part.
enum Place {
    Here(Sink),
    Writing(JoinHandle<Result<Sink, ArtifactsError>>),
}

impl Place {
    async fn settled(self) -> Result<Sink, ArtifactsError> {
        match self {
            Self::Here(sink) => Ok(sink),
            Self::Writing(task) => task.await.map_err(broken)?,
        }
    }
}

fn broken(source: tokio::task::JoinError) -> ArtifactsError {
    object_store::Error::JoinError { source }.into()
}

impl Artifacts {
    /// Takes in a content under a new `id`. On any failure, also when the future is dropped, nothing of it is kept.
    ///
    /// # Errors
    /// [`IntakeError`] when the sender or the store fails.
    pub async fn receive<E>(
        &self,
        id: Uuid,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Received, IntakeError<E>> {
        let target = self.store.put_multipart(&ObjectKey::Incoming(id).path()).await.map_err(ArtifactsError::from)?;
        let mut place = Place::Here(Sink { target, hash: digest::Context::new(&digest::SHA256), size: 0 });
        let mut gathered: Vec<Bytes> = Vec::new();
        let mut length = 0;
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(IntakeError::Sender)?;
            length += piece.len();
            gathered.push(piece);
            if length >= PART {
                length = 0;
                let part = PutPayload::from_iter(std::mem::take(&mut gathered));
                place = Place::Writing(tokio::spawn(place.settled().await?.write(part)));
            }
        }
        let mut sink = place.settled().await?;
        if length > 0 {
            sink = sink.write(PutPayload::from_iter(gathered)).await?;
        }
        // To its end, also when the sender goes away now: what is half named would be nobody's.
        let completing = tokio::spawn(async move {
            sink.target.complete().await?;
            Ok::<_, object_store::Error>(sink)
        });
        let sink = completing.await.map_err(broken)?.map_err(ArtifactsError::from)?;
        let sha256 = Sha256(sink.hash.finish().as_ref().try_into().unwrap_or_default());
        Ok(Received { id, size: sink.size, sha256 })
    }
}
