//! Rate limits: `600/m`.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

use super::{InvalidValue, serde_as_text};

/// A number of events per second, minute or hour. All may come at once; the allowance refills evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    Unlimited,
    Limited(NonZeroU32, Period),
}

/// The period of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    Second,
    Minute,
    Hour,
}

impl Period {
    /// Its length.
    #[must_use]
    pub const fn length(self) -> Duration {
        match self {
            Self::Second => Duration::from_secs(1),
            Self::Minute => Duration::from_mins(1),
            Self::Hour => Duration::from_hours(1),
        }
    }
}

impl FromStr for Frequency {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = || {
            InvalidValue::new(
                "frequency",
                text,
                "a number of times in a second, minute or hour such as `600/m`, or `off`",
            )
        };
        if matches!(text, "0" | "off") {
            return Ok(Self::Unlimited);
        }
        let (times, period) = text.split_once('/').ok_or_else(invalid)?;
        let period = match period.trim() {
            "s" => Period::Second,
            "m" => Period::Minute,
            "h" => Period::Hour,
            _ => return Err(invalid()),
        };
        Ok(match NonZeroU32::new(times.trim().parse().map_err(|_| invalid())?) {
            Some(times) => Self::Limited(times, period),
            None => Self::Unlimited,
        })
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Limited(times, period) = self else { return formatter.write_str("off") };
        let period = match period {
            Period::Second => 's',
            Period::Minute => 'm',
            Period::Hour => 'h',
        };
        write!(formatter, "{times}/{period}")
    }
}

serde_as_text!(Frequency);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frequency_is_read_as_it_is_written() {
        for (text, written) in
            [("600/m", "600/m"), ("2 / s", "2/s"), ("9/h", "9/h"), ("off", "off"), ("0", "off"), ("0/m", "off")]
        {
            assert_eq!(text.parse::<Frequency>().expect(text).to_string(), written);
        }
        for wrong in ["", "600", "/m", "600/", "-1/m", "1.5/s", "600/d", "99999999999/s"] {
            assert!(wrong.parse::<Frequency>().is_err(), "{wrong}");
        }
    }
}
