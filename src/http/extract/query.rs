//! The query: a missing or unknown parameter is 400, a value that is none is 422 (contract section 4).

use std::{
    borrow::Cow,
    fmt,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer as _, MapAccess, Visitor};

use super::{super::Problem, code_of, naming_text};
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
        read(text).map(Self).map_err(Problem::from)
    }
}

/// Reads a query string.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    T::deserialize(Parameters { pairs: text.split('&'), value: None })
}

/// What is wrong with a query.
#[derive(Debug, PartialEq, Eq)]
enum Mistake {
    Missing(&'static str),
    Unknown { name: String, known: &'static [&'static str] },
    Twice(&'static str),
    Invalid { name: String, message: String },
}

impl From<Mistake> for Problem {
    fn from(mistake: Mistake) -> Self {
        match mistake {
            Mistake::Missing(name) => {
                Self::new(Code::ParameterMissing, format!("the query parameter `{name}` is missing"))
            }
            Mistake::Unknown { name, known } => Self::new(
                Code::ParameterUnknown,
                format!("there is no query parameter `{name}` here; there is {}", listed(known)),
            ),
            Mistake::Twice(name) => {
                Self::new(Code::ParameterUnknown, format!("the query parameter `{name}` is there twice; send it once"))
            }
            Mistake::Invalid { name, message } => {
                let code = code_of(&message, Code::ParameterInvalid);
                Self(Refusal { code, ..Refusal::parameter(&name, message) })
            }
        }
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Invalid { name: String::new(), message: message.to_string() }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Unknown { name: field.chars().take(100).collect(), known: expected }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Twice(field)
    }
}

struct Parameters<'a> {
    pairs: std::str::Split<'a, char>,
    value: Option<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A name and its value. Nearly no query has escapes, and undoing none is far quicker than looking for them letter by
/// letter.
fn name_and_value(pair: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    if pair.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return url::form_urlencoded::parse(pair.as_bytes()).next();
    }
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Some((name.into(), value.into()))
}

impl<'de> de::Deserializer<'de> for Parameters<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_map(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Parameters<'de> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        self.value = self.pairs.find(|pair| !pair.is_empty()).and_then(name_and_value);
        match &self.value {
            Some((name, _)) => seed.deserialize(name.as_ref().into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let (name, text) = self.value.take().unwrap_or_default();
        seed.deserialize(Value(&text)).map_err(|mistake| match mistake {
            Mistake::Invalid { message, .. } => {
                Mistake::Invalid { name: name.into_owned(), message: naming_text(&text, message) }
            }
            other => other,
        })
    }
}

/// One value: a text, which numbers and truth values are read from.
struct Value<'a>(&'a str);

macro_rules! numbers {
    ($($method:ident => $visit:ident),+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            match self.0.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(de::Error::custom(crate::domain::InvalidValue::new("number", self.0, "a whole number in range"))),
            }
        }
    )+};
}

impl<'de> de::Deserializer<'de> for Value<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            other => {
                Err(de::Error::custom(crate::domain::InvalidValue::new("truth value", other, "`true` or `false`")))
            }
        }
    }

    numbers! { deserialize_u16 => visit_u16, deserialize_u32 => visit_u32, deserialize_i64 => visit_i64, deserialize_u64 => visit_u64 }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
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
        let code = |text: &str| read::<Sample>(text).map_err(|mistake| Problem::from(mistake).0.code);
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
