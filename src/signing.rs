//! Keys and what is made with them: download links, fingerprints of license keys, signatures of manifests,
//! the secrets of sessions, and those of webhooks. Keys are made at first start and kept in one file, or encrypted in a database that replicas
//! share; see [`KeyRing`].

mod key_file;
mod key_set;
pub mod link;
mod sealed;
mod webhook_secret;

use aws_lc_rs::{
    digest, hmac, rand,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

pub use key_file::{KeyError, KeyFile};
pub use key_set::{KeySet, NoKeys, Purpose, RetiredKey, StoredKey};
pub use sealed::{EncryptionKey, EncryptionKeys, Unsealed};
pub use webhook_secret::WebhookSecret;

/// Where the keys are, in the data folder.
pub const KEY_FILE: &str = "keys.json";

/// The keys in use. Of links and sessions there are two: the first signs, and what the second signed before the last
/// rotation still holds. Of manifests the first signs and the second will; every public key there ever was is shown.
pub struct KeyRing {
    links: Vec<(u8, hmac::Key)>,
    sessions: Vec<(String, Vec<u8>)>,
    manifests: Vec<(String, Ed25519KeyPair)>,
    retired: Vec<RetiredKey>,
    license: hmac::Key,
    license_secret_id: String,
    second_factors: EncryptionKey,
    logins: EncryptionKey,
}

/// A license key as it is stored and looked up.
pub type Fingerprint = [u8; 32];

/// Which form of license key a fingerprint is of, so that no imported key can be mistaken for an issued one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// Sluice's own, read without regard to how it was typed.
    Issued,
    /// The vendor's, as it is written.
    Imported,
}

impl KeyRing {
    /// The keys of a set, ready to be used.
    pub fn of(set: &KeySet) -> Result<Self, NoKeys> {
        let manifest = |key: &StoredKey| {
            let pair = Ed25519KeyPair::from_pkcs8(key.secret()).map_err(|_| NoKeys::for_key(&key.id))?;
            Ok((key.id.clone(), pair))
        };
        let link = |key: &StoredKey| {
            let id = key.id.parse().map_err(|_| NoKeys::for_key(&key.id))?;
            Ok((id, hmac::Key::new(hmac::HMAC_SHA256, key.secret())))
        };
        let license = hmac::Key::new(hmac::HMAC_SHA256, set.license_secret());
        // It cannot be rotated, as what it made is not kept; so what is derived from it stays readable.
        let derived = |purpose: &[u8]| {
            EncryptionKey::of(hmac::sign(&license, purpose).as_ref()).ok_or_else(|| NoKeys::for_key("license"))
        };
        let (second_factors, logins) = (derived(b"encrypt:second factors")?, derived(b"encrypt:logins")?);
        Ok(Self {
            links: set.of(Purpose::Links).iter().map(link).collect::<Result<_, _>>()?,
            sessions: set.of(Purpose::Sessions).iter().map(|key| (key.id.clone(), key.secret().to_vec())).collect(),
            manifests: set.of(Purpose::Manifests).iter().map(manifest).collect::<Result<_, _>>()?,
            retired: set.retired().to_vec(),
            license,
            second_factors,
            logins,
            license_secret_id: URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, set.license_secret()).as_ref()),
        })
    }

    /// Which license secret this is; the database remembers the one it was filled with.
    #[must_use]
    pub fn license_secret_id(&self) -> &str {
        &self.license_secret_id
    }

    /// The fingerprint of a license key.
    #[must_use]
    pub fn fingerprint(&self, form: KeyForm, key: &[u8]) -> Fingerprint {
        let mut context = hmac::Context::with_key(&self.license);
        context.update(match form {
            KeyForm::Issued => b"issued:",
            KeyForm::Imported => b"import:",
        });
        context.update(key);
        context.sign().as_ref().try_into().unwrap_or_default()
    }

    /// What the secrets of second factors are encrypted with.
    #[must_use]
    pub const fn second_factors(&self) -> &EncryptionKey {
        &self.second_factors
    }

    /// What is remembered of logins that are under way at an identity provider is encrypted with this: browsers keep it.
    #[must_use]
    pub const fn logins(&self) -> &EncryptionKey {
        &self.logins
    }

    /// The mark that the note of how far the audit log goes bears. It holds as long as the license secret, which is never
    /// rotated.
    #[must_use]
    pub fn mark_audit_head(&self, text: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.license);
        context.update(b"audit:");
        context.update(text.as_bytes());
        context.sign().as_ref().try_into().unwrap_or_default()
    }

    /// The secrets of session tokens with their ids, the one that signs first.
    pub fn session_secrets(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.sessions.iter().map(|(id, secret)| (id.as_str(), secret.as_slice()))
    }

    /// Signs a manifest; returns the signature and the id of the key.
    #[must_use]
    pub fn sign_manifest(&self, body: &[u8]) -> Option<(Vec<u8>, String)> {
        self.manifests.first().map(|(id, pair)| (pair.sign(body).as_ref().to_vec(), id.clone()))
    }

    /// The public keys of manifests (RFC 7517, RFC 8037): the one that signs, the one that will, and those that did.
    #[must_use]
    pub fn public_keys(&self) -> Vec<PublicKey> {
        let living =
            self.manifests.iter().map(|(id, pair)| (id.clone(), URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())));
        let retired = self.retired.iter().map(|key| (key.id.clone(), key.public.clone()));
        living
            .chain(retired)
            .map(|(kid, x)| PublicKey { kty: "OKP", crv: "Ed25519", alg: "EdDSA", key_use: "sig", kid, x })
            .collect()
    }
}

impl std::fmt::Debug for KeyRing {
    /// Never the keys.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyRing")
    }
}

/// A public key as a JSON Web Key (RFC 8037, section 2).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct PublicKey {
    /// The key's family: `OKP`.
    pub kty: &'static str,
    /// The curve: `Ed25519`.
    pub crv: &'static str,
    /// The algorithm: `EdDSA`.
    pub alg: &'static str,
    /// What it is for: `sig`.
    #[serde(rename = "use")]
    pub key_use: &'static str,
    /// The key's id, which signatures name.
    pub kid: String,
    /// The key, in base64url without padding.
    pub x: String,
}

/// Random bytes from the operating system's generator.
///
/// # Panics
/// When the machine has no source of randomness, as nothing safe can be done without.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "without randomness nothing safe can be done, so there is nothing to go on with"
)]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the operating system has a source of randomness");
    bytes
}
