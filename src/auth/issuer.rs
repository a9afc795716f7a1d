//! Tokens of other issuers (`OpenID` Connect Discovery 1.0, RFC 7519): workload identities of pipelines, and ID tokens
//! of single sign-on. Here a token is verified: signature, audience, time. What its claims allow is decided above.
//!
//! The discovery document and keys of an issuer are cached in memory; one request at a time fetches them. An unknown
//! key causes a new fetch, because issuers rotate keys, but at most every 10 s, because anyone can invent key ids.
//! While an issuer does not answer, its last keys stay valid for a day.

mod error;
mod keys;
mod token;

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use reqwest::{Method, StatusCode, header::CACHE_CONTROL};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::OwnedMutexGuard;
use url::{Host, Url};

use self::{
    error::PAUSE,
    keys::{KeySet, VerificationKey},
    token::Presented,
};
pub use self::{
    error::{Expected, VerifyError},
    token::{Claims, claimed_issuer, repeatable, unverified},
};
use crate::egress::{Egress, send};

/// The longest wait for an issuer's answer. A request with a token may be waiting.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// The shortest time for which keys are cached, whatever the issuer says.
const FRESH_AT_LEAST: SignedDuration = SignedDuration::from_mins(1);
/// The longest time for which keys are cached: a key that the issuer withdrew must not stay valid here.
const FRESH_AT_MOST: SignedDuration = SignedDuration::from_hours(1);
/// How long keys are cached if the issuer does not say.
const FRESH_BY_DEFAULT: SignedDuration = SignedDuration::from_mins(15);
/// How long keys stay valid while their issuer does not answer.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// The longest document of an issuer, in bytes. GitHub's have about 10 KiB.
const LONGEST_DOCUMENT: usize = 256 * 1024;
/// The most issuers in the cache. Owners and the configuration decide which issuers are asked, not senders of tokens.
const CAPACITY: usize = 256;

/// The discovery document of an issuer, as far as it is used.
#[derive(Clone, Debug, Deserialize)]
pub struct Discovery {
    pub issuer: String,
    pub jwks_uri: String,
    pub authorization_endpoint: Option<String>,
    pub token_endpoint: Option<String>,
    pub userinfo_endpoint: Option<String>,
    /// Whether it adds `iss` to its redirects (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
}

/// What is cached of an issuer.
#[derive(Debug)]
struct Known {
    discovery: Arc<Discovery>,
    keys: Vec<VerificationKey>,
    fetched_at: Timestamp,
    fresh_for: SignedDuration,
}

#[derive(Debug, Default)]
struct Issuer {
    known: ArcSwapOption<Known>,
    /// The time of the last request to the issuer. The holder of the lock may send the next one.
    asked_at: Arc<tokio::sync::Mutex<Option<Timestamp>>>,
}

/// Verifies tokens, and caches what their issuers publish.
#[derive(Debug)]
pub struct Issuers {
    egress: Egress,
    known: Mutex<HashMap<String, Arc<Issuer>>>,
}

impl Issuers {
    /// An empty cache. Issuers are asked through `egress`.
    #[must_use]
    pub fn new(egress: Egress) -> Self {
        Self { egress, known: Mutex::default() }
    }

    /// The client for requests to issuers.
    #[must_use]
    pub const fn egress(&self) -> &Egress {
        &self.egress
    }

    /// Why a URL cannot be an issuer, if so. It must be https, without user, query and fragment. If private addresses
    /// are allowed, http is accepted for this machine itself.
    #[must_use]
    pub fn objection(&self, issuer: &str) -> Option<String> {
        let fault = || "must be the https URL of an issuer, without user, query and fragment, such as `https://gitlab.example.com`";
        // The URL parser drops such characters, but the issuer is compared literally.
        let is_clean = !issuer.chars().any(|letter| letter.is_control() || letter.is_whitespace());
        let is_one = is_clean && Url::parse(issuer).is_ok_and(|url| url.query().is_none() && url.fragment().is_none());
        if !is_one || issuer.len() > 500 || !is_permitted(&self.egress, issuer) {
            return Some(fault().to_owned());
        }
        self.egress.objection(issuer)
    }

