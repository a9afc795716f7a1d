//! A bucket of contents on an S3 server.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use jiff::SignedDuration;
use object_store::{
    BackoffConfig, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    client::SpawnedReqwestConnector,
    path::Path,
    signer::{Method, SignedUrlOptions, Signer as _},
};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{Artifacts, ArtifactsError, Trouble, key::ObjectKey};
use crate::domain::artifact::Sha256;

/// A key pair for an S3 server. `Debug` hides it.
#[derive(Clone)]
pub struct KeyPair {
    pub id: String,
    pub secret: String,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(hidden)")
    }
}

/// Where a bucket is, and how to reach it.
#[derive(Clone, Debug)]
pub struct BucketOptions {
    pub bucket: String,
    /// The prefix of all keys; empty, or without slashes at its ends.
    pub prefix: String,
    /// The S3 server; `None` for Amazon's.
    pub endpoint: Option<String>,
    /// The address at which clients reach the server; `None` if it is `endpoint`.
    pub public_endpoint: Option<String>,
    pub region: String,
    /// The key pair; `None` to use the environment or the machine's role.
    pub keys: Option<KeyPair>,
    /// Whether the bucket's name is in the path of the URL instead of its host.
    pub path_style: bool,
}

/// A bucket of contents.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) store: AmazonS3,
    /// A client for the address at which clients reach the bucket. It only signs links.
    public: AmazonS3,
    pub(super) prefix: Path,
    /// The bucket and its place, for messages.
    pub(super) shown: String,
    /// The address at which clients reach the bucket, for messages.
    pub(super) shown_public: String,
    /// Uploads under way in this process. The sweep leaves them alone, however old they are.
    pub(super) running: Mutex<HashSet<Uuid>>,
    /// Contents that this process is placing and that no row lists yet, with a count. The sweep leaves them alone.
    landing: Mutex<HashMap<Sha256, usize>>,
    /// The threads on which abandoned uploads are aborted.
    pub(super) threads: Handle,
}

/// The longest lifetime of a signed link (Signature Version 4).
const LINK_LIMIT: Duration = Duration::from_hours(7 * 24);

impl Bucket {
    pub(super) fn open(options: &BucketOptions, threads: &Handle) -> Result<Self, ArtifactsError> {
        let amazon = format!("Amazon S3 in {}", options.region);
        let place = options.endpoint.clone().unwrap_or(amazon);
        let shown = format!("bucket `{}` at {place}", options.bucket);
        let refuse = |error: object_store::Error| ArtifactsError::Bucket(Trouble::other(&shown, error.to_string()));
        let store = connect(options, options.endpoint.as_deref(), threads).map_err(refuse)?;
        let public = options.public_endpoint.as_deref().or(options.endpoint.as_deref());
        Ok(Self {
            store,
            public: connect(options, public, threads).map_err(refuse)?,
            prefix: Path::from(options.prefix.as_str()),
            shown_public: public.map_or_else(|| place.clone(), str::to_owned),
            shown,
            running: Mutex::new(HashSet::new()),
            landing: Mutex::new(HashMap::new()),
            threads: threads.clone(),
        })
    }

    /// Explains an error of the store to the operator.
    pub(super) fn explain(&self, error: &object_store::Error) -> ArtifactsError {
        ArtifactsError::Bucket(Trouble::of(error, &self.shown))
    }

    /// A signed link to an object. Its holder needs no key pair.
    pub(super) async fn link(
        &self,
        path: &Path,
        lifetime: Duration,
        more: &[(&str, &str)],
    ) -> Result<String, ArtifactsError> {
        let options = SignedUrlOptions::default().with_query(more.iter().copied());
        let signed = self.public.signed_url_opts(Method::GET, path, lifetime.min(LINK_LIMIT), &options).await;
        signed.map(String::from).map_err(|error| self.explain(&error))
    }
}

/// Protects a content in the bucket from the sweep while no row lists it yet.
#[derive(Debug)]
pub(super) struct Landing {
    bucket: Arc<Bucket>,
    content: Sha256,
}

impl Landing {
    pub(super) fn of(bucket: &Arc<Bucket>, content: Sha256) -> Self {
        *bucket.landing.lock().entry(content).or_default() += 1;
        Self { bucket: Arc::clone(bucket), content }
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut landing = self.bucket.landing.lock();
        if let Some(count) = landing.get_mut(&self.content) {
            *count -= 1;
            if *count == 0 {
                landing.remove(&self.content);
            }
        }
    }
}

fn connect(options: &BucketOptions, endpoint: Option<&str>, threads: &Handle) -> Result<AmazonS3, object_store::Error> {
    // Requests have no time limit while bytes flow: slow is not away. An unreachable server must fail fast.
    let client = ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(Duration::from_secs(3))
        .with_read_timeout(Duration::from_mins(1))
        .with_allow_http(endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")));
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            base: 2.0,
        },
        max_retries: 3,
        retry_timeout: Duration::from_secs(20),
    };
    let builder = match &options.keys {
        Some(keys) => AmazonS3Builder::new().with_access_key_id(&keys.id).with_secret_access_key(&keys.secret),
        None => AmazonS3Builder::from_env(),
    };
    let mut builder = builder
        .with_bucket_name(&options.bucket)
        .with_region(&options.region)
        .with_virtual_hosted_style_request(!options.path_style)
        // Not all servers support bulk deletion.
        .with_disable_bulk_delete(true)
        .with_client_options(client)
        .with_retry(retry)
        .with_http_connector(SpawnedReqwestConnector::new(threads.clone()));
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(match options.path_style {
            true => endpoint.trim_end_matches('/').to_owned(),
            // The form of endpoint that the library expects in this style.
            false => endpoint.trim_end_matches('/').replacen("://", &format!("://{}.", options.bucket), 1),
        });
    }
    builder.build()
}

impl Artifacts {
    /// A link to a content in the bucket, with the file name and the type that the S3 server will send.
    pub async fn link(
        &self,
        content: Sha256,
        lifetime: SignedDuration,
        disposition: &str,
        content_type: &str,
    ) -> Result<String, ArtifactsError> {
        let bucket = self.bucket()?;
        let lifetime = Duration::try_from(lifetime).unwrap_or(LINK_LIMIT);
        let path = ObjectKey::Content(content).path(&bucket.prefix);
        let more = [("response-content-disposition", disposition), ("response-content-type", content_type)];
        bucket.link(&path, lifetime, &more).await
    }

    /// Whether this process is placing a content that no row lists yet.
    #[must_use]
    pub fn is_landing(&self, content: Sha256) -> bool {
        self.s3.as_ref().is_some_and(|bucket| bucket.landing.lock().contains_key(&content))
    }

    pub(super) fn bucket(&self) -> Result<&Arc<Bucket>, ArtifactsError> {
        self.s3.as_ref().ok_or(ArtifactsError::Unknown(crate::domain::artifact::ContentStore::S3))
    }
}
