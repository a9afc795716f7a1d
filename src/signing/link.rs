//! Download links: a compact token that names the artifact, the license key and the expiry (contract section 4).
//!
//! 42 bytes in base64url: the id of the signing key (1), the expiry in seconds since 1970 (8, big-endian), the license
//! key's id (16, zeros without one), the rank of the channel that answered (1), and the first 16 bytes of an
//! HMAC-SHA-256 over all of it and the artifact's id, which is in the URL's path. RFC 2104 (section 5) allows a MAC of
//! 128 bits.

use aws_lc_rs::{constant_time, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;

use super::KeyRing;
use crate::domain::id::{ArtifactId, LicenseKeyId};

const MAC: usize = 16;
const SIGNED: usize = 1 + 8 + 16 + 1;
/// The purpose, so that nothing else signed with this key passes as a link. Its length makes the signed text fit
/// exactly one block of the hash.
const PURPOSE: &[u8] = b"sluice link 1";

/// What a valid token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The license key that the check was made with.
    pub license_key: Option<LicenseKeyId>,
    /// Until when a download can be started.
    pub expires_at: Timestamp,
    /// The rank of the channel that answered. A stop that covers this channel withdraws the link, as it blocks the
    /// check.
    pub channel: u8,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// It was signed by another server, was made for another artifact, or was altered.
    Invalid,
    Expired,
}

impl KeyRing {
    /// Makes the token for an artifact.
    #[must_use]
    pub fn sign_link(&self, artifact: ArtifactId, grant: Grant) -> String {
        let mut token = [0_u8; SIGNED + MAC];
        let (signed, mac) = token.split_at_mut(SIGNED);
        let Some((id, key)) = self.links.first() else { return String::new() };
        let license = grant.license_key.map_or([0; 16], |key| *key.0.as_bytes());
        for (place, byte) in signed.iter_mut().zip(
            [*id].into_iter().chain(grant.expires_at.as_second().to_be_bytes()).chain(license).chain([grant.channel]),
        ) {
            *place = byte;
        }
        for (place, byte) in mac.iter_mut().zip(compute(key, signed, artifact).as_ref()) {
            *place = *byte;
        }
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Verifies a token for an artifact.
    ///
    /// # Errors
    /// [`LinkError`] when the token is invalid or has expired at `now`.
    pub fn read_link(&self, artifact: ArtifactId, token: &str, now: Timestamp) -> Result<Grant, LinkError> {
        let mut bytes = [0_u8; SIGNED + MAC];
        match URL_SAFE_NO_PAD.decode_slice(token, &mut bytes) {
            Ok(length) if length == bytes.len() => {}
            _ => return Err(LinkError::Invalid),
        }
        let (signed, mac) = bytes.split_at(SIGNED);
        let (id, rest) = signed.split_first().ok_or(LinkError::Invalid)?;
        let (_, key) = self.links.iter().find(|(known, _)| known == id).ok_or(LinkError::Invalid)?;
        let expected = compute(key, signed, artifact);
        let expected = expected.as_ref().get(..MAC).ok_or(LinkError::Invalid)?;
        constant_time::verify_slices_are_equal(expected, mac).map_err(|_| LinkError::Invalid)?;
        let (expiry, license) = rest.split_first_chunk::<8>().ok_or(LinkError::Invalid)?;
        let expires_at = Timestamp::from_second(i64::from_be_bytes(*expiry)).map_err(|_| LinkError::Invalid)?;
        let (channel, license) = license.split_last().ok_or(LinkError::Invalid)?;
        let license = uuid::Uuid::from_slice(license).map_err(|_| LinkError::Invalid)?;
        if expires_at <= now {
            return Err(LinkError::Expired);
        }
        Ok(Grant { license_key: (!license.is_nil()).then_some(LicenseKeyId(license)), expires_at, channel: *channel })
    }
}

fn compute(key: &hmac::Key, signed: &[u8], artifact: ArtifactId) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(PURPOSE);
    context.update(signed);
    context.update(artifact.0.as_bytes());
    context.sign()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::{KeyFile, Purpose};

    #[test]
    fn a_link_is_valid_until_its_time_and_through_one_rotation() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = KeyFile::open(&folder.path().join("keys.json"), None).expect("keys");
        let artifact = ArtifactId(uuid::Uuid::from_u128(7));
        let at = |second| Timestamp::from_second(second).expect("a time");
        let grant =
            Grant { license_key: Some(LicenseKeyId(uuid::Uuid::from_u128(9))), expires_at: at(1000), channel: 2 };
        let token = KeyRing::of(file.keys()).expect("keys").sign_link(artifact, grant);
        assert_eq!(token.len(), 56);

        file.rotate(Purpose::Links).expect("a rotation");
        let ring = KeyRing::of(file.keys()).expect("keys");
        assert_eq!(ring.read_link(artifact, &token, at(999)), Ok(grant));
        assert_eq!(ring.read_link(artifact, &token, at(1000)), Err(LinkError::Expired));
        assert_eq!(ring.read_link(ArtifactId(uuid::Uuid::from_u128(8)), &token, at(0)), Err(LinkError::Invalid));
        for place in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("text");
            assert_eq!(ring.read_link(artifact, &altered, at(0)), Err(LinkError::Invalid), "byte {place}");
        }
        for wrong in ["", "x", &token[1..], &format!("{token}A")] {
            assert_eq!(ring.read_link(artifact, wrong, at(0)), Err(LinkError::Invalid));
        }

        file.rotate(Purpose::Links).expect("a rotation");
        assert_eq!(KeyRing::of(file.keys()).expect("keys").read_link(artifact, &token, at(0)), Err(LinkError::Invalid));
    }
}
