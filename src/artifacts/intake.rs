//! Incoming contents: counted and hashed as they arrive, in constant memory.
//!
//! In a folder a content gets a temporary name first, and its hash by [`Artifacts::place`]. A bucket cannot rename. A
//! content of one part is written under its hash at once. The parts of a larger one go to the key of the announced
//! hash, and become an object only if the hash is right. Without an announcement they become a temporary object, which
//! the S3 server then copies to its place.
//! on its way in, of which the S3 server then makes a copy in place.

use std::sync::Arc;

use aws_lc_rs::digest;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use object_store::{MultipartUpload, ObjectStoreExt as _, PutPayload};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{
    Artifacts, ArtifactsError, ObjectKey,
    bucket::{Bucket, Landing},
    upload::Upload,
};
use crate::domain::artifact::{ContentStore, Sha256};

/// Bytes that are gathered before they are written to a folder. One part is written and hashed on other threads while
/// the next is gathered, so an upload holds two parts.
const FILE_PART: usize = 4 << 20;
/// The same for a bucket: ten thousand parts are the largest content. All but the last have exactly this size, which
/// some servers require.
const BUCKET_PART: usize = 8 << 20;

/// The largest object that an S3 server copies in one request.
pub const COPY_LIMIT: u64 = 5 << 30;

/// The message for a larger content without an announced hash.
pub const UNANNOUNCED: &str = "the S3 store takes more than 5 GiB only with the header `Content-Digest: sha-256=:…:`";

/// A content that has arrived and is synced: in a folder it still has to be placed, in a bucket it is in its place.
#[derive(Debug)]
pub struct Received {
    id: Uuid,
    pub store: ContentStore,
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
    /// Protects the content from the sweep until a row lists it.
    _landing: Option<Landing>,
}

/// Why a content was not stored.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError<E> {
    /// The sender failed or disconnected.
    #[error("the upload broke off")]
    Sender(E),
    /// The hash differs from the announced one.
    #[error("the content that arrived has SHA-256 {0}")]
    Mismatch(Sha256),
    #[error(transparent)]
    Store(#[from] ArtifactsError),
}

/// Where parts are written.
enum Target {
    File(Box<dyn MultipartUpload>),
    /// A bucket, before the first part: a content of one part needs no multipart upload.
    Waiting(Arc<Bucket>),
    Parts(Upload),
}

/// The receiving side of an upload, and the hash of what it received. Dropped before completion, it removes everything.
struct Sink {
    id: Uuid,
    announced: Option<Sha256>,
    target: Target,
    hash: digest::Context,
    size: u64,
}

impl Sink {
    /// Writes and hashes one part concurrently.
    async fn write(mut self, part: PutPayload) -> Result<Self, ArtifactsError> {
        self.size += u64::try_from(part.content_length()).unwrap_or(u64::MAX);
        if let Target::Waiting(bucket) = self.target {
            let key = self.announced.map_or(ObjectKey::Incoming(self.id), ObjectKey::Content);
            self.target = Target::Parts(Upload::begin(&bucket, self.id, key.path(&bucket.prefix)).await?);
        }
        if matches!(self.target, Target::Parts(_)) && self.announced.is_none() && self.size > COPY_LIMIT {
            return Err(ArtifactsError::TooLarge(UNANNOUNCED));
        }
        let hashing = hash(self.hash, part.clone());
        let writing = async {
            match &mut self.target {
                Target::File(target) => Ok(target.put_part(part).await?),
                Target::Parts(upload) => upload.send(part).await,
                Target::Waiting(_) => Ok(()),
            }
        };
        let (written, hashed) = futures_util::join!(writing, hashing);
        written?;
        Ok(Self { hash: hashed?, ..self })
    }

