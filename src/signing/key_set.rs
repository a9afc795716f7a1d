//! The set of keys as it is stored: JSON, replaced as a whole.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::random;
use crate::domain::named_enum;

/// The shortest secret that is accepted, in bytes: as long as the SHA-256 that it keys.
const SECRET: usize = 32;

named_enum! {
    /// What a pair of keys is for.
    Purpose, "purpose of keys" {
        Links = "links",
        Sessions = "sessions",
        Manifests = "manifests",
    }
}

/// Why a text is not a valid set of keys. The message never contains the keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoKeys(pub(super) String);

impl NoKeys {
    pub(super) fn for_key(id: &str) -> Self {
        Self(format!("key `{id}` is invalid"))
    }
}

/// All keys of a vendor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySet {
    /// The secret that license keys are hashed with. It cannot be rotated, because license keys are not stored.
    license: Bytes,
    links: Vec<StoredKey>,
    sessions: Vec<StoredKey>,
    manifests: Vec<StoredKey>,
    /// Public keys of manifests that no longer sign, kept so that published manifests stay verifiable.
    #[serde(default)]
    retired_manifests: Vec<RetiredKey>,
}

/// A public key that no longer signs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetiredKey {
    /// The key's id, which signatures name.
    pub id: String,
    /// The public key, in base64url without padding.
    pub public: String,
}

/// A key with its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredKey {
    /// The key's id, which signatures name.
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

impl KeySet {
    /// Creates a set of new keys.
    pub fn make() -> Result<Self, NoKeys> {
        let mut set = Self {
            license: Bytes(random::<32>().to_vec()),
            links: Vec::new(),
            sessions: Vec::new(),
            manifests: Vec::new(),
            retired_manifests: Vec::new(),
        };
        for purpose in Purpose::ALL {
            set.rotate(*purpose)?;
        }
        set.rotate(Purpose::Manifests)?;
        Ok(set)
    }

    /// Reads what [`Self::to_text`] wrote.
    pub fn read(text: &str) -> Result<Self, NoKeys> {
        let set: Self = serde_json::from_str(text).map_err(|error| NoKeys(error.to_string()))?;
        set.check()?;
        Ok(set)
    }

    /// The keys as JSON. This text is the most valuable secret of an installation.
    pub fn to_text(&self) -> Result<String, NoKeys> {
        serde_json::to_string_pretty(self).map_err(|error| NoKeys(error.to_string()))
    }

    /// Fails unless all keys are present and long enough. A template that was filled from an unset variable makes empty
    /// secrets, with which anyone could sign.
    fn check(&self) -> Result<(), NoKeys> {
        let lacking = |what: &str| Err(NoKeys(what.to_owned()));
        if self.license.0.len() < SECRET {
            return lacking("the license secret is too short");
        }
        for purpose in Purpose::ALL {
            let keys = self.of(*purpose);
            if keys.is_empty() || keys.iter().any(|key| key.secret().len() < SECRET) {
                return lacking(&format!("a key for {purpose} is missing or too short"));
            }
        }
        Ok(())
    }

    /// Rotates the keys of one purpose. For links and sessions a new key signs; the previous one still verifies. For
    /// manifests the next key signs, which has been public since the previous rotation, so that updaters know it; a new
    /// next key is created, and the public half of the old one is kept forever.
    pub fn rotate(&mut self, purpose: Purpose) -> Result<(), NoKeys> {
        let secret = match purpose {
            Purpose::Links | Purpose::Sessions => random::<32>().to_vec(),
            Purpose::Manifests => Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                .map_err(|_| NoKeys("no Ed25519 key could be made".to_owned()))?
                .as_ref()
                .to_vec(),
        };
        let id = match purpose {
            // One byte in every link. It only has to differ from the previous key's id.
            Purpose::Links => {
                let last: u8 = self.links.first().and_then(|key| key.id.parse().ok()).unwrap_or(0);
                last.wrapping_add(1).to_string()
            }
            Purpose::Sessions | Purpose::Manifests => URL_SAFE_NO_PAD.encode(random::<9>()),
        };
        let new = StoredKey { id, secret: Bytes(secret) };
        match purpose {
            Purpose::Links => put_first(&mut self.links, new),
            Purpose::Sessions => put_first(&mut self.sessions, new),
            Purpose::Manifests => {
                self.manifests.push(new);
                if self.manifests.len() > 2 {
                    let old = self.manifests.remove(0);
                    let pair = Ed25519KeyPair::from_pkcs8(old.secret()).map_err(|_| NoKeys::for_key(&old.id))?;
                    let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
                    self.retired_manifests.push(RetiredKey { id: old.id, public });
                }
            }
        }
        Ok(())
    }

    /// The keys of a purpose, the signing one first. The second key of manifests signs after the next rotation.
    #[must_use]
    pub fn of(&self, purpose: Purpose) -> &[StoredKey] {
        match purpose {
            Purpose::Links => &self.links,
            Purpose::Sessions => &self.sessions,
            Purpose::Manifests => &self.manifests,
        }
    }

    /// The public keys of manifests that no longer sign.
    #[must_use]
    pub fn retired(&self) -> &[RetiredKey] {
        &self.retired_manifests
    }

    /// The secret that license keys are hashed with.
    pub(super) fn license_secret(&self) -> &[u8] {
        &self.license.0
    }
}

/// Puts a key first. The previous first key becomes second; older ones are dropped.
fn put_first(keys: &mut Vec<StoredKey>, key: StoredKey) {
    keys.insert(0, key);
    keys.truncate(2);
}
