//! The contents of artifacts, stored by hash, in a folder or in a bucket. The only room that names `object_store`.
//!
//! In a folder a content arrives under its own key (`incoming/`), is hashed on the way, synced, and renamed to its hash
//! ([`Artifacts::place`]). In a bucket it is sent in parts that become an object only once the hash is known; see
//! [`intake`] and `docs/decisions/0014-s3.md`. The database knows which contents are used; the sweep removes the
//! others.

mod bucket;
mod examine;
mod folder;
pub mod intake;
mod key;
pub mod reading;
mod trouble;
mod upload;

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};
use tokio::{runtime::Runtime, sync::Mutex, time::Instant};
use uuid::Uuid;

use crate::domain::artifact::{ContentStore, Sha256};
use bucket::Bucket;
pub use bucket::{BucketOptions, KeyPair};
pub use examine::{Examined, examine};
use folder::Folder;
use key::ObjectKey;
pub use trouble::Trouble;

/// Why the artifact store failed.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactsError {
    /// The folder cannot be used.
    #[error("cannot use the artifact folder {0}: {1}; check the disk and the rights of the folder")]
    Folder(PathBuf, std::io::Error),
    #[error(
        "the artifact folder {0} is in use by another Sluice; stop that one, or choose another folder with storage.url"
    )]
    InUse(PathBuf),
    /// A content that should exist does not.
    #[error("the content {0} is not in the artifact store")]
    Missing(Sha256),
    #[error("the content {0} has another size in the artifact store than when it was uploaded")]
    Damaged(Sha256),
    /// The content is larger than the store can hold.
    #[error("{0}")]
    TooLarge(&'static str),
    #[error("the configuration names no store `{0}`; set storage.{0} to where it is")]
    Unknown(ContentStore),
    /// The bucket cannot be used as configured.
    #[error("{0}")]
    Bucket(Trouble),
    #[error("the artifact store failed: {0}")]
    Store(#[from] object_store::Error),
    #[error("the threads of the artifact store cannot be started: {0}")]
    Threads(std::io::Error),
}

impl ArtifactsError {
    /// Whether the store is only away: it may come back without a change of the configuration.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Bucket(trouble) if trouble.is_away())
    }
}

/// When a probe was made, and whether it succeeded.
type Probed = Option<(Instant, bool)>;

/// How long the result of a probe is reused, so that frequent requests to `/readyz` do not load the S3 server.
const PROBED_FOR: Duration = Duration::from_secs(5);
/// How long a store may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the stores are.
#[derive(Clone, Debug)]
pub struct Options {
    pub main: ContentStore,
    pub files: Option<PathBuf>,
    pub s3: Option<BucketOptions>,
    /// The number of threads that read files.
    pub threads: usize,
}

/// The artifact stores.
#[derive(Debug)]
pub struct Artifacts {
    main: ContentStore,
    files: Option<Folder>,
    s3: Option<Arc<Bucket>>,
    /// The threads that read files and talk to buckets, so that a slow store delays nothing else.
    threads: Option<Runtime>,
    /// Held while contents and their database rows are added or removed together, so that the sweep does not take a
    /// content that was just placed for an unused one.
    shelf: Arc<Mutex<()>>,
    probed: Mutex<Probed>,
}

impl Artifacts {
    /// Opens the stores. The folder of the main store is created if missing, and unfinished uploads in it are removed.
    /// A bucket is not contacted yet.
    ///
    /// # Errors
    /// [`ArtifactsError::Folder`] when a folder cannot be created or written, [`ArtifactsError::InUse`] when another
    /// process uses it, [`ArtifactsError::Bucket`] when the bucket's options are invalid.
    pub fn open(options: Options) -> Result<Self, ArtifactsError> {
        let Options { main, files, s3, threads } = options;
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(threads)
            .thread_name("sluice-storage")
            .enable_all()
            .build()
            .map_err(ArtifactsError::Threads)?;
        let files = files.map(|path| Folder::open(&path, main == ContentStore::Files)).transpose()?;
        let s3 = s3.map(|options| Bucket::open(&options, threads.handle()).map(Arc::new)).transpose()?;
        Ok(Self { main, files, s3, threads: Some(threads), shelf: Arc::new(Mutex::new(())), probed: Mutex::new(None) })
    }

    /// The store for new uploads.
    #[must_use]
    pub const fn main(&self) -> ContentStore {
        self.main
    }

    /// The configured stores, the one for uploads first.
    #[must_use]
    pub fn stores(&self) -> Vec<ContentStore> {
        let mut stores: Vec<_> =
            ContentStore::ALL.iter().copied().filter(|store| self.place_of(*store).is_ok()).collect();
        stores.sort_by_key(|store| *store != self.main);
        stores
    }

    /// A store, and the prefix of its keys.
    fn place_of(&self, store: ContentStore) -> Result<(&dyn ObjectStore, &Path), ArtifactsError> {
        match (store, &self.files, &self.s3) {
            (ContentStore::Files, Some(folder), _) => Ok((folder.store.as_ref(), &folder.prefix)),
            (ContentStore::S3, _, Some(bucket)) => Ok((&bucket.store, &bucket.prefix)),
            _ => Err(ArtifactsError::Unknown(store)),
        }
    }

