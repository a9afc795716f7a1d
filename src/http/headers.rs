//! What every answer tells browsers: to take it for nothing else than it says it is, to run nothing of it, and to show
//! it inside no other page. Programs pay for them with some bytes; they are ready-made, so that a check does not have
//! to make them.

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// For data: nothing in it is ever loaded or run. `sandbox` is for those who open a download or an answer by itself.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

/// For a page of our own with its style, and nothing else.
pub const PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// For a page with a script that talks to this server. The script is allowed by its hash; a test checks the hash.
pub const FORM: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-lpEpBIb/an4U7bwCkOXOcY3Cng/tRz6UCay38EI7VPQ='; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// For the pages of the API description: everything comes from this server, and their scripts set styles.
const BROWSER: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// Two years, the minimum of the browsers' preload lists. Including subdomains and preloading are up to the operator of
/// the domain.
const TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// The content security policy for `path`, where the handler sets none.
#[must_use]
pub fn policy(path: &str) -> HeaderValue {
    if path.starts_with("/docs/") { BROWSER } else { NOTHING }
}

/// Adds the headers to an answer, but keeps a policy that the handler has set.
pub fn add(headers: &mut HeaderMap, policy: HeaderValue, is_https: bool) {
    headers.reserve(7);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    if is_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, TWO_YEARS);
    }
}
