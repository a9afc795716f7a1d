//! The questions that an updater asks of the vendor's server.

use std::time::Duration;

use reqwest::{
    Method, StatusCode,
    blocking::{Client as Http, RequestBuilder, Response},
    header::{ACCEPT_LANGUAGE, AUTHORIZATION, HeaderValue, RETRY_AFTER},
    redirect,
};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;
use uuid::Uuid;

use super::{
    backoff::Backoff,
    config::Config,
    failure::{Failure, FailureClass},
    verify::Jwk,
    wire::{Answer, Question, Report, Subscription, Trigger},
};

/// Answers are a few kilobytes; whatever is longer than this is not one.
const LONGEST_ANSWER: u64 = 4 << 20;

/// The vendor's server, for one customer.
#[derive(Clone)]
pub struct Client {
    http: Http,
    downloads: Http,
    base: Url,
    license: HeaderValue,
    product: String,
    platform: String,
    arch: String,
    locale: Option<String>,
    channel: Option<String>,
    backoff: Backoff,
}

/// What became of a report.
pub enum Receipt {
    /// The server has it for good, and may say where the user finds help.
    Accepted {
        /// The help page for what was reported.
        help_url: Option<String>,
    },
    /// The server answered, but does not want this one as it is.
    Refused(Failure),
    /// The server did not answer.
    Unreachable(Failure),
}

/// A request that brought no usable answer.
enum Trouble {
    /// Trying again may help, perhaps after a pause that the server asked for.
    Passing(Failure, Option<Duration>),
    /// It will not.
    Final(Failure),
}

/// The parts of an RFC 9457 problem document that an updater uses.
#[derive(Default, Deserialize)]
struct Problem {
    code: Option<String>,
    title: Option<String>,
    detail: Option<String>,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Accepted {
    help_url: Option<String>,
}

impl Client {
    /// A client for what the configuration names. Nothing is sent yet.
    pub fn new(config: &Config, backoff: Backoff) -> Result<Self, Failure> {
        let unusable = |error: reqwest::Error| Failure::internal("http_client", error);
        let builder = || {
            Http::builder()
                .user_agent(concat!("sluice-example-updater/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(Duration::from_secs(10))
                // Per read, not for the whole answer: a slow line is fine, a dead one is not.
                .timeout(Duration::from_secs(30))
                // A download link is a secret for a while: do not tell it to where it redirects.
                .referer(false)
        };
        Ok(Self {
            // The API never redirects, and the license key must not follow where something else would.
            http: builder().redirect(redirect::Policy::none()).build().map_err(unusable)?,
            // Links are signed and go without the key; the server may hand them on to its object store.
            downloads: builder().redirect(redirect::Policy::limited(5)).build().map_err(unusable)?,
            base: config.server_url.parse().map_err(|error| {
                Failure::internal("config_invalid", format!("`server_url` is not a valid URL: {error}"))
            })?,
            license: license(&config.license_key)?,
            product: config.product.clone(),
            platform: config.platform.clone(),
            arch: config.arch.clone(),
            locale: config.locale.clone(),
            channel: config.channel.clone(),
            backoff,
        })
    }

    /// The same for another customer, on the same connections: for a program that speaks for many.
    pub fn for_customer(&self, license_key: &str) -> Result<Self, Failure> {
        Ok(Self { license: license(license_key)?, ..self.clone() })
    }

    /// The HTTP client for signed links, which sends no credentials.
    pub fn downloads(&self) -> &Http {
        &self.downloads
    }

    /// Asks whether there is an update.
    pub fn check(&self, question: &Question, installation: Uuid) -> Result<Answer, Failure> {
        let mut url = self.url(&["check"])?;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("product", &self.product);
            query.append_pair("component", &text_of(&question.component));
            query.append_pair("version", &question.version.to_string());
            query.append_pair("platform", &self.platform);
            query.append_pair("arch", &self.arch);
            query.append_pair("installation", &installation.to_string());
            query.append_pair(
                "trigger",
                match question.trigger {
                    Trigger::Startup => "startup",
                    Trigger::Manual => "manual",
                    Trigger::Scheduled => "scheduled",
                },
            );
            // This updater unpacks archives; it would not know what to do with an installer.
            query.append_pair("kind", "archive");
            if let Some(channel) = &self.channel {
                query.append_pair("channel", channel);
            }
            if let Some(locale) = &self.locale {
                query.append_pair("locale", locale);
            }
            if let Some(server) = &question.server {
                query.append_pair("server_version", &server.version.to_string());
                query.append_pair("server_platform", &server.platform);
                query.append_pair("server_arch", &server.arch);
            }
        }
        self.get_json(&url)
    }

    /// The subscription behind the license key, for an About box.
    pub fn subscription(&self) -> Result<Subscription, Failure> {
        self.get_json(&self.url(&["subscription"])?)
    }

    /// The signed manifest of a release: its bytes as they were signed, and the signature header.
    pub fn manifest(&self, version: &semver::Version) -> Result<(Vec<u8>, String), Failure> {
        let version = version.to_string();
        let url = self.url(&["products", &self.product, "releases", &version, "manifest"])?;
        let answer = self.get(&url)?;
        let signature = answer.headers().get("sluice-signature").and_then(|value| value.to_str().ok());
        let signature = signature.map(str::to_owned).ok_or_else(|| {
            Failure::integrity("manifest_unsigned", "the server sent a release manifest without a signature")
        })?;
        Ok((body(answer)?, signature))
    }

    /// The server's public keys. Keys of a form that this program does not know are passed over.
    pub fn published_keys(&self) -> Result<Vec<Jwk>, Failure> {
        let url = self.base.join("/.well-known/jwks.json").map_err(|error| Failure::internal("url", error))?;
        let keys: Keys = self.get_json(&url)?;
        Ok(keys.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
    }

    /// Sends one report, once.
    pub fn report(&self, report: &Report) -> Receipt {
        let request = match self.url(&["reports"]) {
            Ok(url) => self.request(Method::POST, &url).json(report),
            Err(failure) => return Receipt::Refused(failure),
        };
        match accepted(request.send()) {
            Ok(answer) if answer.status() == StatusCode::ACCEPTED => {
                // A 202 stands whatever its body is.
                let said = body(answer).ok().and_then(|body| serde_json::from_slice::<Accepted>(&body).ok());
                Receipt::Accepted { help_url: said.and_then(|said| said.help_url) }
            }
            Ok(answer) => Receipt::Refused(Failure::network("unexpected_status", answer.status())),
            Err(Trouble::Passing(failure, _)) => Receipt::Unreachable(failure),
            Err(Trouble::Final(failure)) => Receipt::Refused(failure),
        }
    }

    fn get_json<T: DeserializeOwned>(&self, url: &Url) -> Result<T, Failure> {
        let body = body(self.get(url)?)?;
        serde_json::from_slice(&body).map_err(|error| {
            Failure::network("answer_unreadable", format!("the answer of {} cannot be read: {error}", url.path()))
        })
    }

    /// A GET, tried again while that may help.
    fn get(&self, url: &Url) -> Result<Response, Failure> {
        let mut retry = 0;
        loop {
            match accepted(self.request(Method::GET, url).send()) {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Passing(_, asked_for)) if retry < self.backoff.retries => {
                    self.backoff.wait(retry, asked_for);
                    retry += 1;
                }
                Err(Trouble::Passing(failure, _) | Trouble::Final(failure)) => return Err(failure),
            }
        }
    }

    fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        let request = self.http.request(method, url.clone()).header(AUTHORIZATION, self.license.clone());
        match &self.locale {
            Some(locale) => request.header(ACCEPT_LANGUAGE, locale),
            None => request,
        }
    }