    /// Writes the rest, and checks that the whole content is the announced one.
    async fn finish(mut self, rest: PutPayload) -> Result<Result<Received, Sha256>, ArtifactsError> {
        let small = match &self.target {
            Target::Waiting(bucket) => Some(Arc::clone(bucket)),
            _ => None,
        };
        if small.is_some() {
            self.size += u64::try_from(rest.content_length()).unwrap_or(u64::MAX);
            self.hash = hash(self.hash, rest.clone()).await?;
        } else if rest.content_length() > 0 {
            self = self.write(rest.clone()).await?;
        }
        let sha256 = Sha256(self.hash.finish().as_ref().try_into().unwrap_or_default());
        let fits = self.announced.is_none_or(|announced| announced == sha256);
        let mut store = ContentStore::S3;
        let landing = match (&self.target, &small) {
            (Target::Parts(upload), _) => Some(Landing::of(upload.bucket(), sha256)),
            (_, Some(bucket)) => Some(Landing::of(bucket, sha256)),
            _ => None,
        };
        match (self.target, small) {
            (Target::Parts(upload), _) if !fits => upload.abort().await,
            (Target::File(mut target), _) if !fits => target.abort().await?,
            _ if !fits => {}
            (Target::File(mut target), _) => {
                target.complete().await?;
                store = ContentStore::Files;
            }
            (Target::Parts(upload), _) => {
                let bucket = upload.complete().await?;
                if self.announced.is_none() {
                    put_in_place(&bucket, self.id, sha256).await?;
                }
            }
            (Target::Waiting(_), Some(bucket)) => {
                let put = bucket.store.put(&ObjectKey::Content(sha256).path(&bucket.prefix), rest).await;
                put.map_err(|error| bucket.explain(&error))?;
            }
            (Target::Waiting(_), None) => {}
        }
        Ok(if fits {
            Ok(Received { id: self.id, store, size: self.size, sha256, _landing: landing })
        } else {
            Err(sha256)
        })
    }
}

/// Copies an incoming object to its hash, and removes the incoming one.
async fn put_in_place(bucket: &Bucket, id: Uuid, sha256: Sha256) -> Result<(), ArtifactsError> {
    let incoming = ObjectKey::Incoming(id).path(&bucket.prefix);
    let copied = bucket.store.copy(&incoming, &ObjectKey::Content(sha256).path(&bucket.prefix)).await;
    if let Err(error) = bucket.store.delete(&incoming).await {
        tracing::debug!(%error, "a temporary object was not removed after its copy; the sweep will remove it");
    }
    copied.map_err(|error| bucket.explain(&error))
}

/// Hashes a part on a blocking thread.
async fn hash(mut hash: digest::Context, part: PutPayload) -> Result<digest::Context, ArtifactsError> {
    let hashing = tokio::task::spawn_blocking(move || {
        part.iter().for_each(|piece| hash.update(piece));
        hash
    });
    hashing.await.map_err(broken)
}

/// Where the sink is: here, or in the task that writes the last part.
enum Place {
    Here(Box<Sink>),
    Writing(JoinHandle<Result<Sink, ArtifactsError>>),
}

impl Place {
    async fn settled(self) -> Result<Sink, ArtifactsError> {
        match self {
            Self::Here(sink) => Ok(*sink),
            Self::Writing(task) => task.await.map_err(broken)?,
        }
    }
}

fn broken(source: tokio::task::JoinError) -> ArtifactsError {
    object_store::Error::JoinError { source }.into()
}

/// Bytes that have arrived and are not written yet.
#[derive(Default)]
struct Gathered {
    pieces: Vec<Bytes>,
    length: usize,
}

impl Gathered {
    fn add(&mut self, piece: Bytes) {
        self.length += piece.len();
        self.pieces.push(piece);
    }

    /// Takes out `size` bytes if there are as many.
    fn part(&mut self, size: usize) -> Option<PutPayload> {
        self.length = self.length.checked_sub(size)?;
        let (mut part, mut wanted) = (Vec::new(), size);
        let mut pieces = std::mem::take(&mut self.pieces).into_iter();
        for mut piece in pieces.by_ref() {
            let rest = piece.split_off(wanted.min(piece.len()));
            wanted -= piece.len();
            part.push(piece);
            if !rest.is_empty() {
                self.pieces.push(rest);
            }
            if wanted == 0 {
                break;
            }
        }
        self.pieces.extend(pieces);
        Some(PutPayload::from_iter(part))
    }
}

