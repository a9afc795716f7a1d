//! Lists by page: which page is asked for, and how it is sent.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::{InvalidValue, page::Page, text_schema};

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listed<T> {
    /// The items on the page.
    pub items: Vec<T>,
    /// The value of `after` for the next page; `null` on the last page.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// A page that was read with one row more than `limit`, which tells whether there is another page.
    pub fn of(mut rows: Vec<T>, limit: i64, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(cursor) } else { None };
        Self { items: rows, next }
    }

    /// Converts the items.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Listed<U> {
        Listed { items: self.items.into_iter().map(each).collect(), next: self.next }
    }

    /// The same, where a conversion can fail.
    ///
    /// # Errors
    /// The first that `each` returns.
    pub fn try_map<U, E>(self, each: impl FnMut(T) -> Result<U, E>) -> Result<Listed<U>, E> {
        Ok(Listed { items: self.items.into_iter().map(each).collect::<Result<_, E>>()?, next: self.next })
    }
}

/// The most items on a page: 1 to 200, by default 50.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(i64);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        if (1..=200).contains(&number) {
            Ok(Self(number))
        } else {
            Err(serde::de::Error::custom(InvalidValue::new("limit", &number.to_string(), "1 to 200")))
        }
    }
}

impl Limit {
    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The page to read: one row more than is sent, to find out whether there is another page.
    pub const fn page<T>(self, after: Option<T>) -> Page<T> {
        Page { after, limit: self.0 + 1 }
    }
}

/// Which page of a list whose rows have ids.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    pub limit: Limit,
    /// The `next` of the page before.
    #[serde(default, deserialize_with = "cursor")]
    pub after: Option<Uuid>,
}

/// Reads a cursor that is an id; the error repeats what was sent.
pub fn cursor<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    let id = Uuid::try_parse(&text);
    id.map(Some)
        .map_err(|_| serde::de::Error::custom(InvalidValue::new("cursor", &text, "the `next` of the page before")))
}

/// Two ids in one cursor, for lists whose rows have two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub Uuid, pub Uuid);

text_schema!(
    Pair,
    "0199a0de-0000-7000-8000-0000000000f2.0199a0de-0000-7000-8000-0000000000a2",
    73,
    r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
);

impl std::fmt::Display for Pair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.0, self.1)
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let pair = text
            .split_once('.')
            .and_then(|(first, second)| Some(Self(Uuid::try_parse(first).ok()?, Uuid::try_parse(second).ok()?)))
            // Only as it was sent: other spellings of the same ids are not accepted.
            .filter(|pair| *text == pair.to_string());
        pair.ok_or_else(|| {
            serde::de::Error::custom(InvalidValue::new("cursor", &text, "the `next` of the page before"))
        })
    }
}