    fn url(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::internal("config_invalid", "`server_url` must start with http:// or https://"))?
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(path);
        Ok(url)
    }
}

/// What says who asks.
fn license(key: &str) -> Result<HeaderValue, Failure> {
    let mut license = HeaderValue::try_from(format!("License {}", key.trim()))
        .map_err(|_| Failure::internal("config_invalid", "`license_key` has characters that no key has"))?;
    license.set_sensitive(true);
    Ok(license)
}

/// Tells a good answer from a passing trouble and from a refusal.
fn accepted(sent: reqwest::Result<Response>) -> Result<Response, Trouble> {
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) => return Err(Trouble::Passing(unreachable_server(&error), None)),
    };
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let asked_for = retry_after(&answer);
    let failure = problem(answer);
    let passing =
        status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    Err(if passing { Trouble::Passing(failure, asked_for) } else { Trouble::Final(failure) })
}

/// The failure behind an error answer: the server's own code and words where it gave some.
pub fn problem(answer: Response) -> Failure {
    let status = answer.status();
    let told: Problem = body(answer).ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let code = told.code.unwrap_or_else(|| format!("http_{}", status.as_u16()));
    let message = told.detail.or(told.title).unwrap_or_else(|| format!("the server answered {status}"));
    Failure::new(FailureClass::Network, code, message)
}

/// How long the server wants to be left alone.
pub fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The failure behind a request that got no answer. Without the URL, whose query may be a secret.
pub fn unreachable_server(error: &reqwest::Error) -> Failure {
    let mut sentence = String::from("the update server cannot be reached");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        sentence = format!("{sentence}: {inner}");
        cause = inner.source();
    }
    Failure::network("server_unreachable", sentence)
}

/// The body of a small answer.
fn body(answer: Response) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::Read::read_to_end(&mut std::io::Read::take(answer, LONGEST_ANSWER), &mut bytes);
    read.map_err(|error| Failure::network("answer_cut_off", format!("the server's answer broke off: {error}")))?;
    Ok(bytes)
}

/// The wire name of a value that serialises as one word.
fn text_of(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
