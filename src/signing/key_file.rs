//! The file that keys are kept in: JSON, readable by its owner only, replaced as a whole.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::random;
use crate::domain::named_enum;

/// The least length of a secret, in bytes.
const SECRET: usize = 32;

named_enum! {
    /// What a pair of keys is for.
    Purpose, "purpose of keys" {
        /// Signing download links.
        Links = "links",
        /// Signing session tokens.
        Sessions = "sessions",
        /// Signing release manifests.
        Manifests = "manifests",
    }
}

/// What is wrong with the keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("cannot use the key file {0}: {1}; check the rights of the data folder")]
    Io(PathBuf, std::io::Error),
    /// Others can read the file.
    #[error(
        "the key file {0} can be read by others than its owner (mode {1:o}); run `chmod 600 {0}`, and rotate the keys if somebody may have read them"
    )]
    Exposed(PathBuf, u32),
    /// The file is not what this program wrote.
    #[error("the key file {0} is damaged ({1}); restore it from a backup")]
    Damaged(PathBuf, String),
}

impl KeyError {
    pub(super) fn damaged(path: &Path, key: &str) -> Self {
        Self::Damaged(path.to_owned(), format!("key `{key}` is none"))
    }
}

/// The keys as they are kept.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
    content: Content,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// What license keys are hashed with. It cannot be rotated, as the keys are not kept.
    license: Bytes,
    links: Vec<StoredKey>,
    sessions: Vec<StoredKey>,
    manifests: Vec<StoredKey>,
    /// The public keys of manifests that were signed before the last rotations: what was published stays verifiable.
    #[serde(default)]
    retired_manifests: Vec<RetiredKey>,
}

/// A public key that no longer signs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetiredKey {
    /// What signatures name it by.
    pub id: String,
    /// The key, in base64url without padding.
    pub public: String,
}

/// A key with its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredKey {
    /// What signatures name it by.
    pub id: String,
    secret: Bytes,
}

impl StoredKey {
    pub(super) fn secret(&self) -> &[u8] {
        &self.secret.0
    }
}

/// Secret bytes, in base64url.
#[derive(Clone)]
struct Bytes(Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(hidden)")
    }
}

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        URL_SAFE_NO_PAD.decode(text).map(Self).map_err(|_| serde::de::Error::custom("a secret is not base64url"))
    }
}

impl KeyFile {
    /// Reads the file, making it with new keys where there is none.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be read or made, can be read by others, or is not a key file.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Self::make(path),
            Err(error) => return Err(KeyError::Io(path.to_owned(), error)),
        };
        let mode =
            fs::metadata(path).map_err(|error| KeyError::Io(path.to_owned(), error))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed(path.to_owned(), mode));
        }
        let content: Content =
            serde_json::from_str(&text).map_err(|error| KeyError::Damaged(path.to_owned(), error.to_string()))?;
        let file = Self { path: path.to_owned(), content };
        file.check()?;
        Ok(file)
    }

    fn make(path: &Path) -> Result<Self, KeyError> {
        let content = Content {
            license: Bytes(random::<32>().to_vec()),
            links: Vec::new(),
            sessions: Vec::new(),
            manifests: Vec::new(),
            retired_manifests: Vec::new(),
        };
        let mut file = Self { path: path.to_owned(), content };
        for purpose in Purpose::ALL {
            file.renew(*purpose)?;
        }
        file.renew(Purpose::Manifests)?;
        file.save()?;
        Ok(file)
    }

    /// Fails unless every key there must be is there, and is long enough to be one: a template that was filled from a
    /// variable that is not set makes empty secrets, under which anybody could sign.
    fn check(&self) -> Result<(), KeyError> {
        let lacking = |what: &str| Err(KeyError::Damaged(self.path.clone(), what.to_owned()));
        if self.content.license.0.len() < SECRET {
            return lacking("the license secret is too short");
        }
        for purpose in Purpose::ALL {
            let keys = self.keys(*purpose);
            if keys.is_empty() || keys.iter().any(|key| key.secret().len() < SECRET) {
                return lacking(&format!("a key for {purpose} is missing or too short"));
            }
        }
        Ok(())
    }

    /// Takes the next key into use. Of links and sessions a new key goes first, and what the one before signed still
    /// holds. Of manifests the next key has been public since the rotation before, so that updaters know it; it goes
    /// first now, a new next one is made, and the public half of the old one is kept for good.
    ///
    /// # Errors
    /// [`KeyError`] when the file cannot be written.
    pub fn rotate(&mut self, purpose: Purpose) -> Result<(), KeyError> {
        self.renew(purpose)?;
        self.save()
    }

    fn renew(&mut self, purpose: Purpose) -> Result<(), KeyError> {
        let secret = match purpose {
            Purpose::Links | Purpose::Sessions => random::<32>().to_vec(),
            Purpose::Manifests => Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                .map_err(|_| KeyError::Damaged(self.path.clone(), "no Ed25519 key could be made".to_owned()))?
                .as_ref()
                .to_vec(),
        };
        let id = match purpose {
            // One byte in every link: any other number than the last one will do.
            Purpose::Links => {
                let last: u8 = self.content.links.first().and_then(|key| key.id.parse().ok()).unwrap_or(0);
                last.wrapping_add(1).to_string()
            }
            Purpose::Sessions | Purpose::Manifests => URL_SAFE_NO_PAD.encode(random::<9>()),
        };
        let new = StoredKey { id, secret: Bytes(secret) };
        let content = &mut self.content;
        match purpose {
            Purpose::Links => put_first(&mut content.links, new),
            Purpose::Sessions => put_first(&mut content.sessions, new),
            Purpose::Manifests => {
                content.manifests.push(new);
                if content.manifests.len() > 2 {
                    let old = content.manifests.remove(0);
                    let pair =
                        Ed25519KeyPair::from_pkcs8(old.secret()).map_err(|_| KeyError::damaged(&self.path, &old.id))?;
                    let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
                    content.retired_manifests.push(RetiredKey { id: old.id, public });
                }
            }
        }
        Ok(())
    }

    /// The keys for a purpose, the one that signs first; of manifests the second signs after the next rotation.
    #[must_use]
    pub fn keys(&self, purpose: Purpose) -> &[StoredKey] {
        match purpose {
            Purpose::Links => &self.content.links,
            Purpose::Sessions => &self.content.sessions,
            Purpose::Manifests => &self.content.manifests,
        }
    }

    /// The public keys of manifests that no longer sign.
    #[must_use]
    pub fn retired(&self) -> &[RetiredKey] {
        &self.content.retired_manifests
    }

    /// The secret that license keys are hashed with.
    pub(super) fn license_secret(&self) -> &[u8] {
        &self.content.license.0
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file as a whole, so that a crash leaves the old one or the new one.
    fn save(&self) -> Result<(), KeyError> {
        let io = |error| KeyError::Io(self.path.clone(), error);
        let text = serde_json::to_string_pretty(&self.content).map_err(|error| io(error.into()))?;
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        fs::create_dir_all(folder).map_err(io)?;
        let beside = self.path.with_extension("new");
        // What a crash may have left is removed first: `mode` applies only to a file that is made.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(io)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        fs::rename(&beside, &self.path).map_err(io)?;
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
    }
}

