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

/// A key pair of an S3 server. Never shown.
#[derive(Clone)]
pub struct KeyPair {
    /// Its name.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(hidden)")
    }
}

/// Where a bucket is, and how it is reached.
#[derive(Clone, Debug)]
pub struct BucketOptions {
    /// Its name.
    pub bucket: String,
    /// Before every key; empty, or without slashes at its ends.
    pub prefix: String,
    /// The S3 server; none for Amazon's.
    pub endpoint: Option<String>,
    /// The same server as clients reach it; none for `endpoint`.
    pub public_endpoint: Option<String>,
    /// The bucket's region.
    pub region: String,
    /// The key pair; none for what the environment or the machine's role give.
    pub keys: Option<KeyPair>,
    /// Whether the bucket stands in the path of an address instead of its host.
    pub path_style: bool,
}

/// A bucket of contents.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) store: AmazonS3,
    /// The same bucket as clients reach it.
    public: AmazonS3,
    pub(super) prefix: Path,
    /// For people: the bucket, and where.
    pub(super) shown: String,
    /// Where clients reach it, for people.
    pub(super) shown_public: String,
    /// The uploads that are under way in this process: the sweep leaves them alone, however old.
    pub(super) running: Mutex<HashSet<Uuid>>,
    /// The contents that are put in place by this process and not listed yet, and how often: the sweep leaves them alone
    /// as well.
    landing: Mutex<HashMap<Sha256, usize>>,
    /// The threads on which an upload that nobody waits for any more is aborted.
    pub(super) threads: Handle,
}

/// Links that S3 signs are good for so long at most (Signature Version 4).
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

    /// What an error of the store means, for the person who can do something about it.
    pub(super) fn explain(&self, error: &object_store::Error) -> ArtifactsError {
        ArtifactsError::Bucket(Trouble::of(error, &self.shown))
    }

    /// A link to an object that its holder may follow without a key pair.
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

/// A content that is about to be nobody's in the bucket, for as long as this is held.
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
    // Slow is not away: a request may last as long as bytes flow. But nobody waits for long for one who is away.
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
        // Deleting one by one is what every server can do.
        .with_disable_bulk_delete(true)
        .with_client_options(client)
        .with_retry(retry)
        .with_http_connector(SpawnedReqwestConnector::new(threads.clone()));
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(match options.path_style {
            true => endpoint.trim_end_matches('/').to_owned(),
            // What the library wants of an endpoint in this style.
            false => endpoint.trim_end_matches('/').replacen("://", &format!("://{}.", options.bucket), 1),
        });
    }
    builder.build()
}

impl Artifacts {
    /// A link to a content in the bucket, with the name and the type that the S3 server is to say it has.
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

    /// Whether a content is being put in place by this process, and will be listed in a moment.
    #[must_use]
    pub fn is_landing(&self, content: Sha256) -> bool {
        self.s3.as_ref().is_some_and(|bucket| bucket.landing.lock().contains_key(&content))
    }

    pub(super) fn bucket(&self) -> Result<&Arc<Bucket>, ArtifactsError> {
        self.s3.as_ref().ok_or(ArtifactsError::Unknown(crate::domain::artifact::ContentStore::S3))
    }
}
