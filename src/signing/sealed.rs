//! Secrets that lie where others may read them, in the shared database: encrypted with AES-256-GCM under a key that only
//! the servers have.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The key, 32 bytes.
pub struct EncryptionKey(RandomizedNonceKey);

impl std::fmt::Debug for EncryptionKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(hidden)")
    }
}

/// Why a sealed text cannot be read.
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

    /// A key of the bytes that a secret of ours was turned into.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, bytes).ok().map(Self)
    }

    /// Encrypts a text, which stands for `purpose` and can be taken for nothing else; the nonce goes first.
    ///
    /// # Errors
    /// When the machine has no source of randomness.
    pub fn seal(&self, purpose: &str, text: &str) -> Result<String, Unsealed> {
        let mut bytes = text.as_bytes().to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(purpose), &mut bytes).map_err(|_| Unsealed)?;
        Ok(STANDARD.encode([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    /// Decrypts what [`Self::seal`] made for the same purpose.
    ///
    /// # Errors
    /// When it was encrypted with another key or for another purpose, or altered.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<String, Unsealed> {
        let bytes = STANDARD.decode(sealed).map_err(|_| Unsealed)?;
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
    fn what_is_sealed_opens_under_its_key_for_its_purpose_and_unaltered() {
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
