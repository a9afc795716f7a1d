//! The query: a missing or unknown parameter is 400, an invalid value 422 (contract section 4).

use std::{
    borrow::Cow,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;

use super::{
    super::Problem,
    mistake::{Mistake, listed},
    texts,
};
use crate::services::{Code, Refusal};

/// The query's parameters, as a struct with `deny_unknown_fields`.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request.query_string()))
    }
}

impl<T: DeserializeOwned> Query<T> {
    /// Reads a query as it stands in an address, without the question mark.
    ///
    /// # Errors
    /// `parameter_missing`, `parameter_unknown`, `parameter_invalid`, `version_invalid`.
    pub fn read(text: &str) -> Result<Self, Problem> {
        read(text).map(Self).map_err(problem)
    }
}

/// Reads a query string.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    texts::read(text.split('&').filter(|pair| !pair.is_empty()).filter_map(name_and_value))
}

/// A name and its value. Nearly no query has escapes, and to look for them by the byte is far quicker than to decode.
fn name_and_value(pair: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    if pair.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return url::form_urlencoded::parse(pair.as_bytes()).next();
    }
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Some((name.into(), value.into()))
}

fn problem(mistake: Mistake) -> Problem {
    match mistake {
        Mistake::Missing(name) => {
            Problem::new(Code::ParameterMissing, format!("the query parameter `{name}` is missing"))
        }
        Mistake::Unknown { name, known } => Problem::new(Code::ParameterUnknown, unknown(&name, known)),
        Mistake::Twice(name) => Problem::new(
            Code::ParameterUnknown,
            format!("the query parameter `{name}` was sent more than once; send it once"),
        ),
        Mistake::Invalid(invalid) => {
            let code = invalid.code(Code::ParameterInvalid);
            Problem(Refusal { code, ..Refusal::parameter(&invalid.field, invalid.message) })
        }
    }
}

/// The message about a query parameter that an operation does not have.
#[must_use]
pub fn unknown(name: &str, known: &[&str]) -> String {
    if known.is_empty() {
        format!("this operation takes no query parameters; remove `{name}`")
    } else {
        format!("the query parameter `{name}` is unknown; expected {}", listed(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        version: crate::domain::version::Version,
        limit: Option<u16>,
        installation: Option<crate::domain::id::InstallationId>,
    }

    #[test]
    fn each_kind_of_mistake_has_its_code() {
        let code = |text: &str| read::<Sample>(text).map_err(|mistake| problem(mistake).0.code);
        assert!(code("version=1.2&limit=7").is_ok());
        assert!(code("&version=1%2E2&&limi%74=7").is_ok());
        assert!(code("version=1.2&installation=0199a0de-0000-7000-8000-000000000001").is_ok());
        assert_eq!(code("limit=7"), Err(Code::ParameterMissing));
        assert_eq!(code("version=1.2&colour=red"), Err(Code::ParameterUnknown));
        assert_eq!(code("version=1.2&version=1.3"), Err(Code::ParameterUnknown));
        assert_eq!(code("version=latest"), Err(Code::VersionInvalid));
        assert_eq!(code("version=1.2&limit=many"), Err(Code::ParameterInvalid));
        assert_eq!(code("version=1.2&limit="), Err(Code::ParameterInvalid));
        assert_eq!(code("version=1.2&installation=x"), Err(Code::ParameterInvalid));
    }
}
