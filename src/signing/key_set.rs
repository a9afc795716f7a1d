//! The keys as they are kept, wherever that is: as JSON, replaced as a whole.

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

/// Why something is no set of keys. Says nothing of the keys themselves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoKeys(pub(super) String);

impl NoKeys {
    pub(super) fn for_key(id: &str) -> Self {
        Self(format!("key `{id}` is none"))
    }
}

/// All keys of an installation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySet {
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

impl KeySet {
    /// New keys.
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

    /// Reads keys that [`Self::to_text`] wrote.
    pub fn read(text: &str) -> Result<Self, NoKeys> {
        let set: Self = serde_json::from_str(text).map_err(|error| NoKeys(error.to_string()))?;
        set.check()?;
        Ok(set)
    }

    /// The keys as JSON: the greatest secret there is.
    pub fn to_text(&self) -> Result<String, NoKeys> {
        serde_json::to_string_pretty(self).map_err(|error| NoKeys(error.to_string()))
    }

    /// Fails unless every key there must be is there, and is long enough to be one: a template that was filled from a
    /// variable that is not set makes empty secrets, under which anybody could sign.
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

    /// Takes the next key into use. Of links and sessions a new key goes first, and what the one before signed still
    /// holds. Of manifests the next key has been public since the rotation before, so that updaters know it; it goes
    /// first now, a new next one is made, and the public half of the old one is kept for good.
    pub fn rotate(&mut self, purpose: Purpose) -> Result<(), NoKeys> {
        let secret = match purpose {
            Purpose::Links | Purpose::Sessions => random::<32>().to_vec(),
            Purpose::Manifests => Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                .map_err(|_| NoKeys("no Ed25519 key could be made".to_owned()))?
                .as_ref()
                .to_vec(),
        };
        let id = match purpose {
            // One byte in every link: any other number than the last one will do.
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

    /// The keys for a purpose, the one that signs first; of manifests the second signs after the next rotation.
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

/// Puts a key first; the one that was first stays second, and any older one is dropped.
fn put_first(keys: &mut Vec<StoredKey>, key: StoredKey) {
    keys.insert(0, key);
    keys.truncate(2);
}
