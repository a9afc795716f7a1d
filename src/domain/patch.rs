//! What a `PATCH` does to one field.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a `PATCH` does to one field: a field that is absent keeps its value, a field that is present sets it.
///
/// `T` is the field's own type, so only a field whose type is an `Option` can be cleared, by `null`. For any other
/// field `null` is invalid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field is absent and keeps its value.
    #[default]
    Keep,
    /// The field is present and sets a value.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the value is kept.
    #[must_use]
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Whether the value is set.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        !self.is_keep()
    }

    /// The new value, if there is one.
    #[must_use]
    pub fn value(self) -> Option<T> {
        match self {
            Self::Keep => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The new value, if there is one.
    #[must_use]
    pub const fn as_value(&self) -> Option<&T> {
        match self {
            Self::Keep => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The new value, or else the current one.
    #[must_use]
    pub fn or(self, current: T) -> T {
        self.value().unwrap_or(current)
    }

    /// Gives a field its new value, if there is one.
    pub fn apply(self, field: &mut T) {
        if let Self::Set(value) = self {
            *field = value;
        }
    }
}

impl<T> From<Option<T>> for Patch<T> {
    /// Sets the value that there is, or keeps the field's.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::Set)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Set)
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    /// A field that is kept should be skipped; where it is not, it becomes `null`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_value().serialize(serializer)
    }
}

/// The body of a `PATCH`: a struct all of whose fields are [`Patch`]es. The API describes each field as optional, with
/// the type inside the `Patch`.
macro_rules! patch_body {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* pub $field:ident: Patch<$value:ty>),+ $(,)?
        }
    ) => {
        #[derive(Clone, Default, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        $(#[$meta])*
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(default, skip_serializing_if = "crate::domain::patch::Patch::is_keep")]
                #[schema(value_type = $value)]
                pub $field: crate::domain::patch::Patch<$value>
            ),+
        }
    };
}
pub(crate) use patch_body;

#[cfg(test)]
mod tests {
    use super::*;

    patch_body! {
        /// A body with a field that must have a value, and one that need not.
        #[derive(Debug, PartialEq, Eq, Serialize)]
        pub struct Body {
            /// Must have a value.
            pub name: Patch<String>,
            /// May have none.
            pub link: Patch<Option<String>>,
        }
    }

    #[test]
    fn absent_keeps_null_clears_and_a_value_sets() {
        for (text, name, link) in [
            ("{}", Patch::Keep, Patch::Keep),
            (r#"{"name":"a"}"#, Patch::Set("a".to_owned()), Patch::Keep),
            (r#"{"link":null}"#, Patch::Keep, Patch::Set(None)),
            (r#"{"link":"b"}"#, Patch::Keep, Patch::Set(Some("b".to_owned()))),
        ] {
            let body: Body = serde_json::from_str(text).expect(text);
            assert_eq!(body, Body { name, link });
            assert_eq!(serde_json::to_string(&body).expect(text), text, "what is stored reads back as it was");
        }
    }

    #[test]
    fn what_must_have_a_value_is_not_cleared() {
        for text in [r#"{"name":null}"#, r#"{"name":1}"#, r#"{"colour":1}"#] {
            assert!(serde_json::from_str::<Body>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_patch_changes_a_field_only_where_it_sets_one() {
        let mut link = Some("a");
        Patch::Keep.apply(&mut link);
        assert_eq!(link, Some("a"));
        Patch::Set(None).apply(&mut link);
        assert_eq!(link, None);
        assert_eq!((Patch::Keep.or(1), Patch::Set(2).or(1)), (1, 2));
    }

    #[test]
    fn the_api_describes_a_field_as_the_type_inside() {
        use utoipa::PartialSchema as _;
        let schema = serde_json::to_value(Body::schema()).expect("a schema");
        assert_eq!(schema["required"], serde_json::Value::Null);
        assert_eq!(schema["properties"]["name"]["type"], "string");
        assert_eq!(schema["properties"]["link"]["type"], serde_json::json!(["string", "null"]));
    }
}
