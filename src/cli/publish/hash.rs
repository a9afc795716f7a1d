//! The hashes of local files: on blocking threads, in constant memory.

use std::{
    fs::File,
    io::Read as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    super::{
        client::{error::ApiError, wire},
        release_file::LocalArtifact,
    },
    plan::Ready,
    progress::Progress,
};
use crate::domain::artifact::Sha256;

/// Bytes read at a time.
const PIECE: usize = 1024 * 1024;

/// Hashes the files, several at once, and returns the artifacts that they will be, in the same order.
pub(super) async fn all(
    artifacts: &[LocalArtifact],
    concurrency: usize,
    progress: &Arc<Progress>,
) -> Result<Vec<Ready>, ApiError> {
    let size = |local: &LocalArtifact| std::fs::metadata(&local.path).map_or(0, |found| found.len());
    progress.expect("hashing", artifacts.iter().map(size).sum());
    let hashes: Vec<_> = artifacts.iter().map(|local| one(local, Arc::clone(progress))).collect();
    stream::iter(hashes).buffered(concurrency).try_collect().await
}

async fn one(local: &LocalArtifact, progress: Arc<Progress>) -> Result<Ready, ApiError> {
    let unread = |cause: String| ApiError::Unreadable { path: local.path.clone(), cause };
    let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
    let (path, stopped) = (local.path.clone(), Arc::clone(&stop.0));
    let hashing = tokio::task::spawn_blocking(move || hash(&path, &stopped, |bytes| progress.advance(bytes)));
    let (size, sha256) = match hashing.await {
        Ok(hashed) => hashed.map_err(|error| unread(error.to_string()))?,
        Err(error) => return Err(unread(error.to_string())),
    };
    let LocalArtifact { component, platform, arch, kind, filename, signature, path } = local.clone();
    Ok(Ready { path, artifact: wire::Artifact { component, platform, arch, kind, filename, size, sha256, signature } })
}

/// A thread cannot be cancelled, but told to stop when nobody waits for it any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn hash(path: &Path, stopped: &AtomicBool, advanced: impl Fn(u64)) -> std::io::Result<(u64, Sha256)> {
    let mut file = File::open(path)?;
    let mut piece = vec![0; PIECE];
    let (mut size, mut context) = (0_u64, Context::new(&SHA256));
    while !stopped.load(Ordering::Relaxed) {
        let read = match file.read(&mut piece) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        context.update(bytes);
        let length = u64::try_from(read).unwrap_or(u64::MAX);
        size = size.saturating_add(length);
        advanced(length);
    }
    let digest = context.finish();
    let sha256 = digest.as_ref().first_chunk().copied().map(Sha256);
    Ok((size, sha256.ok_or_else(|| std::io::Error::other("SHA-256 gave no 32 bytes"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_hashed_piece_by_piece() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let content = vec![7_u8; PIECE * 2 + 5];
        std::fs::write(&path, &content).expect("a file");
        let (size, sha256) = hash(&path, &AtomicBool::new(false), |_| ()).expect("a hash");
        let expected = aws_lc_rs::digest::digest(&SHA256, &content);
        assert_eq!((size, sha256.0.as_slice()), (2 * 1024 * 1024 + 5, expected.as_ref()));
    }

    #[test]
    fn hashing_ends_when_nobody_waits_for_it() {
        let (endless, stopped) = (Path::new("/dev/zero"), AtomicBool::new(false));
        hash(endless, &stopped, |_| stopped.store(true, Ordering::Relaxed)).expect("an end");
    }
}
