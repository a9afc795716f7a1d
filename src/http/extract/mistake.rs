//! What serde finds wrong with a path, a query or a body, as an enum: no code is chosen by the words of a message.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::{domain::version::Version, services::Code};

/// The longest part of a sent name or text that a message repeats, in characters.
const SHOWN: usize = 100;

/// What is wrong with one field or parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// A required field was not sent.
    Missing(&'static str),
    /// A field was sent that does not exist; `known` lists those that do.
    Unknown { name: String, known: &'static [&'static str] },
    /// A field was sent more than once.
    Twice(&'static str),
    /// A value was sent that is not allowed.
    Invalid(Invalid),
}

/// A value that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Invalid {
    /// The field, where the deserializer knows it; a body's is known from the path of the error.
    pub(super) field: String,
    /// The type of ours that refused a text: its `TYPE_NAME`.
    pub(super) type_name: Option<&'static str>,
    /// What is wrong.
    pub(super) message: String,
    /// Whether the message repeats the value.
    names_value: bool,
}

impl Invalid {
    /// The code: an invalid version has one of its own, everything else has `other` (contract section 4).
    pub(super) fn code(&self, other: Code) -> Code {
        if self.type_name == Some(Version::TYPE_NAME) { Code::VersionInvalid } else { other }
    }
}

impl Mistake {
    /// A value of the wrong form, with a message that repeats it.
    pub(super) fn invalid(message: impl fmt::Display) -> Self {
        Self::Invalid(Invalid {
            field: String::new(),
            type_name: None,
            message: message.to_string(),
            names_value: true,
        })
    }

    /// The same mistake, made by a text that was read as the type named `type_name`, or as one that is not ours.
    /// Messages of other libraries' types do not always repeat the text.
    pub(super) fn with_text(self, text: &str, type_name: Option<&'static str>) -> Self {
        match self {
            Self::Invalid(Invalid { field, message, names_value, .. }) => {
                let names_text = names_value || type_name.is_some();
                let message = if names_text { message } else { format!("`{}`: {message}", shortened(text)) };
                Self::Invalid(Invalid { field, type_name, message, names_value: true })
            }
            other => other,
        }
    }

    /// The same mistake, in the field of this name.
    pub(super) fn with_field(self, name: &str) -> Self {
        match self {
            Self::Invalid(invalid) => Self::Invalid(Invalid { field: name.to_owned(), ..invalid }),
            other => other,
        }
    }
}

/// The names of a list, for a message.
pub(super) fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn shortened(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

impl fmt::Display for Mistake {
    /// What is wrong with the field, without its name.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(_) => formatter.write_str("missing"),
            Self::Unknown { known: [], .. } => formatter.write_str("unknown; expected no fields; remove it"),
            Self::Unknown { known, .. } => write!(formatter, "unknown; expected one of {}", listed(known)),
            Self::Twice(_) => formatter.write_str("sent more than once; send it once"),
            Self::Invalid(invalid) => formatter.write_str(&invalid.message),
        }
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Invalid(Invalid {
            field: String::new(),
            type_name: None,
            message: message.to_string(),
            names_value: false,
        })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid(format_args!("invalid type: {found}; expected {expected}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid(format_args!("invalid value: {found}; expected {expected}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::invalid(format_args!("`{}` is unknown; expected one of {}", shortened(variant), listed(expected)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Unknown { name: shortened(field), known: expected }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Twice(field)
    }
}
