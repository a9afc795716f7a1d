//! Outgoing contents: pieces of a file, read ahead by one on blocking threads, or of an object in a bucket.

use std::{
    future::Future as _,
    io,
    ops::Range,
    os::unix::fs::FileExt as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream, stream::BoxStream};
use object_store::{GetOptions, GetResultPayload, ObjectStore as _, ObjectStoreExt as _};
use tokio::{runtime::Handle, task::JoinHandle};

use super::{Artifacts, ArtifactsError, ObjectKey};
use crate::domain::artifact::{ContentStore, Sha256};

/// Bytes per read. As measured, larger pieces are not faster, and smaller ones cost more thread switches.
const PIECE: u64 = 256 << 10;

/// Bytes per request to a bucket; the next range is requested while one is sent on. One long answer would not do: the
/// library buffers as much of it as the server sends, however slowly it is sent on.
const RANGE: u64 = 2 << 20;
const RANGES_AHEAD: usize = 2;

impl Artifacts {
    /// Opens `length` bytes of a content of `size`, from `start` on. When this succeeds, the first bytes are there.
    pub async fn open_content(
        &self,
        store: ContentStore,
        content: Sha256,
        size: u64,
        Range { start, end }: Range<u64>,
    ) -> Result<Pieces, ArtifactsError> {
        if store == ContentStore::S3 {
            return self.open_remote(content, size, start..end).await;
        }
        let (objects, prefix) = self.place_of(store)?;
        let found = objects.get(&ObjectKey::Content(content).path(prefix)).await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => ArtifactsError::Missing(content),
            other => other.into(),
        })?;
        let (GetResultPayload::File(file, _), Some(reading)) = (found.payload, &self.threads) else {
            return Err(ArtifactsError::Missing(content));
        };
        let mut pieces = FilePieces {
            file: Arc::new(file),
            threads: reading.handle().clone(),
            next: start,
            end,
            ahead: None,
            sent: Bytes::new(),
        };
        pieces.read_ahead();
        Ok(Pieces::File(pieces))
    }

    async fn open_remote(&self, content: Sha256, size: u64, wanted: Range<u64>) -> Result<Pieces, ArtifactsError> {
        let bucket = Arc::clone(self.bucket()?);
        let path = ObjectKey::Content(content).path(&bucket.prefix);
        let Range { start, end } = wanted;
        // A range cannot be empty.
        if start >= end {
            return Ok(Pieces::Remote(stream::empty().boxed()));
        }
        let first_end = end.min(start.saturating_add(RANGE));
        let first = bucket.store.get_opts(&path, GetOptions::new().with_range(Some(start..first_end))).await;
        let first = first.map_err(|error| match error {
            object_store::Error::NotFound { .. } => ArtifactsError::Missing(content),
            other => bucket.explain(&other),
        })?;
        if first.meta.size != size {
            return Err(ArtifactsError::Damaged(content));
        }
        let first = first.bytes().await.map_err(|error| bucket.explain(&error))?;
        let starts = (0..).map(move |number: u64| first_end.saturating_add(number.saturating_mul(RANGE)));
        let rest = stream::iter(starts.take_while(move |start| *start < end)).map(move |start| {
            let (bucket, path) = (Arc::clone(&bucket), path.clone());
            async move {
                let range = start..end.min(start.saturating_add(RANGE));
                bucket.store.get_range(&path, range).await.map_err(io::Error::other)
            }
        });
        let first = stream::once(std::future::ready(Ok(first)));
        Ok(Pieces::Remote(first.chain(rest.buffered(RANGES_AHEAD)).boxed()))
    }
}

/// The bytes of a content in pieces, from either store.
pub enum Pieces {
    File(FilePieces),
    Remote(BoxStream<'static, io::Result<Bytes>>),
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Pieces")
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut *self {
            Self::File(pieces) => Pin::new(pieces).poll_next(context),
            Self::Remote(pieces) => pieces.as_mut().poll_next(context),
        }
    }
}

/// The bytes of a file in pieces.
#[derive(Debug)]
pub struct FilePieces {
    file: Arc<std::fs::File>,
    threads: Handle,
    next: u64,
    end: u64,
    ahead: Option<JoinHandle<io::Result<Bytes>>>,
    /// The last piece handed out. It has been sent when the next is asked for, and its memory is reused: fresh memory
    /// must be zeroed first, which costs as much as sending it.
    sent: Bytes,
}

impl FilePieces {
    /// Starts to read the next piece, if there is one.
    fn read_ahead(&mut self) {
        let length = PIECE.min(self.end - self.next);
        let (Ok(size), true) = (usize::try_from(length), length > 0) else { return };
        let (file, offset) = (Arc::clone(&self.file), self.next);
        self.next += length;
        let mut piece = std::mem::take(&mut self.sent).try_into_mut().unwrap_or_default();
        self.ahead = Some(self.threads.spawn_blocking(move || {
            piece.resize(size, 0);
            file.read_exact_at(&mut piece, offset)?;
            Ok(piece.freeze())
        }));
    }
}

impl Stream for FilePieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(ahead) = self.ahead.as_mut() else { return Poll::Ready(None) };
        let read = match Pin::new(ahead).poll(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(read) => read.map_err(io::Error::other).flatten(),
        };
        self.ahead = None;
        if let Ok(piece) = &read {
            self.read_ahead();
            self.sent = piece.clone();
        }
        Poll::Ready(Some(read))
    }
}
