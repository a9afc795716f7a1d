//! Is this really what the vendor published?
//!
//! The server signs a manifest of every release with Ed25519. An artifact is installed only if its id, size and
//! SHA-256 stand in a manifest that one of the trusted keys signed. So neither whoever holds the line, nor whoever
//! writes to the file store, can bring a program to the customers.
//!
//! **Which keys are trusted.** In production pin them in the configuration that ships with your program
//! (`pinned_keys`), better two: the one in use and a spare one. Without pinned keys the first update trusts the keys
//! that the server shows then, and every later one trusts the same (`trusted_keys.json` beside the installation).

use std::path::Path;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{
    client::Client,
    durable,
    failure::Failure,
    wire::{Artifact, Component, Manifest, Offer},
};

/// A public key as it stands in the server's `/.well-known/jwks.json` (RFC 8037).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// The key's name, which a signature refers to.
    pub kid: String,
    /// The 32 bytes of the key, base64url.
    pub x: String,
}

/// The keys that may sign.
#[derive(Clone, Debug)]
pub struct TrustedKeys(pub Vec<Jwk>);

impl TrustedKeys {
    /// The pinned keys; without any, those trusted since the first update.
    pub fn load(pinned: &[Jwk], work_dir: &Path, client: &Client) -> Result<Self, Failure> {
        if !pinned.is_empty() {
            return Ok(Self(pinned.to_vec()));
        }
        let remembered = work_dir.join("trusted_keys.json");
        if let Some(keys) = durable::read_json(&remembered)? {
            return Ok(Self(keys));
        }
        let keys = client.published_keys()?;
        if keys.is_empty() {
            return Err(Failure::integrity("no_keys", "the server publishes no key that this program can use"));
        }
        durable::write_json(&remembered, &keys)?;
        Ok(Self(keys))
    }

    /// Checks a signature header, `keyid="…", alg="ed25519", signature="…"`, over the bytes as they came.
    pub fn verify(&self, signed: &[u8], header: &str) -> Result<(), Failure> {
        let (Some(key_id), Some("ed25519"), Some(signature)) =
            (parameter(header, "keyid"), parameter(header, "alg"), parameter(header, "signature"))
        else {
            return Err(Failure::integrity("signature_unreadable", "the manifest's signature cannot be read"));
        };
        let is_it = |key: &&Jwk| key.kid == key_id && key.kty == "OKP" && key.crv == "Ed25519";
        let key = self.0.iter().find(is_it).ok_or_else(|| {
            Failure::integrity(
                "key_not_trusted",
                format!("the manifest is signed with key {key_id}, which is not trusted"),
            )
        })?;
        let wrong =
            || Failure::integrity("signature_wrong", "the manifest's signature is wrong: it is not the vendor's");
        let public = URL_SAFE_NO_PAD.decode(&key.x).map_err(|_| wrong())?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| wrong())?;
        UnparsedPublicKey::new(&ED25519, public).verify(signed, &signature).map_err(|_| wrong())
    }
}

/// Fetches the manifest of the offered release and checks that the vendor signed exactly this artifact for exactly
/// this program. Done before the download: what is not the vendor's need not be fetched.
pub fn offer(
    client: &Client,
    keys: &TrustedKeys,
    product: &str,
    offer: &Offer,
    artifact: &Artifact,
) -> Result<(), Failure> {
    let (bytes, signature) = client.manifest(&offer.version)?;
    keys.verify(&bytes, &signature)?;
    // Only now: unsigned bytes are not worth parsing.
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::integrity("manifest_unreadable", format!("the manifest cannot be read: {error}")))?;
    matches(&manifest, product, &offer.version, offer.applies_to, artifact)
}

/// Whether a manifest names this artifact, of this release, for this program.
pub fn matches(
    manifest: &Manifest,
    product: &str,
    version: &semver::Version,
    component: Component,
    artifact: &Artifact,
) -> Result<(), Failure> {
    // A rightly signed manifest of another product or release would otherwise do for any.
    let names_it = manifest.product == product
        && manifest.version == *version
        && manifest.artifacts.iter().any(|signed| {
            signed.id == artifact.id
                && signed.size == artifact.size
                && signed.sha256 == artifact.sha256
                && signed.component == component
        });
    if names_it {
        Ok(())
    } else {
        Err(Failure::integrity("manifest_mismatch", "the offered file is not the one in the vendor's signed manifest"))
    }
}

/// The value of `name="value"` in a comma-separated list.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(',').find_map(|part| {
        let (found, value) = part.trim().split_once('=')?;
        (found.trim() == name).then(|| value.trim().strip_prefix('"')?.strip_suffix('"'))?
    })
}
