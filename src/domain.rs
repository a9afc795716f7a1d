//! Values and the decision. Nothing here does I/O, waits, reads a clock, uses randomness or logs. Everything that a
//! function needs is in its arguments, so that every rule can be tested with a table.

pub mod actor;
pub mod approval;
pub mod artifact;
pub mod audit;
pub mod cause;
pub mod channel;
pub mod customer;
pub mod decision;
pub mod delivery;
pub mod ending;
mod fixed_point;
pub mod frequency;
pub mod health;
pub mod hosting_group;
pub mod id;
pub mod installation;
pub mod known_problem;
pub mod license_key;
pub mod line;
pub mod link;
pub mod lint;
pub mod locale;
pub mod mail;
pub mod manifest;
pub mod page;
pub mod patch;
pub mod platform;
pub mod product;
pub mod public_address;
pub mod reach;
pub mod release;
pub mod role;
pub mod role_claim;
pub mod rollout;
pub mod run;
pub mod scope;
pub mod slug;
mod spread;
pub mod stop;
pub mod subject;
pub mod subscription;
pub mod trusted_publisher;
pub mod version;
pub mod webhook;
pub mod webhook_message;
pub mod zone;

/// Implements `Display`, `FromStr` and `serde` as text for an enum whose variants have one fixed wire name each. A name
/// is written once, and the error lists all valid ones.
macro_rules! named_enum {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$variant_meta:meta])* $variant:ident = $text:tt),+ $(,)? }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, utoipa::ToSchema)]
        $(#[$meta])*
        pub enum $name { $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// All variants, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::domain::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err(crate::domain::InvalidValue::new(
                        $what, other, concat!("one of" $(, " `", $text, "`")+),
                    )),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::domain::deserialize_from_text(stringify!($name), deserializer)
            }
        }
    };
}
pub(crate) use named_enum;

/// A text that is not a valid value of a type, with what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a valid {what}; expected {expected}")]
pub struct InvalidValue {
    /// The type, for people: `version`, `channel`, …
    pub what: &'static str,
    /// The text, shortened to 100 characters.
    pub given: String,
    pub expected: String,
}

impl InvalidValue {
    /// An error for the text `given`, which is not a `what`; a valid one looks like `expected`.
    #[must_use]
    pub fn new(what: &'static str, given: &str, expected: impl Into<String>) -> Self {
        const SHOWN: usize = 100;
        let mut shown: String = given.chars().take(SHOWN).collect();
        if shown.len() < given.len() {
            shown.push('…');
        }
        Self { what, given: shown, expected: expected.into() }
    }
}

/// Reads a value from its text, without a copy if the format can lend the text.
///
/// `type_name` is the name of `T`. A deserializer is told it, and so knows which type a text was refused by without
/// reading the message of the error.
pub(crate) fn deserialize_from_text<'de, D, T>(type_name: &'static str, deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    struct Text<T>(std::marker::PhantomData<T>);
    impl<'de, T> serde::de::Visitor<'de> for Text<T>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        type Value = T;
        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a text")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
        fn visit_newtype_struct<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
            deserializer.deserialize_str(self)
        }
    }
    deserializer.deserialize_newtype_struct(type_name, Text(std::marker::PhantomData))
}

/// `Serialize` as the `Display` text and `Deserialize` through `FromStr`.
macro_rules! serde_as_text {
    ($name:ident) => {
        impl $name {
            /// The name by which deserializers know this type.
            pub const TYPE_NAME: &'static str = stringify!($name);
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::domain::deserialize_from_text(Self::TYPE_NAME, deserializer)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// The `OpenAPI` schema of a value that is written as text.
macro_rules! text_schema {
    ($name:ident, $example:literal, $max_length:literal, $pattern:literal $(,)?) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .max_length(Some($max_length))
                    .examples([$example])
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use text_schema;
