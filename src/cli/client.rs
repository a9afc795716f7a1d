//! The publisher API as this program calls it: typed requests over HTTP, errors in one clear line, and no secrets in
//! any output.

pub mod error;
pub mod retry;
mod transfer;
pub mod wire;

use std::{sync::Arc, time::Duration};

use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{AUTHORIZATION, ETAG, HeaderValue, IF_MATCH},
};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

pub use transfer::Upload;

use self::{error::ApiError, retry::Retries};
use crate::domain::{manifest::Manifest, slug::Slug, version::Version};

/// The longest wait for an answer, except for uploads.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// A server that is reachable accepts a connection well within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A secret from the command line or the environment. It has no `Display`, and `Debug` hides it.
#[derive(Clone)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(secret)")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl Secret {
    /// Whether it is empty, as with an environment variable that is set to nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of an `Authorization` header: `Bearer …`, `License …`.
    ///
    /// # Errors
    /// A sentence, when the secret has characters that are not allowed in a header.
    pub fn authorization(&self, scheme: &str) -> Result<HeaderValue, String> {
        let mut value = HeaderValue::try_from(format!("{scheme} {}", self.0)).map_err(|_| {
            "the secret has characters that cannot be sent; check that it was copied and quoted correctly".to_owned()
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Reads the address of a server.
pub fn read_server(text: &str) -> Result<Url, String> {
    let wrong = || "expected an address such as https://updates.example.com".to_owned();
    let url: Url = text.parse().map_err(|_| wrong())?;
    let bare = url.query().is_none() && url.fragment().is_none() && url.password().is_none();
    if matches!(url.scheme(), "http" | "https") && bare && url.host().is_some() { Ok(url) } else { Err(wrong()) }
}

/// A server, and the credentials to use.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    authorization: Option<HeaderValue>,
    retries: Retries,
    on_retry: OnRetry,
}

/// Called before each pause between two attempts, with the failure and the length of the pause.
pub type OnRetry = Arc<dyn Fn(&ApiError, Duration) + Send + Sync>;

impl Client {
    /// A client of the server at `server`.
    pub fn new(
        server: Url,
        authorization: Option<HeaderValue>,
        retries: Retries,
        on_retry: OnRetry,
    ) -> Result<Self, ApiError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirected POST would become a GET, and a redirected token could reach a stranger.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| ApiError::unreachable(&server, &error))?;
        Ok(Self { http, server, authorization, retries, on_retry })
    }

    /// An address below the server's, with each part escaped.
    #[must_use]
    pub fn address<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.server.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(parts);
        }
        url
    }

    fn release_address(&self, product: &Slug, version: &Version, rest: &[&str]) -> Url {
        let version = version.to_string();
        let head = ["api", "v1", "products", product.as_str(), "releases", &version];
        self.address(head.into_iter().chain(rest.iter().copied()))
    }

    /// `GET …/releases/{version}` with its `ETag`; `None` if there is no such release. A missing product is `None` too,
    /// and is reported when the release is created.
    pub async fn release(
        &self,
        product: &Slug,
        version: &Version,
    ) -> Result<Option<(wire::Release, Option<HeaderValue>)>, ApiError> {
        let address = self.release_address(product, version, &[]);
        let sent = self.send(|| self.request(Method::GET, &address)).await;
        match sent {
            Err(ApiError::Refused(problem)) if problem.status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error),
            Ok(response) => {
                let tag = response.headers().get(ETAG).cloned();
                Ok(Some((read(response).await?, tag)))
            }
        }
    }

    /// `POST …/releases`: creates a draft.
    pub async fn create_release(
        &self,
        product: &Slug,
        draft: &wire::NewRelease<'_>,
    ) -> Result<wire::Release, ApiError> {
        let address = self.address(["api", "v1", "products", product.as_str(), "releases"]);
        self.send_json(Method::POST, &address, None, draft).await
    }

    /// `PATCH …/releases/{version}`, if it has not changed since `tag`.
    ///
    /// # Errors
    /// [`ApiError`]; 412 when it has changed.
    pub async fn change_release(
        &self,
        product: &Slug,
        version: &Version,
        tag: Option<&HeaderValue>,
        changes: &wire::Details,
    ) -> Result<wire::Release, ApiError> {
        self.send_json(Method::PATCH, &self.release_address(product, version, &[]), tag, changes).await
    }

    /// `POST …/publish`, if the release has not changed since `tag`.
    ///
    /// # Errors
    /// [`ApiError`]; 412 when it has changed.
    pub async fn publish_release(
        &self,
        product: &Slug,
        version: &Version,
        tag: Option<&HeaderValue>,
        publication: &wire::Publication<'_>,
    ) -> Result<wire::Published, ApiError> {
        let address = self.release_address(product, version, &["publish"]);
        let response = self.send_body(Method::POST, &address, tag, publication).await?;
        if response.status() == StatusCode::ACCEPTED {
            let asked: wire::Asked = read(response).await?;
            return Ok(wire::Published::Asked(asked.approval));
        }
        read(response).await.map(Box::new).map(wire::Published::Done)
    }

    /// `POST …/publish?dry_run=true`, if the release has not changed since `tag`. It changes nothing.
    pub async fn rehearse_publication(
        &self,
        product: &Slug,
        version: &Version,
        tag: Option<&HeaderValue>,
        publication: &wire::Publication<'_>,
    ) -> Result<wire::Rehearsal, ApiError> {
        let mut address = self.release_address(product, version, &["publish"]);
        address.query_pairs_mut().append_pair("dry_run", "true");
        self.send_json(Method::POST, &address, tag, publication).await
    }

    /// `GET …/manifest`: the content that was fixed at publication.
    pub async fn manifest(&self, product: &Slug, version: &Version) -> Result<Manifest, ApiError> {
        self.get(&self.release_address(product, version, &["manifest"])).await
    }

    /// Gets a JSON document.
    pub async fn get<T: DeserializeOwned>(&self, address: &Url) -> Result<T, ApiError> {
        read(self.send(|| self.request(Method::GET, address)).await?).await
    }

    async fn send_json<T: DeserializeOwned>(
        &self,
        method: Method,
        address: &Url,
        tag: Option<&HeaderValue>,
        body: &(impl Serialize + Sync),
    ) -> Result<T, ApiError> {
        read(self.send_body(method, address, tag, body).await?).await
    }

    async fn send_body(
        &self,
        method: Method,
        address: &Url,
        tag: Option<&HeaderValue>,
        body: &(impl Serialize + Sync),
    ) -> Result<Response, ApiError> {
        let request = || {
            let request = self.request(method.clone(), address).json(body);
            match tag {
                Some(tag) => request.header(IF_MATCH, tag),
                None => request,
            }
        };
        self.send(request).await
    }

    fn request(&self, method: Method, address: &Url) -> RequestBuilder {
        let request = self.http.request(method, address.clone()).timeout(REQUEST_TIMEOUT);
        self.authorized(request)
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value),
            None => request,
        }
    }

    /// Sends a request, and again if it fails in a way that may pass. A change may therefore be requested twice; the
    /// server then answers that it exists already, and [`super::publish`] reads the state again.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, ApiError> {
        self.retries
            .run(&*self.on_retry, async || {
                let response = request().send().await.map_err(|error| ApiError::unreachable(&self.server, &error))?;
                ApiError::check(response).await
            })
            .await
    }
}

/// Reads an answer of the expected form.
async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ApiError> {
    let address = response.url().clone();
    let body = response.bytes().await.map_err(|error| ApiError::unreachable(&address, &error))?;
    let mut json = serde_json::Deserializer::from_slice(&body);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| ApiError::Unexpected { address: address.to_string(), message: error.to_string() })
}
