//! Decimal numbers stored as integers in units of their last place, without floating point.

/// Reads decimal notation such as `12.5` into units of the last of `places` decimals. Further zeros are accepted,
/// because some JSON writers add one.
pub(super) fn read(text: &str, places: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| (1..=18).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > places {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

/// Writes decimal notation without zeros at the end.
pub(super) fn write(units: u64, places: u32) -> String {
    let one = 10_u64.pow(places);
    let width = usize::try_from(places).unwrap_or_default();
    let fraction = format!("{:0width$}", units % one);
    match fraction.trim_end_matches('0') {
        "" => (units / one).to_string(),
        fraction => format!("{}.{fraction}", units / one),
    }
}

/// Defines a type for decimal numbers with a fixed number of places: an integer inside, `Display`, `FromStr`, and a
/// JSON number.
macro_rules! fixed_point {
    ($(#[$meta:meta])* $name:ident($unit:ty), $what:literal, places $places:literal, units $range:expr, expected $expected:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name($unit);

        impl $name {
            /// From units of its last place; `None` if out of range.
            #[must_use]
            pub fn from_units(units: $unit) -> Option<Self> {
                ($range).contains(&units).then_some(Self(units))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(&crate::domain::fixed_point::write(u64::from(self.0), $places))
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::domain::InvalidValue;

            /// Reads decimal notation.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                crate::domain::fixed_point::read(text, $places)
                    .and_then(|units| <$unit>::try_from(units).ok())
                    .and_then(Self::from_units)
                    .ok_or_else(|| crate::domain::InvalidValue::new($what, text, $expected))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::domain::fixed_point::serialize(u64::from(self.0), $places, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::domain::fixed_point::deserialize(deserializer)
            }
        }
    };
}
pub(super) use fixed_point;

/// Writes a JSON number, an integer where possible.
pub(super) fn serialize<S: serde::Serializer>(units: u64, places: u32, serializer: S) -> Result<S::Ok, S::Error> {
    let one = 10_u64.pow(places);
    if units.is_multiple_of(one) {
        return serializer.serialize_u64(units / one);
    }
    // The nearest double reads back as the same decimal, which has far fewer than 15 digits.
    let number: f64 = write(units, places).parse().map_err(serde::ser::Error::custom)?;
    serializer.serialize_f64(number)
}

/// Reads a JSON number.
pub(super) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    // The shortest text that reads back as the same number is the decimal that was sent.
    let number = <serde_json::Number as serde::Deserialize>::deserialize(deserializer)?;
    number.to_string().parse().map_err(serde::de::Error::custom)
}
