//! Evenly distributed numbers, so that sites do not all act at the same time.

use aws_lc_rs::digest;
use uuid::Uuid;

/// The number of a thing and a site: the first 8 bytes, big-endian, of SHA-256(thing ‖ site), both as lower-case
/// hyphenated UUID text (contract section 3, rule 7).
pub(super) fn number(thing: Uuid, site: Uuid) -> u64 {
    let mut text = [0_u8; uuid::fmt::Hyphenated::LENGTH * 2];
    let (first, second) = text.split_at_mut(uuid::fmt::Hyphenated::LENGTH);
    thing.hyphenated().encode_lower(first);
    site.hyphenated().encode_lower(second);
    let hash = digest::digest(&digest::SHA256, &text);
    hash.as_ref().first_chunk().map_or(0, |bytes: &[u8; 8]| u64::from_be_bytes(*bytes))
}
