//! Tokens that others issue (`OpenID` Connect Discovery 1.0, RFC 7519): workload identities of pipelines, and ID tokens of single
//! sign-on. Here is whether such a token is real, is for us, and is good now; what its claims allow is decided above.
//!
//! What an issuer publishes is kept in memory, by issuer, and fetched by one request at a time. A key that is not known has it
//! fetched anew, as issuers rotate theirs, but not again within seconds, as anybody can invent names of keys. While an
//! issuer is away its last keys hold on for a day.

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

/// How long an issuer's answer is waited for; a stranger with a token may be waiting.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Keys are asked for again after what the issuer says, but not sooner than this.
const FRESH_AT_LEAST: SignedDuration = SignedDuration::from_mins(1);
/// And not later than this: a key that an issuer withdrew must not live on here.
const FRESH_AT_MOST: SignedDuration = SignedDuration::from_hours(1);
/// Where the issuer says nothing.
const FRESH_BY_DEFAULT: SignedDuration = SignedDuration::from_mins(15);
/// How long keys are good while their issuer does not answer.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// A document of an issuer is no longer than this; GitHub's have some 10 KiB.
const LONGEST_DOCUMENT: usize = 256 * 1024;
/// So many issuers are remembered; which ones there are is said by owners and the configuration, not by strangers.
const CAPACITY: usize = 256;

/// What an issuer says of itself, as far as it is used.
#[derive(Clone, Debug, Deserialize)]
pub struct Discovery {
    /// Who it is.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where people log in.
    pub authorization_endpoint: Option<String>,
    /// Where codes are exchanged for tokens.
    pub token_endpoint: Option<String>,
    /// Where it tells more of somebody.
    pub userinfo_endpoint: Option<String>,
    /// Whether it says who it is when it sends somebody back (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// How clients can say who they are.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
}

/// What is known of an issuer.
#[derive(Debug)]
struct Known {
    discovery: Arc<Discovery>,
    keys: Vec<VerificationKey>,
    fetched_at: Timestamp,
    fresh_for: SignedDuration,
}

/// One issuer.
#[derive(Debug, Default)]
struct Issuer {
    known: ArcSwapOption<Known>,
    /// When it was last asked. Who holds this is the one who may ask.
    asked_at: Arc<tokio::sync::Mutex<Option<Timestamp>>>,
}

/// Verifies tokens, and remembers what their issuers publish.
#[derive(Debug)]
pub struct Issuers {
    egress: Egress,
    known: Mutex<HashMap<String, Arc<Issuer>>>,
}

impl Issuers {
    /// Nothing is known yet. Issuers are asked through `egress`.
    #[must_use]
    pub fn new(egress: Egress) -> Self {
        Self { egress, known: Mutex::default() }
    }

    /// The way to issuers, for what else is asked of them.
    #[must_use]
    pub const fn egress(&self) -> &Egress {
        &self.egress
    }

    /// Why this cannot be an issuer's URL, if it cannot: https, without user, query and fragment. Where private addresses are
    /// allowed http will do for this machine itself.
    #[must_use]
    pub fn objection(&self, issuer: &str) -> Option<String> {
        let fault = || "must be the https URL of an issuer, without user, query and fragment, such as `https://gitlab.example.com`";
        // A URL is read without such letters, and the issuer is compared to the letter.
        let is_clean = !issuer.chars().any(|letter| letter.is_control() || letter.is_whitespace());
        let is_one = is_clean && Url::parse(issuer).is_ok_and(|url| url.query().is_none() && url.fragment().is_none());
        if !is_one || issuer.len() > 500 || !is_permitted(&self.egress, issuer) {
            return Some(fault().to_owned());
        }
        self.egress.objection(issuer)
    }

    /// What an issuer says of itself.
    ///
    /// # Errors
    /// [`VerifyError::NoKeys`].
    pub async fn discovery(&self, issuer: &str, now: Timestamp) -> Result<Arc<Discovery>, VerifyError> {
        Ok(Arc::clone(&self.known(issuer, |_| true, now).await?.discovery))
    }

