//! Webhooks' messages on their way out: one POST, and what its answer means. What is sent and when it is tried again is
//! decided above.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Client, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect::Policy,
};
use url::{Host, Url};

use crate::domain::public_address::is_public;

/// Answers of this size are read, so that the connection can be used again; of others nothing is.
const SMALL: u64 = 4096;

/// A message as it goes out.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// Where to.
    pub url: &'a str,
    /// `webhook-id`
    pub id: &'a str,
    /// `webhook-timestamp`, in seconds since 1970.
    pub timestamp: i64,
    /// `webhook-signature`
    pub signature: &'a str,
    /// The body.
    pub payload: &'a str,
}

/// Why a message was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// Nobody answered, or not in time.
    #[error("{0}")]
    Away(String),
    /// The receiver answered with something else than a success.
    #[error("it answered {0}")]
    Refused(StatusCode),
    /// The receiver wants to hear no more (410).
    #[error("it answered 410 Gone: it wants to be told no more")]
    Gone,
}

impl PostError {
    /// Whether another message may be accepted all the same: of these answers nothing follows for the others.
    #[must_use]
    pub fn is_about_the_message(&self) -> bool {
        let about = [
            StatusCode::BAD_REQUEST,
            StatusCode::CONFLICT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ];
        matches!(self, Self::Refused(status) if about.contains(status))
    }
}

/// Somebody who sends messages.
#[derive(Clone, Debug)]
pub struct Poster {
    client: Client,
    allow_private: bool,
    patience: Duration,
}

/// What is said of an address that messages may not go to.
const PRIVATE: &str = "it is not on the public internet; `webhooks.allow_private` of the configuration allows it";

impl Poster {
    /// A poster who waits for an answer for so long, and may or may not talk to those on private networks.
    ///
    /// # Errors
    /// When the machine has no TLS roots to begin with.
    pub fn new(timeout: Duration, allow_private: bool) -> Result<Self, String> {
        let mut client = Client::builder()
            .timeout(timeout)
            .redirect(Policy::none())
            .user_agent(concat!("Sluice/", env!("CARGO_PKG_VERSION")));
        if !allow_private {
            // A proxy would look up names by itself.
            client = client.no_proxy().dns_resolver(Arc::new(PublicOnly));
        }
        let client = client.build().map_err(|error| error.to_string())?;
        Ok(Self { client, allow_private, patience: timeout })
    }

    /// Why nothing is sent to a URL, where that is known without looking up its name.
    #[must_use]
    pub fn objection(&self, url: &str) -> Option<&'static str> {
        let url = Url::parse(url).ok()?;
        let address = match url.host()? {
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
            Host::Domain(_) => return None,
        };
        (!self.allow_private && !is_public(address)).then_some(PRIVATE)
    }

    /// How long an answer is waited for.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Sends a message; it is accepted when this returns.
    ///
    /// # Errors
    /// [`PostError`] unless the answer is 2xx.
    pub async fn send(&self, post: Post<'_>) -> Result<(), PostError> {
        // The resolver is not asked for what is an address already.
        if let Some(objection) = self.objection(post.url) {
            return Err(PostError::Away(objection.to_owned()));
        }
        let request = self
            .client
            .post(post.url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", post.id)
            .header("webhook-timestamp", post.timestamp)
            .header("webhook-signature", post.signature)
            .body(post.payload.to_owned());
        let response = request.send().await.map_err(|error| PostError::Away(causes(&error.without_url())))?;
        let status = response.status();
        if response.content_length().is_some_and(|length| length <= SMALL) {
            // The status says it all; a body that breaks off changes nothing.
            let _ = response.bytes().await;
        }
        match status {
            StatusCode::GONE => Err(PostError::Gone),
            status if status.is_success() => Ok(()),
            status => Err(PostError::Refused(status)),
        }
    }
}

/// Looks up names, and knows only those of their addresses that are on the public internet. The connection is made to one of
/// those: nobody looks the name up a second time, when it could lead elsewhere.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(format!("`{}`: {PRIVATE}", name.as_str()).into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// The error with what it comes from: by itself it only says that a request could not be sent.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
