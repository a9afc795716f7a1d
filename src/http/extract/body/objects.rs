//! JSON as bodies are read from it. Objects are read from objects: serde would also take an array for a struct, its
//! fields in their order, and what is missing at the end by its default. `[]` would then publish a release to
//! everybody.
//!
//! `serde_json` keeps only the text of what a type refuses. The deserializer here keeps the [`Mistake`]: it is put
//! aside in [`Aside`] while `serde_json` passes an error of its own on, and is taken up again after it.

use std::{cell::Cell, fmt};

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::super::mistake::Mistake;

/// What went wrong: a value was refused, or the format could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble<E: de::Error> {
    /// A type refused a value.
    #[error("{0}")]
    Refused(Mistake),
    /// The deserializer found something else than it was asked for.
    #[error("{0}")]
    Unread(E),
}

impl<E: de::Error> de::Error for Trouble<E> {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Refused(Mistake::custom(message))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Refused(Mistake::invalid_type(found, expected))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Refused(Mistake::invalid_value(found, expected))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::Refused(Mistake::unknown_variant(variant, expected))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Refused(Mistake::missing_field(field))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Refused(Mistake::unknown_field(field, expected))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Refused(Mistake::duplicate_field(field))
    }
}

/// Where a mistake is while the deserializer's own error passes.
#[derive(Default)]
pub(super) struct Aside(Cell<Option<Mistake>>);

impl Aside {
    fn put<E: de::Error>(&self, trouble: Trouble<E>) -> E {
        match trouble {
            Trouble::Refused(mistake) => {
                let error = E::custom(&mistake);
                self.0.set(Some(mistake));
                error
            }
            Trouble::Unread(error) => error,
        }
    }

    fn take<E: de::Error>(&self, error: E) -> Trouble<E> {
        self.0.take().map_or(Trouble::Unread(error), Trouble::Refused)
    }
}

/// A deserializer, or the seed of a value within it, that takes no array for a struct and keeps mistakes.
pub(super) struct Objects<'a, D> {
    inner: D,
    aside: &'a Aside,
    /// The type that a text is read as, where it is one of ours.
    type_name: Option<&'static str>,
}

impl<'a, D> Objects<'a, D> {
    /// Reads from `inner`.
    pub(super) const fn new(inner: D, aside: &'a Aside) -> Self {
        Self { inner, aside, type_name: None }
    }

    const fn within<V>(&self, visitor: V, is_struct: bool) -> Within<'a, V> {
        Within { visitor, is_struct, aside: self.aside, type_name: self.type_name }
    }
}