    /// The same, asked of it now, with the reason why it is not to be had: for whoever looks whether an issuer can be used.
    pub async fn examine(&self, issuer: &str, now: Timestamp) -> Result<Arc<Discovery>, String> {
        Ok(fetch(&self.egress, issuer, now).await?.discovery)
    }

    /// The claims of a token, when it was issued by whom it must be, for whom it must be, and is good now. Whether it was
    /// presented before (`jti`, `nonce`) is for the caller to find out.
    ///
    /// `expected.issuer` must be one that this server was told to trust: it is asked for its keys.
    pub async fn verify(&self, token: &str, expected: Expected<'_>, now: Timestamp) -> Result<Claims, VerifyError> {
        let presented = Presented::read(token)?;
        // Before anybody is asked for anything. It is looked at once more in what was signed.
        presented.check_issuer(expected)?;
        let known = self.known(expected.issuer, |keys| presented.key_is_among(keys), now).await?;
        presented.verify(&known.keys, expected, now)
    }

    /// What is known of an issuer, fetched where it is old, or not what is wanted. The newest there is, wanted or not.
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
        // Somebody else may have asked meanwhile.
        if let Some(known) = good() {
            return Ok(known);
        }
        if asked_at.is_none_or(|at| !is_within(now, at, PAUSE)) {
            let asking = ask(self.egress.clone(), issuer.to_owned(), Arc::clone(&entry), asked_at, now);
            // It goes on to its end when the caller goes away, who could else use up every try.
            if let Err(error) = tokio::spawn(asking).await {
                tracing::error!(%error, issuer, "asking an issuer for its keys ended early");
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

/// Whether a moment lies no longer back than this, and not in the future of a clock that was set back.
fn is_within(now: Timestamp, then: Timestamp, time: SignedDuration) -> bool {
    let age = now.duration_since(then);
    !age.is_negative() && age < time
}

/// Asks an issuer, while nobody else does.
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
            tracing::info!(issuer, keys = known.keys.len(), "the keys of an issuer were fetched");
            entry.known.store(Some(Arc::new(known)));
        }
        Err(error) => tracing::warn!(issuer, error, "the keys of an issuer could not be fetched"),
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
        return Err(format!("its discovery document names `{wrong}`, which is no https URL"));
    }
    let (set, fresh_for): (KeySet, _) = document(egress, &discovery.jwks_uri).await?;
    let keys = set.into_keys();
    if keys.is_empty() {
        return Err(format!("there is no key at `{}` that tokens can be verified with", discovery.jwks_uri));
    }
    let fresh_for = fresh_for.unwrap_or(FRESH_BY_DEFAULT).clamp(FRESH_AT_LEAST, FRESH_AT_MOST);
    Ok(Known { discovery: Arc::new(discovery), keys, fetched_at: now, fresh_for })
}

/// A JSON document, and how long it is said to be fresh.
async fn document<T: DeserializeOwned>(egress: &Egress, url: &str) -> Result<(T, Option<SignedDuration>), String> {
    let at = |error: String| format!("`{url}`: {error}");
    if !is_permitted(egress, url) {
        return Err(at("it is no https URL".to_owned()));
    }
    let response = send(egress.request(Method::GET, url).map_err(at)?).await.map_err(at)?;
    if response.status() != StatusCode::OK {
        return Err(at(format!("it answered {}", response.status())));
    }
    let fresh_for = response.headers().get_all(CACHE_CONTROL).iter().find_map(|value| max_age(value.to_str().ok()?));
    let body = body(response).await.map_err(at)?;
    Ok((serde_json::from_slice(&body).map_err(|error| at(error.to_string()))?, fresh_for))
}

/// The body of an answer, which has an end.
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

/// Whether something may be asked for at a URL: what is fetched decides who is believed, so nobody on the way may alter it.
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
