//! Authentication: passwords, second factors, sessions, API tokens, and tokens of other issuers. What a caller may do
//! is decided above.

pub mod api_token;
pub mod issuer;
pub mod password;
pub mod provider;
pub mod session;
pub mod totp;

use aws_lc_rs::digest;

/// The hash of a token, as it is stored. Tokens are random enough to need no slow hash.
#[must_use]
pub fn token_hash(token: &str) -> [u8; 32] {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().try_into().unwrap_or_default()
}

/// Random letters and digits.
fn letters(random: impl IntoIterator<Item = u8>) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // Bytes past the last multiple of 62 are skipped, so that every letter is equally likely.
    random
        .into_iter()
        .filter(|byte| *byte < 248)
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 62)))
        .copied()
        .map(char::from)
        .collect()
}
