//! An upload to a bucket, in parts.
//!
//! Parts of an upload that was neither completed nor aborted cost space and appear in no listing, and the library
//! cannot ask for them. So a small object records what is needed to abort an upload while it is under way, and the
//! sweep aborts what a killed server left.

use std::sync::Arc;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use object_store::{
    ObjectStore as _, ObjectStoreExt as _, PutPayload, multipart::MultipartStore as _, multipart::PartId, path::Path,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Artifacts, ArtifactsError, bucket::Bucket, key::ObjectKey, since};

/// The most parts that S3 accepts for one object.
const PARTS: usize = 10_000;

/// What is needed to abort an upload.
#[derive(Debug, Deserialize, Serialize)]
struct Record {
    /// The object's key.
    key: String,
    /// The S3 server's id of the upload.
    upload: String,
}

/// An upload under way. It is aborted if it is dropped before completion.
#[derive(Debug)]
pub(super) struct Upload {
    bucket: Arc<Bucket>,
    id: Uuid,
    key: Path,
    number: String,
    parts: Vec<PartId>,
    open: bool,
}

impl Upload {
    /// Begins an upload.
    pub(super) async fn begin(bucket: &Arc<Bucket>, id: Uuid, key: Path) -> Result<Self, ArtifactsError> {
        bucket.running.lock().insert(id);
        let created = bucket.store.create_multipart(&key).await;
        let upload = created.map_err(|error| {
            bucket.running.lock().remove(&id);
            bucket.explain(&error)
        })?;
        let record = Record { key: key.to_string(), upload: upload.clone() };
        // From here on, dropping this aborts the upload.
        let begun = Self { bucket: Arc::clone(bucket), id, key, number: upload, parts: Vec::new(), open: true };
        let record = serde_json::to_vec(&record);
        let record = record.map_err(|error| object_store::Error::Generic { store: "S3", source: error.into() })?;
        let noted = bucket.store.put(&ObjectKey::Upload(id).path(&bucket.prefix), record.into()).await;
        noted.map_err(|error| bucket.explain(&error))?;
        Ok(begun)
    }

    pub(super) const fn bucket(&self) -> &Arc<Bucket> {
        &self.bucket
    }

    pub(super) async fn send(&mut self, part: PutPayload) -> Result<(), ArtifactsError> {
        if self.parts.len() == PARTS {
            return Err(ArtifactsError::TooLarge("the S3 store takes files of 78 GiB at most"));
        }
        let sent = self.bucket.store.put_part(&self.key, &self.number, self.parts.len(), part).await;
        self.parts.push(sent.map_err(|error| self.bucket.explain(&error))?);
        Ok(())
    }

    /// Makes an object of the parts.
    pub(super) async fn complete(mut self) -> Result<Arc<Bucket>, ArtifactsError> {
        let parts = std::mem::take(&mut self.parts);
        let completed = self.bucket.store.complete_multipart(&self.key, &self.number, parts).await;
        completed.map_err(|error| self.bucket.explain(&error))?;
        self.open = false;
        // The object exists, even if the record stays: the sweep will find nothing to abort, and remove it.
        let record = ObjectKey::Upload(self.id).path(&self.bucket.prefix);
        if let Err(error) = self.bucket.store.delete(&record).await {
            tracing::debug!(%error, "the record of an upload was not removed; the sweep will remove it");
        }
        Ok(Arc::clone(&self.bucket))
    }

    /// Aborts the upload. What cannot be removed now is removed by the sweep.
    pub(super) async fn abort(mut self) {
        self.open = false;
        give_up(&self.bucket, self.id, &self.key, &self.number).await;
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let (bucket, id) = (Arc::clone(&self.bucket), self.id);
        if !self.open {
            bucket.running.lock().remove(&id);
            return;
        }
        let (key, upload) = (self.key.clone(), std::mem::take(&mut self.number));
        self.bucket.threads.spawn(async move {
            give_up(&bucket, id, &key, &upload).await;
            bucket.running.lock().remove(&id);
        });
    }
}

async fn give_up(bucket: &Bucket, id: Uuid, key: &Path, upload: &str) {
    if let Err(error) = abort(bucket, id, key, upload).await {
        tracing::warn!(%error, "a refused upload was not removed; the sweep will remove it");
    }
}

async fn abort(bucket: &Bucket, id: Uuid, key: &Path, upload: &str) -> Result<(), ArtifactsError> {
    match bucket.store.abort_multipart(key, &upload.to_owned()).await {
        // Gone: it was completed or aborted, and only its record is left.
        Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
        // Some servers answer this for an upload that is gone as well. If it is true, only the bucket's own rule for
        // unfinished uploads can remove it.
        Err(error @ object_store::Error::PermissionDenied { .. }) => {
            tracing::warn!(%error, %key, "the S3 server refuses to abort an upload; if it is still there, the bucket's own rule must remove it");
        }
        Err(error) => return Err(bucket.explain(&error)),
    }
    let record = ObjectKey::Upload(id).path(&bucket.prefix);
    match bucket.store.delete(&record).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(bucket.explain(&error)),
    }
}

/// Aborts an upload of a server that no longer runs.
async fn abandon(bucket: &Bucket, id: Uuid) -> Result<(), ArtifactsError> {
    let path = ObjectKey::Upload(id).path(&bucket.prefix);
    let found = match bucket.store.get(&path).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(()),
        found => found.map_err(|error| bucket.explain(&error))?,
    };
    let bytes = found.bytes().await.map_err(|error| bucket.explain(&error))?;
    match serde_json::from_slice::<Record>(&bytes) {
        Ok(Record { key, upload }) => abort(bucket, id, &Path::from(key), &upload).await,
        // The record is unreadable, now and later.
        Err(_) => bucket.store.delete(&path).await.map_err(|error| bucket.explain(&error)),
    }
}

impl Artifacts {
    /// Removes what arrived in the bucket before `until` and was left by a server that no longer runs: parts of
    /// uploads, contents that were not placed, probes. Returns how many there were.
    pub async fn clear_incoming(&self, until: Timestamp) -> Result<usize, ArtifactsError> {
        let Some(bucket) = &self.s3 else { return Ok(0) };
        let mut cleared = 0;
        let mut listed = bucket.store.list(Some(&ObjectKey::incoming(&bucket.prefix)));
        while let Some(object) = listed.next().await {
            let object = object.map_err(|error| bucket.explain(&error))?;
            let key = object.location.filename().and_then(ObjectKey::read_incoming);
            let is_running = |id: &Uuid| bucket.running.lock().contains(id);
            match key {
                _ if since(&object) > until => continue,
                Some(ObjectKey::Incoming(id) | ObjectKey::Upload(id)) if is_running(&id) => continue,
                Some(ObjectKey::Upload(id)) => abandon(bucket, id).await?,
                Some(_) => bucket.store.delete(&object.location).await.map_err(|error| bucket.explain(&error))?,
                None => continue,
            }
            cleared += 1;
        }
        Ok(cleared)
    }
}
