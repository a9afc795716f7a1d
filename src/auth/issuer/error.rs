//! What a token must say, and why it is not believed.

use jiff::SignedDuration;

/// An issuer is not asked again within this time, whatever comes.
pub(super) const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// GitHub's and GitLab's have some 2 KiB, ID tokens with many groups more.
pub(super) const LONGEST: usize = 16 * 1024;

/// What a token must say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who issued it: `iss`, to the letter.
    pub issuer: &'a str,
    /// Whom it is for: `aud`, to the letter.
    pub audience: &'a str,
}

/// Why a token is not believed. Each is a sentence for whoever presented it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The issuer did not answer, or with what it may not; whoever runs this server finds the reason in the log.
    #[error("the keys of the issuer `{0}` could not be had; try again in a minute")]
    NoKeys(String),
    /// More than anybody's token needs.
    #[error("the token is longer than {} KiB", LONGEST / 1024)]
    TooLong,
    /// Not three parts of base64url with JSON in them.
    #[error("the token is not a signed JWT (RFC 7519)")]
    Malformed,
    /// Not one of public keys: none, an HMAC, something unknown.
    #[error("tokens signed with `{0}` are not accepted; RS, PS and ES 256 to 512 and EdDSA are")]
    Algorithm(String),
    /// A token of another kind than the one asked for, such as an access token.
    #[error("this is a token of the type `{0}`; an identity token (`JWT`) is needed")]
    Type(String),
    /// It has a header that must be understood (RFC 7515, section 4.1.11).
    #[error("the token has critical headers (`crit`), which are not known here")]
    Critical,
    /// The issuer has no such key for this algorithm.
    #[error("the issuer `{issuer}` has no key `{key}` for {algorithm}; if it is new, try again in {} s", PAUSE.as_secs())]
    UnknownKey {
        /// Whose key.
        issuer: String,
        /// Its `kid`.
        key: String,
        /// The algorithm of the token.
        algorithm: String,
    },
    /// No `kid`, and several keys that it could be.
    #[error("the token does not name its key (`kid`), and the issuer `{0}` has several")]
    KeyNotNamed(String),
    /// Not signed with the key that it names.
    #[error("the signature of the token is not that of its issuer")]
    Signature,
    /// A claim that must be there is not, or is not what it must be.
    #[error("the claim `{0}` of the token is missing, or is none")]
    Claim(&'static str),
    /// Somebody else's.
    #[error("the token was issued by `{found}`, not by `{expected}`")]
    Issuer {
        /// As it must be.
        expected: String,
        /// As it is.
        found: String,
    },
    /// For somebody else.
    #[error("the token is for the audience {found}, and must be for `{expected}` alone")]
    Audience {
        /// As it must be.
        expected: String,
        /// As it is.
        found: String,
    },
    /// Past its time.
    #[error("the token is past its time (`exp`)")]
    Expired,
    /// Before its time.
    #[error("the token is not good yet (`nbf`)")]
    NotYet,
    /// From the future.
    #[error("the token was issued in the future (`iat`): one of the two clocks is wrong")]
    FromTheFuture,
}
