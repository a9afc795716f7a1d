//! Contents going out: pieces of a file, read ahead by one on threads of their own.

use std::{
    future::Future as _,
    io,
    os::unix::fs::FileExt as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use object_store::{GetResultPayload, ObjectStoreExt as _};
use tokio::{runtime::Handle, task::JoinHandle};

use super::{Artifacts, ArtifactsError, ObjectKey};
use crate::domain::artifact::Sha256;

/// Bytes read at once: measured, larger pieces are no faster and smaller ones cost more changes of thread.
const PIECE: u64 = 256 << 10;

impl Artifacts {
    /// Opens `length` bytes of a content, from `start` on.
    ///
    /// # Errors
    /// [`ArtifactsError`] when the content is not there or cannot be opened.
    pub async fn open_content(&self, content: Sha256, start: u64, length: u64) -> Result<Pieces, ArtifactsError> {
        let found = self.store.get(&ObjectKey::Content(content).path()).await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => ArtifactsError::Missing(content),
            other => other.into(),
        })?;
        let (GetResultPayload::File(file, _), Some(reading)) = (found.payload, &self.reading) else {
            return Err(ArtifactsError::Missing(content));
        };
        let mut pieces = Pieces {
            file: Arc::new(file),
            threads: reading.handle().clone(),
            next: start,
            end: start + length,
            ahead: None,
            sent: Bytes::new(),
        };
        pieces.read_ahead();
        Ok(pieces)
    }
}

/// The bytes of a content, piece by piece.
#[derive(Debug)]
pub struct Pieces {
    file: Arc<std::fs::File>,
    threads: Handle,
    next: u64,
    end: u64,
    ahead: Option<JoinHandle<io::Result<Bytes>>>,
    /// The piece handed out last. By the time the next one is asked for it has been sent, and its memory serves again:
    /// fresh memory has to be cleared first, which costs as much as sending it.
    sent: Bytes,
}

impl Pieces {
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

impl Stream for Pieces {
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
