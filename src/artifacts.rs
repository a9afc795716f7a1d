//! The contents of artifacts, stored by their hashes, in a folder or in a bucket. The only room that names `object_store`.
//!
//! In a folder a content comes in under a key of its own (`incoming/`), is hashed on the way, synced, and then put in place
//! under its hash by one rename ([`Artifacts::place`]). In a bucket it is sent in parts that become an object only once
//! the hash is known; see [`intake`] and `docs/decisions/0014-s3.md`. Which contents belong to something the database
//! knows; what nothing refers to is swept away.

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
    /// What is under its key is not what should be.
    #[error("the content {0} has another size in the artifact store than when it was uploaded")]
    Damaged(Sha256),
    /// More than the store takes.
    #[error("{0}")]
    TooLarge(&'static str),
    /// The configuration does not name the store.
    #[error("the configuration names no store `{0}`; set storage.{0} to where it is")]
    Unknown(ContentStore),
    /// The bucket cannot be used as it is configured.
    #[error("{0}")]
    Bucket(Trouble),
    /// The store failed.
    #[error("the artifact store failed: {0}")]
    Store(#[from] object_store::Error),
    /// The threads that talk to stores cannot be started.
    #[error("the threads of the artifact store cannot be started: {0}")]
    Threads(std::io::Error),
}

impl ArtifactsError {
    /// Whether it is only a matter of time: the store is away, and nothing has to be set right.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Bucket(trouble) if trouble.is_away())
    }
}

/// What a probe found, and when.
type Probed = Option<(Instant, bool)>;

/// How long what a probe of a bucket found is taken for granted: whoever asks `/readyz` often must not become a load on
/// the S3 server.
const PROBED_FOR: Duration = Duration::from_secs(5);
/// A store that answers nothing for so long is away.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the stores are.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where uploads go.
    pub main: ContentStore,
    /// The folder, if there is one.
    pub files: Option<PathBuf>,
    /// The bucket, if there is one.
    pub s3: Option<BucketOptions>,
    /// Threads that read files.
    pub threads: usize,
}

/// The artifact stores.
#[derive(Debug)]
pub struct Artifacts {
    main: ContentStore,
    files: Option<Folder>,
    s3: Option<Arc<Bucket>>,
    /// The threads that read files and talk to buckets, so that a slow store holds up nothing else.
    threads: Option<Runtime>,
    /// Held while contents are put in place or taken away together with what the database says of them, so that a
    /// content that has just been put in place is not taken for one that nothing refers to.
    shelf: Arc<Mutex<()>>,
    probed: Mutex<Probed>,
}

impl Artifacts {
    /// Opens the stores. The folder of a main store is made where there is none, and what was on its way into it when
    /// the server last ended is cleared away. A bucket is not asked for anything yet.
    ///
    /// # Errors
    /// [`ArtifactsError::Folder`] when a folder cannot be made or written, [`ArtifactsError::InUse`] when another
    /// process writes it, [`ArtifactsError::Bucket`] when the bucket's options are none.
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

    /// Where uploads go.
    #[must_use]
    pub const fn main(&self) -> ContentStore {
        self.main
    }

    /// The stores that are configured, the one for uploads first.
    #[must_use]
    pub fn stores(&self) -> Vec<ContentStore> {
        let mut stores: Vec<_> =
            ContentStore::ALL.iter().copied().filter(|store| self.place_of(*store).is_ok()).collect();
        stores.sort_by_key(|store| *store != self.main);
        stores
    }

    /// A store and what is before its keys.
    fn place_of(&self, store: ContentStore) -> Result<(&dyn ObjectStore, &Path), ArtifactsError> {
        match (store, &self.files, &self.s3) {
            (ContentStore::Files, Some(folder), _) => Ok((folder.store.as_ref(), &folder.prefix)),
            (ContentStore::S3, _, Some(bucket)) => Ok((&bucket.store, &bucket.prefix)),
            _ => Err(ArtifactsError::Unknown(store)),
        }
    }

    /// Where a store is, for people.
    #[must_use]
    pub fn shown(&self, store: ContentStore) -> String {
        match (store, &self.files, &self.s3) {
            (ContentStore::Files, Some(folder), _) => format!("the artifact folder {}", folder.path.display()),
            (ContentStore::S3, _, Some(bucket)) => format!("the bucket {}", bucket.shown),
            _ => store.to_string(),
        }
    }

    /// Runs something on the store's own threads, for those who may block and have none of their own.
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

    /// The name of the database that a store belongs to, once it was marked.
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

    /// A store's error; of a bucket it says what is wrong with it.
    fn explain(&self, store: ContentStore, error: object_store::Error) -> ArtifactsError {
        match (store, &self.s3) {
            (ContentStore::S3, Some(bucket)) => bucket.explain(&error),
            _ => error.into(),
        }
    }

    /// Waits for the right to put contents in place or take them away together with their rows.
    pub async fn shelf(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.shelf).lock_owned().await
    }

    /// Takes away a content that nothing refers to any more.
    pub async fn remove(&self, store: ContentStore, content: Sha256) -> Result<(), ArtifactsError> {
        let (objects, prefix) = self.place_of(store)?;
        match objects.delete(&ObjectKey::Content(content).path(prefix)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.explain(store, error)),
        }
    }

    /// The size of a content, if a store has it, and since when it is there.
    pub async fn find(&self, store: ContentStore, content: Sha256) -> Result<Option<(u64, Timestamp)>, ArtifactsError> {
        let (objects, prefix) = self.place_of(store)?;
        match objects.head(&ObjectKey::Content(content).path(prefix)).await {
            Ok(found) => Ok(Some((found.size, since(&found)))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.explain(store, error)),
        }
    }

    /// Every content in a store, with the time since which it is there.
    pub async fn contents(&self, store: ContentStore) -> Result<HashMap<Sha256, Timestamp>, ArtifactsError> {
        let (objects, prefix) = self.place_of(store)?;
        let listed = objects.list(Some(&ObjectKey::contents(prefix)));
        let contents = listed.try_filter_map(async |object| {
            let content = object.location.filename().and_then(|name| name.parse::<Sha256>().ok());
            Ok(content.map(|content| (content, since(&object))))
        });
        contents.try_collect().await.map_err(|error| self.explain(store, error))
    }

    /// Whether uploads can be stored: a probe is put in and taken out again. Of a bucket this is asked at most once in
    /// some seconds, whoever wants to know.
    pub async fn is_writable(&self) -> bool {
        let Ok((objects, prefix)) = self.place_of(self.main) else { return false };
        if self.main == ContentStore::Files {
            return probe(objects, prefix).await;
        }
        // Those who ask at the same time wait for one answer.
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
    // A name of its own: replicas probe one bucket at the same time.
    let probe = ObjectKey::Probe(Uuid::from_bytes(random())).path(prefix);
    objects.put(&probe, "probe".into()).await.is_ok() && objects.delete(&probe).await.is_ok()
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    // Where there is no randomness the name is one that others may have too, which a probe survives.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes
}

fn since(object: &object_store::ObjectMeta) -> Timestamp {
    Timestamp::from_millisecond(object.last_modified.timestamp_millis()).unwrap_or(Timestamp::MAX)
}

impl Drop for Artifacts {
    fn drop(&mut self) {
        // A runtime may not be dropped where futures run; reads that are under way end with their threads.
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}
