//! Rollouts: how a published release reaches installations (contract section 3, rules 5 and 7).

use std::{fmt, str::FromStr};

use aws_lc_rs::digest;
use uuid::Uuid;

use super::{InvalidValue, id::ReleaseId, named_enum};

/// Buckets there are: whole hundredths of a percent.
const BUCKETS: u16 = 10_000;

/// A percentage with at most two decimals, kept in whole hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = f64, minimum = 0, maximum = 100, multiple_of = 0.01, example = 25)]
pub struct Percent(u16);

impl Percent {
    /// Everybody.
    pub const ALL: Self = Self(BUCKETS);

    /// From hundredths of a percent, 0 to 10 000.
    #[must_use]
    pub fn from_hundredths(hundredths: u16) -> Option<Self> {
        (hundredths <= BUCKETS).then_some(Self(hundredths))
    }

    /// In hundredths of a percent.
    #[must_use]
    pub const fn hundredths(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(formatter, "{whole}"),
            (whole, tenths) if tenths % 10 == 0 => write!(formatter, "{whole}.{}", tenths / 10),
            (whole, hundredths) => write!(formatter, "{whole}.{hundredths:02}"),
        }
    }
}

impl FromStr for Percent {
    type Err = InvalidValue;

    /// Reads decimal notation, `12.5`; no floating point touches the number.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidValue::new("percentage", text, "0 to 100 with at most two decimals");
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        // A trailing third zero is what some JSON writers make of `12.50`.
        let fraction = fraction.strip_suffix("0").filter(|rest| rest.len() >= 2).unwrap_or(fraction);
        if !digits(whole) || !digits(fraction) || fraction.len() > 2 {
            return Err(invalid());
        }
        let whole: u16 = whole.parse().map_err(|_| invalid())?;
        let fraction: u16 = format!("{fraction:0<2}").parse().map_err(|_| invalid())?;
        let hundredths = whole.checked_mul(100).and_then(|hundredths| hundredths.checked_add(fraction));
        hundredths.and_then(Self::from_hundredths).ok_or_else(invalid)
    }
}

impl serde::Serialize for Percent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 100 {
            0 => serializer.serialize_u16(self.0 / 100),
            _ => serializer.serialize_f64(f64::from(self.0) / 100.0),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Percent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The shortest text that reads back as the same number is the decimal that was sent.
        let number = serde_json::Number::deserialize(deserializer)?;
        let text = number.to_string();
        text.strip_suffix(".0").unwrap_or(&text).parse().map_err(serde::de::Error::custom)
    }
}

named_enum! {
    /// What a rollout is doing.
    RolloutState, "rollout state" {
        /// Offers are made to those inside the percentage.
        Running = "running",
        /// A person has set it aside for a while.
        Paused = "paused",
        /// It was set aside because updates fail.
        Halted = "halted",
    }
}

/// How far a published release has been opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Who is in.
    pub percent: Percent,
    /// Whether offers are made at all.
    pub state: RolloutState,
    /// Why it was paused, halted or resumed last.
    pub reason: Option<String>,
}

impl Default for Rollout {
    /// Open to everybody.
    fn default() -> Self {
        Self { percent: Percent::ALL, state: RolloutState::Running, reason: None }
    }
}

/// Where a site stands in the queue for a release: 0 is first, 9 999 last. `site` is the subscription, without
/// one the installation; without either the answer is 9 999.
#[must_use]
pub fn bucket(release: ReleaseId, site: Option<Uuid>) -> u16 {
    let Some(site) = site else { return BUCKETS - 1 };
    let mut text = [0_u8; uuid::fmt::Hyphenated::LENGTH * 2];
    let (first, second) = text.split_at_mut(uuid::fmt::Hyphenated::LENGTH);
    release.0.hyphenated().encode_lower(first);
    site.hyphenated().encode_lower(second);
    let hash = digest::digest(&digest::SHA256, &text);
    let number = hash.as_ref().first_chunk().map_or(0, |bytes: &[u8; 8]| u64::from_be_bytes(*bytes));
    u16::try_from(number % u64::from(BUCKETS)).unwrap_or(BUCKETS - 1)
}

impl Percent {
    /// Whether the site is in. Without hashing where everybody or nobody is.
    #[must_use]
    pub fn admits(self, release: ReleaseId, site: Option<Uuid>) -> bool {
        match self.0 {
            0 => false,
            BUCKETS => true,
            hundredths => bucket(release, site) < hundredths,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_vectors_of_the_contract() {
        let release =
            |last: u8| ReleaseId(Uuid::from_u128(0x0199_a0de_0000_7000_8000_0000_0000_0000 + u128::from(last)));
        let site = |last: u8| Some(Uuid::from_u128(0x0199_a0de_0000_7000_8000_0000_0000_0000 + u128::from(last)));
        assert_eq!(bucket(release(1), site(0xa1)), 2682);
        assert_eq!(bucket(release(1), site(0xa2)), 5366);
        assert_eq!(bucket(release(2), site(0xa1)), 3390);
        assert_eq!(bucket(release(1), None), 9999);
    }

    /// Computed apart from this program, by Python's `hashlib`:
    /// `int.from_bytes(sha256((release + site).encode()).digest()[:8], "big") % 10000`.
    #[test]
    fn buckets_are_what_another_program_computes() {
        let table = [
            ("0199a0de-0000-7000-8000-000000000003", "0199a0de-0000-7000-8000-0000000000a1", 6842),
            ("0199a0de-0000-7000-8000-000000000002", "0199a0de-0000-7000-8000-0000000000a2", 4742),
            ("0199a0de-0000-7000-8000-0000000009cd", "0199a0de-0000-7000-8000-0000000000a1", 0),
            ("0199a0de-0000-7000-8000-0000000002a3", "0199a0de-0000-7000-8000-0000000000a1", 9999),
            ("018f3c5e-9b1a-7cde-8f01-23456789abcd", "ffffffff-ffff-4fff-bfff-ffffffffffff", 981),
            ("0190F0F0-AAAA-7BBB-8CCC-DDDDDDDDDDDD", "3F2504E0-4F89-41D3-9A0C-0305E82C3301", 9880),
            ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000", 6197),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff", 8441),
        ];
        for (release, site, expected) in table {
            let site = Uuid::parse_str(site).expect("a UUID");
            assert_eq!(bucket(release.parse().expect("a UUID"), Some(site)), expected, "{release} {site}");
        }
    }

    #[test]
    fn percentages_are_exact_to_two_decimals_and_no_more() {
        let read = |text: &str| serde_json::from_str::<Percent>(text).map(Percent::hundredths);
        for (text, hundredths) in
            [("0", 0), ("100", 10_000), ("100.0", 10_000), ("0.01", 1), ("12.5", 1250), ("99.99", 9999), ("0.29", 29)]
        {
            assert_eq!(read(text).ok(), Some(hundredths), "{text}");
        }
        for wrong in ["100.01", "-1", "0.001", "1e2000", "\"5\"", "101", "33.333", "700", "999", "655.36"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&Percent(1250)).expect("json"), "12.5");
        assert_eq!(serde_json::to_string(&Percent(10_000)).expect("json"), "100");
        assert_eq!(Percent(5).to_string(), "0.05");
    }
}
