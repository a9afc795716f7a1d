//! Those who talk to the server, each with the credentials that they have.

use std::time::Duration;

use reqwest::{
    Method,
    blocking::{Body, Client, RequestBuilder},
    header::AUTHORIZATION,
};
use serde_json::Value;

use super::{Answer, body::CheckAnswer, server::Address};

/// A line to the server, and what is said of oneself on it.
#[derive(Clone)]
pub struct Line {
    client: Client,
    address: Address,
    authorization: Option<String>,
}

impl Line {
    /// A line without credentials.
    pub fn new(address: Address) -> Self {
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // Patience only: an import of ten thousand lines takes a loaded machine a while.
            .timeout(Duration::from_secs(240))
            .build()
            .expect("a client");
        Self { client, address, authorization: None }
    }

    /// The same line with these credentials.
    pub fn with(&self, authorization: impl Into<String>) -> Self {
        Self { authorization: Some(authorization.into()), ..self.clone() }
    }
}

/// Somebody who sends requests.
pub trait Actor {
    /// Their line.
    fn line(&self) -> &Line;

    /// A request to a path. A whole address is followed on this server, whatever host it names.
    fn call(&self, method: Method, path: &str) -> Call {
        let Line { client, address, authorization } = self.line();
        let path = match path.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
            None => path.trim_start_matches('/'),
        };
        let mut request = client.request(method, format!("http://{}/{path}", address.lock().expect("a lock")));
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        Call(request)
    }

    fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    fn head(&self, path: &str) -> Call {
        self.call(Method::HEAD, path)
    }

    fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// A check by this version of the standalone program on 64-bit Linux; further parameters say otherwise.
    fn check(&self, product: &str, version: &str, more: &[(&str, &str)]) -> Answer {
        let usual = [
            ("product", product),
            ("version", version),
            ("component", "standalone"),
            ("platform", "linux"),
            ("arch", "x86_64"),
        ];
        let usual = usual.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        let parameters: Vec<_> = usual.chain(more.iter().copied()).collect();
        self.get("/api/v1/check").query(&parameters).send()
    }

    /// The answer to such a check.
    #[track_caller]
    fn checked(&self, product: &str, version: &str, more: &[(&str, &str)]) -> CheckAnswer {
        self.check(product, version, more).expect(200).read_as()
    }

    /// The version that such a check is offered.
    #[track_caller]
    fn offered(&self, product: &str, version: &str) -> Option<String> {
        self.checked(product, version, &[]).update.map(|update| update.version)
    }
}

/// A request that is being put together.
#[must_use]
pub struct Call(RequestBuilder);

impl Call {
    /// Adds query parameters.
    pub fn query(self, parameters: &[(&str, &str)]) -> Self {
        let (client, request) = self.0.build_split();
        let mut request = request.expect("a request");
        request.url_mut().query_pairs_mut().extend_pairs(parameters);
        Self(RequestBuilder::from_parts(client, request))
    }

    /// Adds a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// Gives it a JSON body.
    pub fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    /// Gives it a body.
    pub fn body(self, body: impl Into<Body>) -> Self {
        Self(self.0.body(body))
    }

    /// Sends it, and reads the answer.
    #[track_caller]
    pub fn send(self) -> Answer {
        Answer::read(self.0.send().expect("an answer"))
    }

    /// Sends it to a server that may be ended at any moment: `None` without a whole answer.
    pub fn try_send(self) -> Option<Answer> {
        let response = self.0.send().ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some(Answer { status, headers, body: response.bytes().ok()?.to_vec() })
    }

    /// Sends it, and leaves the body to be read piece by piece.
    #[track_caller]
    pub fn open(self) -> reqwest::blocking::Response {
        self.0.send().expect("an answer")
    }
}

macro_rules! actors {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name(pub Line);

        impl Actor for $name {
            fn line(&self) -> &Line {
                &self.0
            }
        }
    )+};
}

actors! {
    /// Somebody without credentials.
    Anonymous,
    /// A program in the field, with its licence key.
    Customer,
    /// A pipeline, with an API token.
    Ci,
    /// A person who is logged in.
    Admin,
}
