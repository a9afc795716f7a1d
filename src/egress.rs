//! Connections to servers that people name: receivers of webhooks, issuers of tokens. They go to the public internet
//! only, unless the operator allows private networks; otherwise a user could reach internal servers through this one.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Client, Method, RequestBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use url::{Host, Url};

use crate::domain::public_address::is_public;

/// A client for other people's servers: it times out and follows no redirects.
#[derive(Clone, Debug)]
pub struct Egress {
    client: Client,
    allow_private: bool,
    setting: &'static str,
}

impl Egress {
    /// Waits up to `timeout` for an answer. `allow_private` permits private networks; `setting` is the configuration
    /// key that says so, for messages.
    pub fn new(timeout: Duration, allow_private: bool, setting: &'static str) -> Result<Self, String> {
        let mut client = Client::builder()
            .timeout(timeout)
            .redirect(Policy::none())
            .user_agent(concat!("Sluice/", env!("CARGO_PKG_VERSION")));
        if !allow_private {
            // A proxy would resolve names itself.
            client = client.no_proxy().dns_resolver(Arc::new(PublicOnly { setting }));
        }
        let client = client.build().map_err(|error| error.to_string())?;
        Ok(Self { client, allow_private, setting })
    }

    /// Why nothing is sent to a URL, as far as that is known without resolving its name.
    #[must_use]
    pub fn objection(&self, url: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let address = match url.host()? {
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
            Host::Domain(_) => return None,
        };
        (!self.allow_private && !is_public(address)).then(|| private(self.setting))
    }

    /// Whether private addresses are allowed.
    #[must_use]
    pub const fn allows_private(&self) -> bool {
        self.allow_private
    }

    /// Prepares a request for [`send`].
    pub fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, String> {
        match self.objection(url) {
            Some(objection) => Err(objection),
            None => Ok(self.client.request(method, url)),
        }
    }
}

/// Sends a request.
///
/// # Errors
/// Why there was no answer. The text does not contain the URL, which may be a secret.
pub async fn send(request: RequestBuilder) -> Result<reqwest::Response, String> {
    request.send().await.map_err(|error| causes(&error.without_url()))
}

/// The message for an address that is not allowed.
fn private(setting: &str) -> String {
    format!("it is not on the public internet; `{setting}` of the configuration allows it")
}

/// Resolves names to public addresses only. The connection uses an address that was checked; the name is not resolved a
/// second time, when it could lead elsewhere.
#[derive(Debug)]
struct PublicOnly {
    setting: &'static str,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let setting = self.setting;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(format!("`{}`: {}", name.as_str(), private(setting)).into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// The error with its causes. By itself it only says that a request could not be sent.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