    /// A store's name and place, for messages.
    #[must_use]
    pub fn shown(&self, store: ContentStore) -> String {
        match (store, &self.files, &self.s3) {
            (ContentStore::Files, Some(folder), _) => format!("the artifact folder {}", folder.path.display()),
            (ContentStore::S3, _, Some(bucket)) => format!("the bucket {}", bucket.shown),
            _ => store.to_string(),
        }
    }

    /// Runs a future on the store's own threads, for callers that may block.
    ///
    /// # Errors
    /// When it takes too long, as [`ArtifactsError::Bucket`].
    pub fn wait_for<T>(&self, work: impl Future<Output = Result<T, ArtifactsError>>) -> Result<T, ArtifactsError> {
        match &self.threads {
            Some(threads) => threads.block_on(self.in_time(work)),
            None => Err(ArtifactsError::Threads(std::io::Error::other("they were ended"))),
        }
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, ArtifactsError>>) -> Result<T, ArtifactsError> {
        let late = || ArtifactsError::Bucket(Trouble::silent(self.s3.as_deref().map_or("", |bucket| &bucket.shown)));
        tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
    }

    /// The id of the database that a store belongs to, once the store was marked.
    pub async fn marker(&self, store: ContentStore) -> Result<Option<String>, ArtifactsError> {
        if let (ContentStore::Files, Some(folder)) = (store, &self.files) {
            return folder.marker();
        }
        let (objects, prefix) = self.place_of(store)?;
        match objects.get(&ObjectKey::Marker.path(prefix)).await {
            Ok(found) => {
                let bytes = found.bytes().await.map_err(|error| self.explain(store, error))?;
                Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned()))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.explain(store, error)),
        }
    }

    /// Marks a store as belonging to a database.
    pub async fn mark(&self, store: ContentStore, name: &str) -> Result<(), ArtifactsError> {
        if let (ContentStore::Files, Some(folder)) = (store, &self.files) {
            return folder.mark(name);
        }
        let (objects, prefix) = self.place_of(store)?;
        let put = objects.put(&ObjectKey::Marker.path(prefix), name.to_owned().into()).await;
        put.map(drop).map_err(|error| self.explain(store, error))
    }

    /// Adds what is known about the bucket to a store's error.
    fn explain(&self, store: ContentStore, error: object_store::Error) -> ArtifactsError {
        match (store, &self.s3) {
            (ContentStore::S3, Some(bucket)) => bucket.explain(&error),
            _ => error.into(),
        }
    }

    /// Locks the shelf: contents and their rows are only added or removed together while it is held.
    pub async fn shelf(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.shelf).lock_owned().await
    }

    /// Removes a content that no artifact uses.
    pub async fn remove(&self, store: ContentStore, content: Sha256) -> Result<(), ArtifactsError> {
        let (objects, prefix) = self.place_of(store)?;
        match objects.delete(&ObjectKey::Content(content).path(prefix)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.explain(store, error)),
        }
    }

    /// The size of a content, and since when it exists; `None` if the store does not have it.
    pub async fn find(&self, store: ContentStore, content: Sha256) -> Result<Option<(u64, Timestamp)>, ArtifactsError> {
        let (objects, prefix) = self.place_of(store)?;
        match objects.head(&ObjectKey::Content(content).path(prefix)).await {
            Ok(found) => Ok(Some((found.size, since(&found)))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.explain(store, error)),
        }
    }

    /// All contents of a store, with the time since when each exists.
    pub async fn contents(&self, store: ContentStore) -> Result<HashMap<Sha256, Timestamp>, ArtifactsError> {
        let (objects, prefix) = self.place_of(store)?;
        let listed = objects.list(Some(&ObjectKey::contents(prefix)));
        let contents = listed.try_filter_map(async |object| {
            let content = object.location.filename().and_then(|name| name.parse::<Sha256>().ok());
            Ok(content.map(|content| (content, since(&object))))
        });
        contents.try_collect().await.map_err(|error| self.explain(store, error))
    }

    /// Whether uploads can be stored, tested by writing and deleting a probe. The result for a bucket is reused for
    /// some seconds.
    pub async fn is_writable(&self) -> bool {
        let Ok((objects, prefix)) = self.place_of(self.main) else { return false };
        if self.main == ContentStore::Files {
            return probe(objects, prefix).await;
        }
        // Concurrent callers wait for one result.
        let mut probed = self.probed.lock().await;
        if let Some((_, found)) = probed.filter(|(when, _)| when.elapsed() < PROBED_FOR) {
            return found;
        }
        let found = tokio::time::timeout(PATIENCE / 2, probe(objects, prefix)).await.unwrap_or(false);
        *probed = Some((Instant::now(), found));
        found
    }
}

async fn probe(objects: &dyn ObjectStore, prefix: &Path) -> bool {
    // A unique name: several replicas probe the same bucket.
    let probe = ObjectKey::Probe(Uuid::from_bytes(random())).path(prefix);
    objects.put(&probe, "probe".into()).await.is_ok() && objects.delete(&probe).await.is_ok()
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    // Without randomness the name may collide with another replica's, which a probe survives.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes
}

fn since(object: &object_store::ObjectMeta) -> Timestamp {
    Timestamp::from_millisecond(object.last_modified.timestamp_millis()).unwrap_or(Timestamp::MAX)
}

impl Drop for Artifacts {
    fn drop(&mut self) {
        // A runtime must not be dropped on an async thread. Reads under way end with their threads.
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}