    /// The issuer's discovery document.
    ///
    /// # Errors
    /// [`VerifyError::NoKeys`].
    pub async fn discovery(&self, issuer: &str, now: Timestamp) -> Result<Arc<Discovery>, VerifyError> {
        Ok(Arc::clone(&self.known(issuer, |_| true, now).await?.discovery))
    }

    /// Fetches the discovery document now, and says why if that fails: for the checks of a configuration.
    pub async fn examine(&self, issuer: &str, now: Timestamp) -> Result<Arc<Discovery>, String> {
        Ok(fetch(&self.egress, issuer, now).await?.discovery)
    }

    /// The claims of a token, if it comes from the expected issuer, is for the expected audience, and is valid now.
    /// Whether it was presented before (`jti`, `nonce`) is for the caller to check.
    ///
    /// `expected.issuer` must be one that this server trusts: it is asked for its keys.
    pub async fn verify(&self, token: &str, expected: Expected<'_>, now: Timestamp) -> Result<Claims, VerifyError> {
        let presented = Presented::read(token)?;
        // Checked before any issuer is asked; the signed content is checked again below.
        presented.check_issuer(expected)?;
        let known = self.known(expected.issuer, |keys| presented.key_is_among(keys), now).await?;
        presented.verify(&known.keys, expected, now)
    }

    /// What is known of an issuer, fetched if it is old or does not satisfy `is_wanted`. Returns the newest there is,
    /// wanted or not.
    async fn known(
        &self,
        issuer: &str,
        is_wanted: impl Fn(&[VerificationKey]) -> bool,
        now: Timestamp,
    ) -> Result<Arc<Known>, VerifyError> {
        let entry = self.entry(issuer);
        let good = || {
            let known = entry.known.load_full();
            known.filter(|known| is_within(now, known.fetched_at, known.fresh_for) && is_wanted(&known.keys))
        };
        if let Some(known) = good() {
            return Ok(known);
        }
        let asked_at = Arc::clone(&entry.asked_at).lock_owned().await;
        // Another request may have fetched it meanwhile.
        if let Some(known) = good() {
            return Ok(known);
        }
        if asked_at.is_none_or(|at| !is_within(now, at, PAUSE)) {
            let asking = ask(self.egress.clone(), issuer.to_owned(), Arc::clone(&entry), asked_at, now);
            // The fetch continues when the caller disconnects; otherwise callers that disconnect could use up every
            // attempt.
            if let Err(error) = tokio::spawn(asking).await {
                tracing::error!(%error, issuer, "fetching the keys of an issuer ended early");
            }
        }
        let known = entry.known.load_full().filter(|known| is_within(now, known.fetched_at, KEPT));
        known.ok_or_else(|| VerifyError::NoKeys(issuer.to_owned()))
    }

    fn entry(&self, issuer: &str) -> Arc<Issuer> {
        let mut known = self.known.lock();
        if let Some(entry) = known.get(issuer) {
            return Arc::clone(entry);
        }
        if known.len() >= CAPACITY {
            known.clear();
        }
        Arc::clone(known.entry(issuer.to_owned()).or_default())
    }
}

/// Whether `then` is less than `time` ago, and not in the future (the clock may have been set back).
fn is_within(now: Timestamp, then: Timestamp, time: SignedDuration) -> bool {
    let age = now.duration_since(then);
    !age.is_negative() && age < time
}

/// Fetches what the issuer publishes. The caller holds the lock.
async fn ask(
    egress: Egress,
    issuer: String,
    entry: Arc<Issuer>,
    mut asked_at: OwnedMutexGuard<Option<Timestamp>>,
    now: Timestamp,
) {
    *asked_at = Some(now);
    match fetch(&egress, &issuer, now).await {
        Ok(known) => {
            tracing::info!(issuer, keys = known.keys.len(), "fetched the keys of an issuer");
            entry.known.store(Some(Arc::new(known)));
        }
        Err(error) => tracing::warn!(issuer, error, "fetching the keys of an issuer failed"),
    }
}

