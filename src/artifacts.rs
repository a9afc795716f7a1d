//! The contents of artifacts, stored by their hashes. The only room that names `object_store`.
//!
//! A content comes in under a key of its own (`incoming/`), is hashed on the way, synced, and then put
//! in place under its hash by one rename ([`Artifacts::place`]). Which contents belong to something the database
//! knows; what nothing refers to is swept away.

pub mod intake;
pub mod reading;

use std::{
    collections::HashMap,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use object_store::{ObjectStore as _, ObjectStoreExt as _, local::LocalFileSystem, path::Path};
use tokio::{runtime::Runtime, sync::Mutex};
use uuid::Uuid;

use crate::domain::artifact::Sha256;
use intake::Received;

/// What went wrong with the artifact store.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactsError {
    /// The folder cannot be used.
    #[error("cannot use the artifact folder {0}: {1}; check the disk and the rights of the folder")]
    Folder(PathBuf, std::io::Error),
    /// Another process uses it.
    #[error(
        "the artifact folder {0} is in use by another Sluice; stop that one, or choose another folder with storage.url"
    )]
    InUse(PathBuf),
    /// Something is not there that should be.
    #[error("the content {0} is not in the artifact store")]
    Missing(Sha256),
    /// The store failed.
    #[error("the artifact store failed: {0}")]
    Store(#[from] object_store::Error),
}

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ObjectKey {
    /// A content in its place.
    Content(Sha256),
    /// A content on its way in.
    Incoming(Uuid),
}

const CONTENTS: &str = "sha256";
const INCOMING: &str = "incoming";

/// The file that says which database the store belongs to.
const MARKER: &str = "database";

impl ObjectKey {
    fn path(self) -> Path {
        match self {
            Self::Content(hash) => {
                let hash = hash.to_string();
                // Two letters of a folder, so that no folder grows beyond what people's tools can list.
                let (folder, _) = hash.split_at_checked(2).unwrap_or(("", ""));
                Path::from_iter([CONTENTS, folder, &hash])
            }
            Self::Incoming(id) => Path::from_iter([INCOMING.to_owned(), id.to_string()]),
        }
    }
}

/// The artifact store.
#[derive(Debug)]
pub struct Artifacts {
    folder: PathBuf,
    /// Held as long as the store is open, so that no other server clears away what comes in here.
    _lock: std::fs::File,
    store: Arc<LocalFileSystem>,
    /// The threads that read files for downloads, so that a slow disk holds up nothing else.
    reading: Option<Runtime>,
    /// Held while contents are put in place or taken away together with what the database says of them, so that a
    /// content that has just been put in place is not taken for one that nothing refers to.
    shelf: Arc<Mutex<()>>,
}

impl Artifacts {
    /// Opens the store in a folder, making it where there is none, and clears away what was on its way in when the
    /// server last ended. Files are read on `threads` threads.
    ///
    /// # Errors
    /// [`ArtifactsError::Folder`] when the folder cannot be made or written.
    pub fn open(folder: &FilePath, threads: usize) -> Result<Self, ArtifactsError> {
        let refuse = |error| ArtifactsError::Folder(folder.to_owned(), error);
        std::fs::create_dir_all(folder).map_err(refuse)?;
        let lock = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join("lock"))
            .map_err(refuse)?;
        lock.try_lock().map_err(|_| ArtifactsError::InUse(folder.to_owned()))?;
        let incoming = folder.join(INCOMING);
        match std::fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(refuse(error)),
            _ => {}
        }
        std::fs::create_dir_all(&incoming).map_err(refuse)?;
        let reading = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(threads)
            .thread_name("sluice-download")
            .build()
            .map_err(refuse)?;
        let store = Arc::new(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true));
        Ok(Self {
            folder: folder.to_owned(),
            _lock: lock,
            store,
            reading: Some(reading),
            shelf: Arc::new(Mutex::new(())),
        })
    }

    /// Where the store is.
    #[must_use]
    pub fn folder(&self) -> &FilePath {
        &self.folder
    }

    /// The name of the database that the store belongs to, once it was marked.
    ///
    /// # Errors
    /// [`ArtifactsError::Folder`] when it cannot be read.
    pub fn marker(&self) -> Result<Option<String>, ArtifactsError> {
        match std::fs::read_to_string(self.folder.join(MARKER)) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ArtifactsError::Folder(self.folder.clone(), error)),
        }
    }

    /// Marks the store as belonging to a database.
    ///
    /// # Errors
    /// [`ArtifactsError::Folder`] when it cannot be written.
    pub fn mark(&self, name: &str) -> Result<(), ArtifactsError> {
        let write = || {
            let beside = self.folder.join("database.new");
            std::fs::write(&beside, name)?;
            std::fs::File::open(&beside)?.sync_all()?;
            std::fs::rename(&beside, self.folder.join(MARKER))
        };
        write().map_err(|error| ArtifactsError::Folder(self.folder.clone(), error))
    }

    /// Waits for the right to put contents in place or take them away together with their rows.
    pub async fn shelf(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.shelf).lock_owned().await
    }

    /// Puts a content in place, durably; one that is there already is the same content.
    ///
    /// # Errors
    /// When the store fails; the content is then still on its way in.
    pub async fn place(&self, received: &Received) -> Result<(), ArtifactsError> {
        Ok(self
            .store
            .rename(&ObjectKey::Incoming(received.id).path(), &ObjectKey::Content(received.sha256).path())
            .await?)
    }

    /// Throws away what came in. What cannot be removed now is removed at the next start.
    pub async fn discard(&self, received: &Received) {
        if let Err(error) = self.store.delete(&ObjectKey::Incoming(received.id).path()).await {
            tracing::warn!(%error, "a refused upload could not be removed; it will be at the next start");
        }
    }

    /// Takes away a content that nothing refers to any more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, content: Sha256) -> Result<(), ArtifactsError> {
        match self.store.delete(&ObjectKey::Content(content).path()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Every content in the store, with the time since which it is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contents(&self) -> Result<HashMap<Sha256, Timestamp>, ArtifactsError> {
        let objects = self.store.list(Some(&Path::from(CONTENTS)));
        let contents = objects.try_filter_map(async |object| {
            let content = object.location.filename().and_then(|name| name.parse::<Sha256>().ok());
            let since = Timestamp::from_millisecond(object.last_modified.timestamp_millis()).unwrap_or(Timestamp::MAX);
            Ok(content.map(|content| (content, since)))
        });
        Ok(contents.try_collect().await?)
    }

    /// Whether the store can be written: a probe is put in and taken out again.
    pub async fn is_writable(&self) -> bool {
        let probe = ObjectKey::Incoming(Uuid::nil()).path();
        self.store.put(&probe, "probe".into()).await.is_ok() && self.store.delete(&probe).await.is_ok()
    }
}

impl Drop for Artifacts {
    fn drop(&mut self) {
        // A runtime may not be dropped where futures run; reads that are under way end with their threads.
        if let Some(reading) = self.reading.take() {
            reading.shutdown_background();
        }
    }
}