/// Puts a key first; the one that was first stays second, and any older one is dropped.
fn put_first(keys: &mut Vec<StoredKey>, key: StoredKey) {
    keys.insert(0, key);
    keys.truncate(2);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_kept_private_and_two_live_after_a_rotation() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        let mut made = KeyFile::open(&path).expect("keys");
        assert_eq!(fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
        let first = made.keys(Purpose::Links)[0].id.clone();
        made.rotate(Purpose::Links).expect("a rotation");
        let read = KeyFile::open(&path).expect("keys");
        assert_eq!(read.keys(Purpose::Links).len(), 2);
        assert_eq!(read.keys(Purpose::Links)[1].id, first);
        assert_eq!(read.license_secret(), made.license_secret());
        assert!(!format!("{read:?}").contains(&URL_SAFE_NO_PAD.encode(read.license_secret())));
    }

    #[test]
    fn a_file_that_others_can_read_or_that_is_damaged_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        KeyFile::open(&path).expect("keys");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("permissions");
        assert!(matches!(KeyFile::open(&path), Err(KeyError::Exposed(_, 0o644))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("permissions");
        fs::write(&path, "{}").expect("a write");
        assert!(matches!(KeyFile::open(&path), Err(KeyError::Damaged(..))));
        fs::remove_file(&path).expect("a removal");
        KeyFile::open(&path).expect("keys");
        let text = fs::read_to_string(&path).expect("text");
        let secret = text.split('"').nth(3).expect("the license secret");
        fs::write(&path, text.replace(secret, "")).expect("a write");
        assert!(matches!(KeyFile::open(&path), Err(KeyError::Damaged(..))), "an empty secret is none");
    }

    #[test]
    fn the_next_key_of_manifests_is_public_before_it_signs_and_the_old_ones_stay_public() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = KeyFile::open(&folder.path().join("keys.json")).expect("keys");
        let first: Vec<String> = file.keys(Purpose::Manifests).iter().map(|key| key.id.clone()).collect();
        file.rotate(Purpose::Manifests).expect("a rotation");
        file.rotate(Purpose::Manifests).expect("a rotation");
        assert_eq!(file.retired().iter().map(|key| key.id.clone()).collect::<Vec<_>>(), first);
        let ring = crate::signing::KeyRing::of(&file).expect("keys");
        let public: Vec<String> = ring.public_keys().into_iter().map(|key| key.kid).collect();
        assert_eq!(public.len(), 4);
        assert!(first.iter().all(|id| public.contains(id)));
    }
}
