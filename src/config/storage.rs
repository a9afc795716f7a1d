//! `[storage]`: where the contents of artifacts lie.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, Secret, Span};
use crate::domain::artifact::ContentStore;

/// `[storage]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StorageConfig {
    /// Where uploads go: `file:PATH`, `s3://bucket/prefix`, or empty.
    pub url: String,
    /// A folder that older contents are served from; empty for `artifacts` in the data folder, if it is there.
    pub files: PathBuf,
    /// A bucket that older contents are served from: `s3://bucket/prefix`, or empty.
    pub s3: String,
    /// The S3 server; empty for Amazon's.
    pub endpoint: String,
    /// The S3 server as clients reach it; empty for `endpoint`.
    pub public_endpoint: String,
    /// The bucket's region.
    pub region: String,
    /// The key pair's name, or empty.
    pub access_key_id: String,
    /// The key pair's secret, or empty.
    pub secret_access_key: Secret,
    /// Whether the bucket stands in the path of an address instead of its host.
    pub path_style: bool,
    /// How long a content that nothing refers to is kept.
    pub keep_loose: Span,
}

/// Whether clients fetch from the S3 server themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DownloadMode {
    /// They are sent there, with a link that is signed for it.
    Redirect,
    /// The bytes go through Sluice.
    Proxy,
}

/// A bucket and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketUrl {
    /// Its name.
    pub bucket: String,
    /// Before every key; empty, or without slashes at its ends.
    pub prefix: String,
}

/// The stores that contents lie in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stores {
    /// Where uploads go.
    pub main: ContentStore,
    /// The folder, if there is one.
    pub files: Option<PathBuf>,
    /// The bucket, if there is one.
    pub s3: Option<BucketUrl>,
}

impl Config {
    /// The stores that contents lie in.
    pub fn stores(&self) -> Result<Stores, ConfigError> {
        let storage = &self.storage;
        let also = match storage.s3.as_str() {
            "" => None,
            url => Some(bucket("storage.s3", url)?),
        };
        let stores = if storage.url.starts_with("s3:") {
            let main = bucket("storage.url", &storage.url)?;
            if also.is_some() {
                return refuse("storage.s3 is for older contents while storage.url names a folder; leave it out");
            }
            let usual = self.data.folder.join("artifacts");
            let files = match storage.files.as_os_str().is_empty() {
                false => Some(storage.files.clone()),
                true => usual.is_dir().then_some(usual),
            };
            Stores { main: ContentStore::S3, files, s3: Some(main) }
        } else {
            let takes = "`file:PATH` or `s3://BUCKET/PREFIX`";
            let folder = self.path_of("storage.url", &storage.url, "file:", "artifacts", takes)?;
            if !storage.files.as_os_str().is_empty() {
                return refuse("storage.files is for older contents while storage.url names a bucket; leave it out");
            }
            Stores { main: ContentStore::Files, files: Some(folder), s3: also }
        };
        if stores.s3.is_some() {
            self.check_server()?;
        }
        Ok(stores)
    }

    /// What is said of the S3 server must fit together.
    fn check_server(&self) -> Result<(), ConfigError> {
        let storage = &self.storage;
        for (key, address) in
            [("storage.endpoint", &storage.endpoint), ("storage.public_endpoint", &storage.public_endpoint)]
        {
            let usable = url::Url::parse(address).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.path() == "/"
                    && url.query().is_none()
                    && url.fragment().is_none()
                    && url.username().is_empty()
                    && url.password().is_none()
            });
            if !address.is_empty() && !usable {
                // It may hold a password, so it is not shown.
                return refuse(&format!(
                    "{key} should be the address of the S3 server alone, like `https://s3.example.com`"
                ));
            }
        }
        if storage.access_key_id.is_empty() != storage.secret_access_key.reveal().is_empty() {
            return refuse("storage.access_key_id and storage.secret_access_key go together; set both or neither");
        }
        if storage.access_key_id.is_empty() && !storage.endpoint.is_empty() {
            return refuse(
                "storage.access_key_id and storage.secret_access_key are needed for the S3 server at storage.endpoint",
            );
        }
        if storage.region.is_empty() {
            return refuse("storage.region is needed for an S3 server; one that has no regions takes `us-east-1`");
        }
        Ok(())
    }
}

fn refuse<T>(text: &str) -> Result<T, ConfigError> {
    Err(ConfigError(text.to_owned()))
}

/// Reads `s3://bucket/prefix`.
fn bucket(key: &str, url: &str) -> Result<BucketUrl, ConfigError> {
    let wrong = || {
        ConfigError(format!(
            "{key}: `{}…` should be like `s3://bucket` or `s3://bucket/prefix`",
            url.split_once(':').map_or("", |(scheme, _)| scheme)
        ))
    };
    let rest = url.strip_prefix("s3://").ok_or_else(wrong)?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_end_matches('/');
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let is_bucket = (3..=63).contains(&bucket.len()) && bucket.bytes().all(letter);
    // What needs no escaping in an address, so that a key is the same wherever it is looked at.
    let plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    if !is_bucket || !(prefix.is_empty() || prefix.split('/').all(plain)) {
        return Err(wrong());
    }
    Ok(BucketUrl { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_read_with_its_prefix() {
        for (url, parts) in [
            ("s3://updates", Some(("updates", ""))),
            ("s3://updates/", Some(("updates", ""))),
            ("s3://updates/vendor/files/", Some(("updates", "vendor/files"))),
            ("s3://Updates", None),
            ("s3://", None),
            ("s3:updates", None),
            ("s3://key:secret@updates", None),
            ("s3://updates/a//b", None),
            ("s3://updates/../b", None),
            ("s3://updates/a?b", None),
        ] {
            let read = bucket("storage.url", url).ok();
            assert_eq!(read.as_ref().map(|read| (read.bucket.as_str(), read.prefix.as_str())), parts, "{url}");
        }
    }
}
