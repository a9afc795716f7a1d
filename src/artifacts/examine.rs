//! Tests step by step whether the stores can do what Sluice needs, for the operator who sets them up.

use std::{path::Path as FilePath, time::Duration};

use futures_util::StreamExt as _;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use uuid::Uuid;

use super::{Artifacts, ArtifactsError, Options, PATIENCE, Trouble, bucket::Bucket, key::ObjectKey, random};
use crate::domain::artifact::ContentStore;

/// One tested step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    pub what: String,
    /// What failed, in one line; `None` if the step succeeded.
    pub problem: Option<String>,
}

/// The lifetime of a test link; it is followed at once.
const TRIAL: Duration = Duration::from_mins(1);
const PROBE: &str = "probe";

/// Tests everything that Sluice needs of the stores, also while a server is using them. Steps that depend on a failed
/// one are left out.
pub fn examine(options: Options) -> Result<Vec<Examined>, ArtifactsError> {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let threads = threads.map_err(ArtifactsError::Threads)?;
    let Options { main, files, s3, .. } = options;
    let mut done: Vec<_> = files.iter().map(|path| examine_folder(path, main == ContentStore::Files)).collect();
    if let Some(s3) = s3 {
        match Bucket::open(&s3, threads.handle()) {
            Ok(bucket) => done.extend(threads.block_on(examine_bucket(&bucket, main == ContentStore::S3))),
            Err(error) => done.push(Examined { what: "the bucket".to_owned(), problem: Some(error.to_string()) }),
        }
    }
    threads.shutdown_background();
    Ok(done)
}

async fn examine_bucket(bucket: &Bucket, main: bool) -> Vec<Examined> {
    let mut steps = Steps { bucket, done: Vec::new() };
    // Each step records its own failure; a timeout has to be recorded here.
    if tokio::time::timeout(3 * PATIENCE, steps.examine(main)).await.is_err() {
        let problem = Trouble::silent(&bucket.shown).to_string();
        steps.done.push(Examined { what: bucket.shown.clone(), problem: Some(problem) });
    }
    steps.done
}

impl Artifacts {
    /// Whether the bucket can be used as configured.
    ///
    /// # Errors
    /// [`ArtifactsError::Bucket`] with what is wrong. A bucket that is only away ([`ArtifactsError::is_away`]) may come
    /// back.
    pub async fn try_bucket(&self) -> Result<(), ArtifactsError> {
        let bucket = self.bucket()?;
        let listed = bucket.store.list(Some(&ObjectKey::incoming(&bucket.prefix))).next().await;
        listed.transpose().map_err(|error| bucket.explain(&error))?;
        if self.main == ContentStore::S3 {
            let probe = ObjectKey::Probe(Uuid::from_bytes(random())).path(&bucket.prefix);
            bucket.store.put(&probe, PROBE.into()).await.map_err(|error| read_only(bucket, &error))?;
            bucket.store.delete(&probe).await.map_err(|error| bucket.explain(&error))?;
        }
        Ok(())
    }
}

/// The bucket can be listed but does not accept a probe.
fn read_only(bucket: &Bucket, error: &object_store::Error) -> ArtifactsError {
    let trouble = Trouble::of(error, &bucket.shown);
    ArtifactsError::Bucket(match trouble.is_rights() {
        true => {
            Trouble::other(&bucket.shown, "it can be read but not written; allow the key pair to put objects there")
        }
        false => trouble,
    })
}

fn examine_folder(path: &FilePath, main: bool) -> Examined {
    let what = format!("the artifact folder {}", path.display());
    if main && !path.exists() {
        return Examined { what: format!("{what} does not exist yet; `sluice serve` creates it"), problem: None };
    }
    let attempt = || {
        if main {
            let probe = path.join(format!("{PROBE}-{}", Uuid::from_bytes(random())));
            std::fs::write(&probe, PROBE)?;
            return std::fs::remove_file(&probe);
        }
        std::fs::read_dir(path).map(drop)
    };
    let problem = attempt().err().map(|error| ArtifactsError::Folder(path.to_owned(), error).to_string());
    Examined { what: format!("{what} can be {}", if main { "written" } else { "read" }), problem }
}

/// The test of a bucket.
struct Steps<'b> {
    bucket: &'b Bucket,
    done: Vec<Examined>,
}

impl Steps<'_> {
    fn note<T>(&mut self, what: &str, tried: Result<T, ArtifactsError>) -> Result<T, ArtifactsError> {
        let problem = tried.as_ref().err().map(ToString::to_string);
        self.done.push(Examined { what: format!("{} {what}", self.bucket.shown), problem });
        tried
    }

    async fn examine(&mut self, main: bool) -> Result<(), ArtifactsError> {
        let bucket = self.bucket;
        let explain = |error: object_store::Error| bucket.explain(&error);
        let listed = bucket.store.list(Some(&ObjectKey::incoming(&bucket.prefix))).next().await;
        self.note("can be listed", listed.transpose().map_err(explain))?;
        if !main {
            return Ok(());
        }
        let probe = ObjectKey::Probe(Uuid::from_bytes(random())).path(&bucket.prefix);
        let put = bucket.store.put(&probe, PROBE.into()).await;
        self.note("can be written", put.map_err(|error| read_only(bucket, &error)))?;
        let read = async { bucket.store.get(&probe).await?.bytes().await }.await;
        let read = read.map_err(explain).and_then(|bytes| match bytes == PROBE {
            true => Ok(()),
            false => Err(ArtifactsError::Bucket(Trouble::other(
                &bucket.shown,
                "the content that was read differs from what was written",
            ))),
        });
        let read = self.note("can be read", read);
        let followed = follow(bucket, &probe).await;
        let followed = self.note(&format!("serves signed links at {}", bucket.shown_public), followed);
        // The probe is deleted in any case.
        let deleted = bucket.store.delete(&probe).await.map_err(explain);
        self.note("can be deleted from", deleted)?;
        read.and(followed)
    }
}

/// Follows a link as a client does.
async fn follow(bucket: &Bucket, probe: &object_store::path::Path) -> Result<(), ArtifactsError> {
    let link = bucket.link(probe, TRIAL, &[]).await?;
    let shown = format!("{} through {}", bucket.shown, bucket.shown_public);
    let refuse = |said: String| ArtifactsError::Bucket(Trouble::other(&shown, said));
    let client = reqwest::Client::builder().timeout(TRIAL / 6).build().map_err(|error| refuse(error.to_string()))?;
    // Errors do not contain the address, because anyone can use this link.
    let unreachable = |error: reqwest::Error| {
        let mut said = error.without_url().to_string();
        said.retain(|letter| letter != '\n');
        refuse(format!("a signed link cannot be followed ({said}); check storage.public_endpoint"))
    };
    let answer = client.get(&link).send().await.map_err(unreachable)?;
    let status = answer.status();
    let text = answer.text().await.map_err(unreachable)?;
    if status.is_success() && text == PROBE {
        return Ok(());
    }
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let code = code.map_or_else(String::new, |(code, _)| format!(", {code}"));
    Err(refuse(format!("a signed link is not served (status {status}{code}); check storage.public_endpoint")))
}
