//! Answers, and what every answer of a kind must have.

use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::body::Problem;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads an answer to its end.
    pub fn read(response: reqwest::blocking::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.bytes().expect("a body to its end").to_vec() }
    }

    /// A header's text; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a readable header"))
    }

    /// The body's text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// It has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The body as JSON, whatever the status.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert!(self.header("content-type").contains("json"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }

    /// The body as one of the types of [`super::body`], whatever the status.
    #[track_caller]
    pub fn read_as<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.json()).unwrap_or_else(|error| panic!("not as expected ({error}): {}", self.text()))
    }

    /// 200 with JSON.
    #[track_caller]
    pub fn ok(self) -> Value {
        self.expect(200).json()
    }

    /// 201 with JSON.
    #[track_caller]
    pub fn created(self) -> Value {
        self.expect(201).json()
    }

    /// 202 with JSON.
    #[track_caller]
    pub fn accepted(self) -> Value {
        self.expect(202).json()
    }

    /// 204 without anything.
    #[track_caller]
    pub fn no_content(self) {
        let answer = self.expect(204);
        assert!(answer.body.is_empty(), "{answer:?}");
    }

    /// A refusal with this status and code, as RFC 9457 and the contract (section 4) have it.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Refused {
        let answer = self.expect(status);
        assert_eq!(answer.headers[CONTENT_TYPE], "application/problem+json", "{}", answer.text());
        let body: Problem = answer.read_as();
        assert_eq!((body.code.as_str(), body.status), (code, status), "{body:?}");
        for text in [&body.r#type, &body.title, &body.detail] {
            assert!(!text.is_empty(), "{body:?}");
        }
        if status == StatusCode::UNAUTHORIZED {
            assert!(answer.headers.contains_key(WWW_AUTHENTICATE), "{answer:?}");
        }
        if code == "body_invalid" {
            assert!(!body.errors.is_empty(), "{body:?}");
        }
        Refused { body, headers: answer.headers }
    }
}

/// A refusal.
#[derive(Debug)]
pub struct Refused {
    pub body: Problem,
    pub headers: HeaderMap,
}

impl Refused {
    /// The sentence.
    pub fn detail(&self) -> &str {
        &self.body.detail
    }

    /// The fields that are wrong.
    pub fn fields(&self) -> Vec<&str> {
        self.body.errors.iter().map(|error| error.field.as_str()).collect()
    }

    /// These fields are wrong, and no others.
    #[track_caller]
    pub fn names(self, fields: &[&str]) -> Self {
        assert_eq!(self.fields(), fields, "{:?}", self.body);
        self
    }

    /// The sentence has this in it.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.detail().contains(text), "{:?}", self.body);
        self
    }
}
