//! Time zones by their IANA names.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{InvalidValue, serde_as_text, text_schema};

/// An IANA time zone such as `Europe/Rome`, with its rules.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rules of the zone.
    #[must_use]
    pub const fn rules(&self) -> &TimeZone {
        &self.rules
    }

    /// The date in this zone at `instant`.
    #[must_use]
    pub fn date_at(&self, instant: Timestamp) -> Date {
        self.rules.to_datetime(instant).date()
    }
}

/// The date in UTC, for counts that do not belong to a place.
#[must_use]
pub fn utc_day(instant: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(instant).date()
}

impl fmt::Debug for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Zone").field(&self.name).finish()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.name)
    }
}

impl FromStr for Zone {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The rules are embedded in the binary, so that all replicas use the same calendar.
        match TimeZone::get(text) {
            Ok(rules) => Ok(Self { name: rules.iana_name().unwrap_or(text).to_owned(), rules }),
            Err(_) => Err(InvalidValue::new("time zone", text, "an IANA name such as `Europe/Rome`")),
        }
    }
}

serde_as_text!(Zone);
text_schema!(Zone, "Europe/Rome", 64, r"^[A-Za-z0-9_+/-]+$");
