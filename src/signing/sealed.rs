//! Encryption of secrets that are stored where others may read them (a database, a file, a backup): AES-256-GCM under a
//! key that only the servers have.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{KeySet, NoKeys};

/// An AES-256 key.
pub struct EncryptionKey(RandomizedNonceKey);

impl std::fmt::Debug for EncryptionKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(hidden)")
    }
}

/// The key that encrypts the vendor's other keys, and the previous one during a rotation.
#[derive(Debug)]
pub struct EncryptionKeys {
    current: EncryptionKey,
    previous: Option<EncryptionKey>,
}

/// The purpose of the sealed keys, so that no other sealed text can replace them.
const KEYS: &str = "sluice keys 1";

impl EncryptionKeys {
    /// `current` encrypts; both keys decrypt.
    #[must_use]
    pub const fn new(current: EncryptionKey, previous: Option<EncryptionKey>) -> Self {
        Self { current, previous }
    }

    /// Encrypts a set of keys.
    pub fn seal(&self, keys: &KeySet) -> Result<String, NoKeys> {
        self.current.seal(KEYS, &keys.to_text()?).map_err(|_| NoKeys("they could not be encrypted".to_owned()))
    }

    /// Whether a text looks like the output of [`Self::seal`].
    #[must_use]
    pub fn is_sealed(text: &str) -> bool {
        STANDARD.decode(text.trim()).is_ok_and(|bytes| bytes.len() > NONCE_LEN)
    }

    /// Decrypts the output of [`Self::seal`]. The second value says whether the current key had encrypted it.
    ///
    /// # Errors
    /// When neither key decrypts it, or the text was altered.
    pub fn open(&self, sealed: &str) -> Result<(KeySet, bool), NoKeys> {
        let current = self.current.open(KEYS, sealed).map(|text| (text, true));
        let opened = current.or_else(|unsealed| {
            let previous = self.previous.as_ref().ok_or(unsealed)?;
            previous.open(KEYS, sealed).map(|text| (text, false))
        });
        let (text, is_current) = opened.map_err(|unsealed| NoKeys(unsealed.to_string()))?;
        Ok((KeySet::read(&text)?, is_current))
    }
}

/// Why a sealed text cannot be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was encrypted with another key, or altered")]
pub struct Unsealed;

impl EncryptionKey {
    /// Reads a key: 32 bytes in base64, as `openssl rand -base64 32` prints them.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim()).ok()?;
        Self::of(&bytes)
    }

    /// A key made of the bytes that were derived from another secret.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, bytes).ok().map(Self)
    }

    /// Encrypts a text for one purpose, so that it cannot be used for another. The nonce goes first.
    pub fn seal(&self, purpose: &str, text: &str) -> Result<String, Unsealed> {
        let mut bytes = text.as_bytes().to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(purpose), &mut bytes).map_err(|_| Unsealed)?;
        Ok(STANDARD.encode([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    /// Decrypts the output of [`Self::seal`] for the same purpose.
    ///
    /// # Errors
    /// When it was encrypted with another key or for another purpose, or altered.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<String, Unsealed> {
        let bytes = STANDARD.decode(sealed.trim()).map_err(|_| Unsealed)?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(Unsealed)?;
        let mut rest = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let text = self.0.open_in_place(nonce, Aad::from(purpose), &mut rest).map_err(|_| Unsealed)?;
        String::from_utf8(text.to_vec()).map_err(|_| Unsealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_data_opens_unaltered_by_its_key_for_its_purpose() {
        let key = |byte: u8| EncryptionKey::read(&STANDARD.encode([byte; 32])).expect("a key");
        let sealed = key(1).seal("keys", "a secret").expect("a seal");
        assert!(!sealed.contains("secret"));
        assert_ne!(sealed, key(1).seal("keys", "a secret").expect("a seal"), "the nonce differs");
        assert_eq!(key(1).open("keys", &sealed).as_deref(), Ok("a secret"));
        assert_eq!(key(2).open("keys", &sealed), Err(Unsealed));
        assert_eq!(key(1).open("other", &sealed), Err(Unsealed));
        let mut altered = STANDARD.decode(&sealed).expect("base64");
        altered[20] ^= 1;
        assert_eq!(key(1).open("keys", &STANDARD.encode(altered)), Err(Unsealed));
        assert_eq!(key(1).open("keys", "short"), Err(Unsealed));
        assert!(EncryptionKey::read("c2hvcnQ=").is_none() && EncryptionKey::read("no base64").is_none());
    }
}
