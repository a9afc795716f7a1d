//! A field of a change that is there, be it `null`.

use serde::Deserialize;

/// `null` and absent are two things in a change: the first clears a value, the second leaves it.
pub(crate) fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
