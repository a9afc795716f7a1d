//! A request, built from nothing but the examples of the description.

use reqwest::{
    Method,
    blocking::{Client, RequestBuilder},
    header::CONTENT_TYPE,
};
use serde_json::Value;
use url::Url;

use super::Operation;

/// What the description cannot know: it is only good on this server, at this time.
#[derive(Clone, Default)]
pub struct Known<'a> {
    /// Where the server is.
    pub address: &'a str,
    /// A session's access token.
    pub access_token: String,
    /// A session's refresh token.
    pub refresh_token: String,
    /// The token of a download link, or of the one-time link.
    pub token: String,
}

/// A key of the demo.
pub const LICENSE: &str = "DEMO-OFFICE-SINGLE-ACTIVE";

/// What an operation's examples say, as texts.
#[derive(Clone, Debug)]
pub struct Example {
    pub method: Method,
    /// With the names of the parameters in braces.
    pub template: String,
    pub path: Vec<(String, String)>,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    /// With its content type.
    pub body: Option<(String, Value)>,
}

impl Example {
    /// The examples of an operation.
    pub fn of((path, method, operation): Operation<'_>) -> Self {
        let method: Method = method.to_uppercase().parse().expect("a method");
        let mut example = Self {
            method: method.clone(),
            template: path.to_owned(),
            path: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: body(path, operation),
        };
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            // A header's example stands in its schema, where tools that make up requests look for it.
            let in_schema = &parameter["schema"]["examples"][0];
            let in_place = &parameter["example"];
            let value = match if parameter["in"] == "header" { in_schema } else { in_place } {
                Value::String(text) => text.clone(),
                Value::Null if parameter["required"] == true => panic!("{method} {path}: no example for `{name}`"),
                Value::Null => continue,
                other => other.to_string(),
            };
            match parameter["in"].as_str().expect("a place") {
                "path" => &mut example.path,
                "query" => &mut example.query,
                "header" => &mut example.headers,
                other => panic!("{method} {path}: `{name}` is in `{other}`"),
            }
            .push((name.to_owned(), value));
        }
        example
    }

    /// The path and the query, as they stand in a request.
    pub fn target(&self) -> String {
        let fill = |path: String, (name, value): &(String, String)| path.replace(&format!("{{{name}}}"), value);
        let path = self.path.iter().fold(self.template.clone(), fill);
        let mut url: Url = format!("http://localhost{path}").parse().expect("a URL");
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url.as_str().trim_start_matches("http://localhost").to_owned()
    }

    /// The body's bytes.
    pub fn bytes(&self) -> Option<String> {
        self.body.as_ref().map(|(_, body)| body.as_str().map_or_else(|| body.to_string(), str::to_owned))
    }

    /// The same, with something else for every text of the path, the query and the body.
    #[must_use]
    pub fn with(mut self, change: impl Fn(&str) -> String) -> Self {
        for (_, value) in self.path.iter_mut().chain(&mut self.query) {
            *value = change(value);
        }
        if let Some((_, body)) = &mut self.body {
            *body = match &*body {
                Value::String(text) => change(text).into(),
                other => serde_json::from_str(&change(&other.to_string())).expect("JSON"),
            };
        }
        self
    }
}

fn body(path: &str, operation: &Value) -> Option<(String, Value)> {
    let (kind, content) = operation["requestBody"]["content"].as_object()?.iter().next().expect("a content type");
    assert!(!content["example"].is_null(), "{path}: no example of the body");
    Some((kind.clone(), content["example"].clone()))
}

/// The request of an operation's examples.
pub fn request(http: &Client, known: &Known<'_>, operation: Operation<'_>) -> RequestBuilder {
    let mut example = Example::of(operation);
    for (_, value) in example.query.iter_mut().filter(|(name, _)| name == "token") {
        value.clone_from(&known.token);
    }
    for (name, value) in [("refresh_token", &known.refresh_token), ("token", &known.token)] {
        if let Some(field) = example.body.as_mut().and_then(|(_, body)| body.get_mut(name)) {
            *field = value.as_str().into();
        }
    }
    let mut request = http.request(example.method.clone(), format!("{}{}", known.address, example.target()));
    for (name, value) in &example.headers {
        request = request.header(name, value);
    }
    if let (Some((kind, _)), Some(bytes)) = (&example.body, example.bytes()) {
        request = request.header(CONTENT_TYPE, kind).body(bytes);
    }
    authorised(request, operation.2, known)
}

fn authorised(request: RequestBuilder, operation: &Value, known: &Known<'_>) -> RequestBuilder {
    let schemes: Vec<_> = operation["security"].as_array().into_iter().flatten().collect();
    if schemes.iter().any(|scheme| scheme.get("license").is_some()) {
        request.header("Authorization", format!("License {LICENSE}"))
    } else if schemes.iter().any(|scheme| scheme.get("bearer").is_some()) {
        request.bearer_auth(&known.access_token)
    } else {
        request
    }
}