macro_rules! hand_on {
    ($($method:ident),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            let within = self.within(visitor, false);
            self.inner.$method(within).map_err(|error| self.aside.take(error))
        }
    )+};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<'_, D> {
    type Error = Trouble<D::Error>;

    hand_on! {
        deserialize_any, deserialize_bool, deserialize_i8, deserialize_i16, deserialize_i32, deserialize_i64,
        deserialize_i128, deserialize_u8, deserialize_u16, deserialize_u32, deserialize_u64, deserialize_u128,
        deserialize_f32, deserialize_f64, deserialize_char, deserialize_str, deserialize_string, deserialize_bytes,
        deserialize_byte_buf, deserialize_option, deserialize_unit, deserialize_seq, deserialize_map,
        deserialize_identifier, deserialize_ignored_any,
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let within = self.within(visitor, true);
        self.inner.deserialize_struct(name, fields, within).map_err(|error| self.aside.take(error))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Self::Error> {
        let within = self.within(visitor, false);
        self.inner.deserialize_unit_struct(name, within).map_err(|error| self.aside.take(error))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let within = Within { type_name: Some(name), ..self.within(visitor, false) };
        self.inner.deserialize_newtype_struct(name, within).map_err(|error| self.aside.take(error))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Self::Error> {
        let within = self.within(visitor, false);
        self.inner.deserialize_tuple(length, within).map_err(|error| self.aside.take(error))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let within = self.within(visitor, false);
        self.inner.deserialize_tuple_struct(name, length, within).map_err(|error| self.aside.take(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let within = self.within(visitor, false);
        self.inner.deserialize_enum(name, variants, within).map_err(|error| self.aside.take(error))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let Self { inner, aside, .. } = self;
        inner.deserialize(Objects::new(deserializer, aside)).map_err(|trouble| aside.put(trouble))
    }
}

/// What is visited, and whether it is a struct.
struct Within<'a, V> {
    visitor: V,
    is_struct: bool,
    aside: &'a Aside,
    type_name: Option<&'static str>,
}

/// Puts a mistake aside that was made by a text.
fn put_with_text<E: de::Error>(aside: &Aside, trouble: Trouble<E>, text: &str, type_name: Option<&'static str>) -> E {
    aside.put(match trouble {
        Trouble::Refused(mistake) => Trouble::Refused(mistake.with_text(text, type_name)),
        unread @ Trouble::Unread(_) => unread,
    })
}

macro_rules! hand_on_values {
    ($($method:ident: $value:ty),+ $(,)?) => {$(
        fn $method<E: de::Error>(self, value: $value) -> Result<V::Value, E> {
            self.visitor.$method(value).map_err(|trouble| self.aside.put(trouble))
        }
    )+};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Within<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    hand_on_values! {
        visit_bool: bool, visit_i8: i8, visit_i16: i16, visit_i32: i32, visit_i64: i64, visit_i128: i128, visit_u8: u8,
        visit_u16: u16, visit_u32: u32, visit_u64: u64, visit_u128: u128, visit_f32: f32, visit_f64: f64,
        visit_char: char, visit_bytes: &[u8], visit_borrowed_bytes: &'de [u8], visit_byte_buf: Vec<u8>,
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<V::Value, E> {
        self.visitor.visit_str(text).map_err(|trouble| put_with_text(self.aside, trouble, text, self.type_name))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<V::Value, E> {
        self.visitor
            .visit_borrowed_str(text)
            .map_err(|trouble| put_with_text(self.aside, trouble, text, self.type_name))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<V::Value, E> {
        self.visit_str(&text)
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none().map_err(|trouble| self.aside.put(trouble))
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit().map_err(|trouble| self.aside.put(trouble))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let inner = Objects::new(deserializer, self.aside);
        self.visitor.visit_some(inner).map_err(|trouble| self.aside.put(trouble))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let inner = Objects { type_name: self.type_name, ..Objects::new(deserializer, self.aside) };
        self.visitor.visit_newtype_struct(inner).map_err(|trouble| self.aside.put(trouble))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        let visited = match self.is_struct {
            true => Err(Trouble::invalid_type(Unexpected::Seq, &"an object")),
            false => self.visitor.visit_seq(Parts { parts: items, aside: self.aside }),
        };
        visited.map_err(|trouble| self.aside.put(trouble))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        let parts = Parts { parts: members, aside: self.aside };
        self.visitor.visit_map(parts).map_err(|trouble| self.aside.put(trouble))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(variant)
    }
}

/// The items of an array, or the members of an object.
struct Parts<'a, A> {
    parts: A,
    aside: &'a Aside,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Parts<'_, A> {
    type Error = Trouble<A::Error>;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Self::Error> {
        self.parts.next_element_seed(Objects::new(seed, self.aside)).map_err(|error| self.aside.take(error))
    }

    fn size_hint(&self) -> Option<usize> {
        self.parts.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Parts<'_, A> {
    type Error = Trouble<A::Error>;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Self::Error> {
        self.parts.next_key_seed(Objects::new(seed, self.aside)).map_err(|error| self.aside.take(error))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Self::Error> {
        self.parts.next_value_seed(Objects::new(seed, self.aside)).map_err(|error| self.aside.take(error))
    }

    fn size_hint(&self) -> Option<usize> {
        self.parts.size_hint()
    }
}
