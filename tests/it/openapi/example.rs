//! A request, built from nothing but the examples of the description.

use reqwest::{
    Method,
    blocking::{Client, RequestBuilder},
    header::CONTENT_TYPE,
};
use serde_json::Value;
use url::Url;

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

const LICENSE: &str = "DEMO-OFFICE-SINGLE-ACTIVE";

/// The request of an operation's examples.
pub fn request(http: &Client, known: &Known<'_>, (path, method, operation): (&str, &str, &Value)) -> RequestBuilder {
    let mut url = format!("{}{path}", known.address);
    let mut query = Vec::new();
    let mut headers = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().expect("a name");
        // A header's example stands in its schema, where tools that make up requests look for it.
        let in_schema = &parameter["schema"]["examples"][0];
        let in_place = &parameter["example"];
        let example = match if parameter["in"] == "header" { in_schema } else { in_place } {
            _ if name == "token" => known.token.clone(),
            Value::String(text) => text.clone(),
            Value::Null if parameter["required"] == true => panic!("{method} {path}: no example for `{name}`"),
            Value::Null => continue,
            other => other.to_string(),
        };
        match parameter["in"].as_str().expect("a place") {
            "path" => url = url.replace(&format!("{{{name}}}"), &example),
            "query" => query.push((name, example)),
            "header" => headers.push((name, example)),
            other => panic!("{method} {path}: `{name}` is in `{other}`"),
        }
    }
    let method: Method = method.to_uppercase().parse().expect("a method");
    let mut url: Url = url.parse().expect("a URL");
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(&query);
    }
    let mut request = http.request(method, url);
    for (name, example) in headers {
        request = request.header(name, example);
    }
    body(authorised(request, operation, known), path, operation, known)
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

fn body(request: RequestBuilder, path: &str, operation: &Value, known: &Known<'_>) -> RequestBuilder {
    let Some(content) = operation["requestBody"]["content"].as_object() else { return request };
    let (kind, content) = content.iter().next().expect("a content type");
    let mut example = content["example"].clone();
    assert!(!example.is_null(), "{path}: no example of the body");
    for (name, value) in [("refresh_token", &known.refresh_token), ("token", &known.token)] {
        if example.get(name).is_some() {
            example[name] = value.as_str().into();
        }
    }
    let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
    request.header(CONTENT_TYPE, kind).body(text)
}
