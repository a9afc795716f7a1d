//! `[storage]`: where the contents of artifacts are stored.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, Secret, Span};
use crate::domain::artifact::ContentStore;

/// `[storage]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StorageConfig {
    /// The store for uploads: `file:PATH`, `s3://bucket/prefix`, or empty.
    pub url: String,
    /// A folder that serves older contents; empty for `artifacts` in the data folder, if it exists.
    pub files: PathBuf,
    /// A bucket that serves older contents: `s3://bucket/prefix`, or empty.
    pub s3: String,
    /// The S3 server; empty for Amazon's.
    pub endpoint: String,
    /// The address at which clients reach the S3 server; empty for `endpoint`.
    pub public_endpoint: String,
    pub region: String,
    /// Empty for none.
    pub access_key_id: String,
    /// Empty for none.
    pub secret_access_key: Secret,
    /// Whether the bucket's name is in the path of the URL instead of its host.
    pub path_style: bool,
    /// How long an unused content is kept.
    pub keep_loose: Span,
}

/// Whether clients download from the S3 server directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DownloadMode {
    /// Clients are redirected there with a signed link.
    Redirect,
    /// The bytes go through Sluice.
    Proxy,
}

/// A bucket, and a prefix in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketUrl {
    pub bucket: String,
    /// The prefix of all keys; empty, or without slashes at its ends.
    pub prefix: String,
}

/// The stores of contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stores {
    /// The store for uploads.
    pub main: ContentStore,
    pub files: Option<PathBuf>,
    pub s3: Option<BucketUrl>,
}

impl Config {
    /// The stores that the configuration names.
    pub fn stores(&self) -> Result<Stores, ConfigError> {
        let storage = &self.storage;
        let also = match storage.s3.as_str() {
            "" => None,
            url => Some(bucket("storage.s3", url)?),
        };
        let stores = if storage.url.starts_with("s3:") {
            let main = bucket("storage.url", &storage.url)?;
            if also.is_some() {
                return refuse("storage.s3 can only be set while storage.url names a folder; remove it");
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
                return refuse("storage.files can only be set while storage.url names a bucket; remove it");
            }
            Stores { main: ContentStore::Files, files: Some(folder), s3: also }
        };
        if stores.s3.is_some() {
            self.check_server()?;
        }
        Ok(stores)
    }

    /// Checks that the keys about the S3 server fit together.
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
                // The URL may contain a password, so it is not shown.
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
                "storage.access_key_id and storage.secret_access_key are required for the S3 server at storage.endpoint",
            );
        }
        if storage.region.is_empty() {
            return refuse("storage.region is required for an S3 server; use `us-east-1` for a server without regions");
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
    // Only characters that need no escaping in a URL, so that a key looks the same everywhere.
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
