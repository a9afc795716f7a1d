//! Named texts, as a path and a query have them, read into a struct.

use std::borrow::Cow;

use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer as _, MapAccess, Visitor};

use super::mistake::Mistake;
use crate::domain::InvalidValue;

/// A name and its text.
type Named<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Reads named texts into a struct.
pub(super) fn read<'a, T: DeserializeOwned>(texts: impl Iterator<Item = Named<'a>>) -> Result<T, Mistake> {
    T::deserialize(Texts { texts, text: None })
}

struct Texts<'a, I> {
    texts: I,
    /// The text whose name was read last.
    text: Option<Named<'a>>,
}

impl<'a, 'de, I: Iterator<Item = Named<'a>>> de::Deserializer<'de> for Texts<'a, I> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_map(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'a, 'de, I: Iterator<Item = Named<'a>>> MapAccess<'de> for Texts<'a, I> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        self.text = self.texts.next();
        match &self.text {
            Some((name, _)) => seed.deserialize(name.as_ref().into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let (name, text) = self.text.take().unwrap_or_default();
        seed.deserialize(Value { text: &text, type_name: None }).map_err(|mistake| mistake.with_field(&name))
    }
}

/// One value: a text, which numbers and truth values are read from.
struct Value<'a> {
    text: &'a str,
    /// The type that the text is read as, where it is one of ours.
    type_name: Option<&'static str>,
}

macro_rules! numbers {
    ($($method:ident => $visit:ident),+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            match self.text.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(Mistake::invalid(InvalidValue::new("number", self.text, "a whole number in range"))),
            }
        }
    )+};
}

impl<'de> de::Deserializer<'de> for Value<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_str(self.text).map_err(|mistake: Mistake| mistake.with_text(self.text, self.type_name))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(Self { type_name: Some(name), ..self })
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.text {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            other => Err(Mistake::invalid(InvalidValue::new("truth value", other, "`true` or `false`"))),
        }
    }

    numbers! {
        deserialize_u16 => visit_u16, deserialize_u32 => visit_u32, deserialize_i64 => visit_i64,
        deserialize_u64 => visit_u64
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
