//! What a token must say, and why a token is refused.

use jiff::SignedDuration;

/// The shortest time between two requests to the same issuer.
pub(super) const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// The longest token, in bytes. GitHub's and GitLab's have about 2 KiB, ID tokens with many groups more.
pub(super) const LONGEST: usize = 16 * 1024;

/// The issuer and the audience that a token must have.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The required `iss`, compared literally.
    pub issuer: &'a str,
    /// The required `aud`, compared literally.
    pub audience: &'a str,
}

/// Why a token is refused. Each message is for the sender of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The issuer did not answer, or with something invalid. The log says more.
    #[error("the keys of the issuer `{0}` could not be fetched; try again in a minute")]
    NoKeys(String),
    /// Longer than any known issuer's token.
    #[error("the token is longer than {} KiB", LONGEST / 1024)]
    TooLong,
    /// Not three parts of base64url with JSON in them.
    #[error("the token is not a signed JWT (RFC 7519)")]
    Malformed,
    /// Not a public-key algorithm: none, an HMAC, or an unknown one.
    #[error("tokens signed with `{0}` are not accepted; RS, PS and ES 256 to 512 and EdDSA are")]
    Algorithm(String),
    /// A token of another kind, such as an access token.
    #[error("this is a token of the type `{0}`; an identity token (`JWT`) is needed")]
    Type(String),
    /// A header that must be understood (RFC 7515, section 4.1.11).
    #[error("the token has critical headers (`crit`), which are not supported")]
    Critical,
    /// The issuer has no such key for this algorithm.
    #[error("the issuer `{issuer}` has no key `{key}` for {algorithm}; if it is new, try again in {} s", PAUSE.as_secs())]
    UnknownKey { issuer: String, key: String, algorithm: String },
    /// No `kid`, and several keys fit.
    #[error("the token does not name its key (`kid`), and the issuer `{0}` has several")]
    KeyNotNamed(String),
    #[error("the signature of the token is invalid")]
    Signature,
    /// A required claim is missing, or has the wrong type.
    #[error("the claim `{0}` of the token is missing or invalid")]
    Claim(&'static str),
    #[error("the token was issued by `{found}`, not by `{expected}`")]
    Issuer { expected: String, found: String },
    #[error("the token is for the audience {found}, and must be for `{expected}` alone")]
    Audience { expected: String, found: String },
    #[error("the token has expired (`exp`)")]
    Expired,
    #[error("the token is not valid yet (`nbf`)")]
    NotYet,
    #[error("the token was issued in the future (`iat`): one of the two clocks is wrong")]
    FromTheFuture,
}