impl Artifacts {
    /// Receives a content into a store, under a new `id`. On any failure, also when the future is dropped, everything
    /// is removed. In a folder the content still has to be placed.
    ///
    /// # Errors
    /// [`IntakeError`] when the sender or the store fails, or the content is not the announced one.
    pub async fn receive<E>(
        &self,
        store: ContentStore,
        id: Uuid,
        announced: Option<Sha256>,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Received, IntakeError<E>> {
        let (target, part) = match store {
            ContentStore::Files => {
                let (objects, prefix) = self.place_of(store)?;
                let incoming = ObjectKey::Incoming(id).path(prefix);
                let begun = objects.put_multipart(&incoming).await.map_err(ArtifactsError::from)?;
                (Target::File(begun), FILE_PART)
            }
            ContentStore::S3 => (Target::Waiting(Arc::clone(self.bucket()?)), BUCKET_PART),
        };
        let hash = digest::Context::new(&digest::SHA256);
        let mut place = Place::Here(Box::new(Sink { id, announced, target, hash, size: 0 }));
        let mut gathered = Gathered::default();
        while let Some(piece) = body.next().await {
            gathered.add(piece.map_err(IntakeError::Sender)?);
            while let Some(full) = gathered.part(part) {
                place = Place::Writing(tokio::spawn(place.settled().await?.write(full)));
            }
        }
        let sink = place.settled().await?;
        // Completed even if the sender disconnects now: nothing would clean up a half-placed content.
        let rest = PutPayload::from_iter(gathered.pieces);
        let finished = tokio::spawn(sink.finish(rest)).await.map_err(broken)??;
        finished.map_err(IntakeError::Mismatch)
    }

    /// Places a content durably. A content with the same hash is the same content. In a bucket it is in its place
    /// already; this checks again, because the sweep of another server may have removed it as unused.
    ///
    /// # Errors
    /// When the store fails; the content is then still incoming.
    pub async fn place(&self, received: &Received) -> Result<(), ArtifactsError> {
        if received.store == ContentStore::S3 {
            return match self.find(received.store, received.sha256).await? {
                Some((size, _)) if size == received.size => Ok(()),
                Some(_) => Err(ArtifactsError::Damaged(received.sha256)),
                None => Err(ArtifactsError::Missing(received.sha256)),
            };
        }
        let (objects, prefix) = self.place_of(received.store)?;
        let (from, to) = (ObjectKey::Incoming(received.id), ObjectKey::Content(received.sha256));
        Ok(objects.rename(&from.path(prefix), &to.path(prefix)).await?)
    }

    /// Discards an incoming content. What cannot be removed now is removed at the next start.
    pub async fn discard(&self, received: &Received) {
        // In a bucket it is in its place, where another artifact may use it; the sweep knows.
        let Ok((objects, prefix)) = self.place_of(ContentStore::Files) else { return };
        if received.store == ContentStore::Files
            && let Err(error) = objects.delete(&ObjectKey::Incoming(received.id).path(prefix)).await
        {
            tracing::warn!(%error, "a refused upload was not removed; the next start will remove it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_one_size_whatever_the_pieces() {
        for lengths in [vec![1; 100], vec![100], vec![7, 31, 2, 60], vec![10; 10], vec![9, 1, 90], vec![95, 5]] {
            let (mut gathered, mut sent, mut all) = (Gathered::default(), Vec::<u8>::new(), Vec::<u8>::new());
            for (number, length) in (0_u8..).zip(&lengths) {
                let piece = vec![number; *length];
                all.extend(&piece);
                gathered.add(piece.into());
                while let Some(part) = gathered.part(10) {
                    assert_eq!(part.content_length(), 10, "{lengths:?}");
                    part.iter().for_each(|piece| sent.extend(piece.iter()));
                }
            }
            assert_eq!((gathered.length, &sent), (0, &all), "{lengths:?}");
        }
    }
}
