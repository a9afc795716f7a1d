//! Connections to servers that people name: receivers of webhooks, issuers of tokens. Unless the operator allows it, they go to the
//! public internet only, so that nobody has this server talk to what only those inside may.

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

/// Somebody who talks to others' servers: in bounded time, and following no redirect.
#[derive(Clone, Debug)]
pub struct Egress {
    client: Client,
    allow_private: bool,
    setting: &'static str,
}

impl Egress {
    /// One who waits for an answer for so long, and may or may not talk to those on private networks: `setting` is the key of the
    /// configuration that says so.
    pub fn new(timeout: Duration, allow_private: bool, setting: &'static str) -> Result<Self, String> {
        let mut client = Client::builder()
            .timeout(timeout)
            .redirect(Policy::none())
            .user_agent(concat!("Sluice/", env!("CARGO_PKG_VERSION")));
        if !allow_private {
            // A proxy would look up names by itself.
            client = client.no_proxy().dns_resolver(Arc::new(PublicOnly { setting }));
        }
        let client = client.build().map_err(|error| error.to_string())?;
        Ok(Self { client, allow_private, setting })
    }

    /// Why nothing is sent to a URL, where that is known without looking up its name.
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

    /// A request, to be sent with [`send`].
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
/// Why nobody answered, without the URL, which may be a secret.
pub async fn send(request: RequestBuilder) -> Result<reqwest::Response, String> {
    request.send().await.map_err(|error| causes(&error.without_url()))
}

/// What is said of an address that nothing is sent to.
fn private(setting: &str) -> String {
    format!("it is not on the public internet; `{setting}` of the configuration allows it")
}

/// Looks up names, and knows only those of their addresses that are on the public internet. The connection is made to one of
/// those: nobody looks the name up a second time, when it could lead elsewhere.
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

/// The error with what it comes from: by itself it only says that a request could not be sent.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
