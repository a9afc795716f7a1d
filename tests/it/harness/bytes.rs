//! Contents for artifacts, their hashes, and the headers that carry them.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Bytes that do not compress, the same for the same seed.
pub fn noise(length: usize, seed: &str) -> Vec<u8> {
    let mut state = seed.bytes().fold(0x9E37_79B9_7F4A_7C15_u64, |state, byte| state.rotate_left(7) ^ u64::from(byte));
    let mut content = Vec::with_capacity(length + 8);
    while content.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend(state.to_le_bytes());
    }
    content.truncate(length);
    content
}

/// The SHA-256 of a content, in hexadecimal digits.
pub fn sha256(content: &[u8]) -> String {
    digest(&SHA256, content).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value of a `Content-Digest` or `Repr-Digest` header for a content.
pub fn digest_header(content: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, content)))
}