async fn fetch(egress: &Egress, issuer: &str, now: Timestamp) -> Result<Known, String> {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let (discovery, _): (Discovery, _) = document(egress, &url).await?;
    if discovery.issuer != issuer {
        return Err(format!("its discovery document is that of `{}`", discovery.issuer));
    }
    let endpoints =
        [&discovery.authorization_endpoint, &discovery.token_endpoint, &discovery.userinfo_endpoint].into_iter();
    if let Some(wrong) = endpoints.flatten().find(|url| !is_permitted(egress, url)) {
        return Err(format!("its discovery document names `{wrong}`, which is not an https URL"));
    }
    let (set, fresh_for): (KeySet, _) = document(egress, &discovery.jwks_uri).await?;
    let keys = set.into_keys();
    if keys.is_empty() {
        return Err(format!("there is no key at `{}` that can verify tokens", discovery.jwks_uri));
    }
    let fresh_for = fresh_for.unwrap_or(FRESH_BY_DEFAULT).clamp(FRESH_AT_LEAST, FRESH_AT_MOST);
    Ok(Known { discovery: Arc::new(discovery), keys, fetched_at: now, fresh_for })
}

/// A JSON document, and how long the server says that it is fresh.
async fn document<T: DeserializeOwned>(egress: &Egress, url: &str) -> Result<(T, Option<SignedDuration>), String> {
    let at = |error: String| format!("`{url}`: {error}");
    if !is_permitted(egress, url) {
        return Err(at("it is not an https URL".to_owned()));
    }
    let response = send(egress.request(Method::GET, url).map_err(at)?).await.map_err(at)?;
    if response.status() != StatusCode::OK {
        return Err(at(format!("it answered {}", response.status())));
    }
    let fresh_for = response.headers().get_all(CACHE_CONTROL).iter().find_map(|value| max_age(value.to_str().ok()?));
    let body = body(response).await.map_err(at)?;
    Ok((serde_json::from_slice(&body).map_err(|error| at(error.to_string()))?, fresh_for))
}

/// The body of an answer, up to the longest length.
pub(super) async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error.without_url().to_string())? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_DOCUMENT {
            return Err(format!("it is longer than {} KiB", LONGEST_DOCUMENT / 1024));
        }
    }
    Ok(body)
}

/// `max-age` of a `Cache-Control` (RFC 9111, section 5.2.2.1).
fn max_age(value: &str) -> Option<SignedDuration> {
    let mut directives = value.split(',').filter_map(|directive| directive.trim().split_once('='));
    let (_, seconds) = directives.find(|(name, _)| name.eq_ignore_ascii_case("max-age"))?;
    seconds.trim_matches('"').parse().ok().map(SignedDuration::from_secs)
}

/// Whether a URL may be fetched. What is fetched decides which tokens are trusted, so nobody on the way may alter it.
fn is_permitted(egress: &Egress, url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return false,
        };
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here && egress.allows_private());
        is_safe && url.username().is_empty() && url.password().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_keys_are_fresh_is_read_as_it_is_written() {
        let seconds = |value| max_age(value).map(|time| time.as_secs());
        assert_eq!(seconds("public, Max-Age=3600, must-revalidate"), Some(3600));
        assert_eq!(seconds("max-age=\"60\""), Some(60));
        assert_eq!(seconds("no-store"), None);
        assert_eq!(seconds("s-maxage=7"), None);
        assert_eq!(seconds("max-age=soon"), None);
    }

    #[test]
    fn issuers_are_asked_in_a_way_that_nobody_can_alter() {
        let issuers = |allow_private| {
            let egress = Egress::new(PATIENCE, allow_private, "auth.allow_private_issuers").expect("TLS roots");
            Issuers::new(egress)
        };
        for good in
            ["https://token.actions.githubusercontent.com", "https://sso.example.com/realms/vendor", "https://a/"]
        {
            assert_eq!(issuers(false).objection(good), None, "{good}");
        }
        for bad in [
            "http://gitlab.example.com",
            "https://user@gitlab.example.com",
            "https://:word@gitlab.example.com",
            "https://gitlab.example.com?a=b",
            "https://gitlab.example.com#a",
            "gitlab.example.com",
            "file:///etc/passwd",
            "",
        ] {
            assert!(issuers(true).objection(bad).is_some(), "{bad}");
        }
        for private in ["http://127.0.0.1:1", "https://10.0.0.1", "https://[::1]", "https://169.254.169.254/latest"] {
            assert!(issuers(false).objection(private).is_some(), "{private}");
            assert_eq!(issuers(true).objection(private), None, "{private}");
        }
    }
}
