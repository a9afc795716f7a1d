//! Versions and requirements on versions (contract section 3: compared by precedence everywhere).

use std::{cmp::Ordering, fmt, hash, str::FromStr, sync::Arc};

use semver::{BuildMetadata, Comparator, Op, Prerelease};

use super::{InvalidValue, serde_as_text, text_schema};

/// The longest version in bytes. The longest known ones are below 60, and versions are part of tables and URLs.
const MAX_LENGTH: usize = 128;

/// A `SemVer` 2.0.0 version. Equality and order are by precedence; build metadata is only kept for display.
#[derive(Clone, Debug)]
pub struct Version {
    parsed: semver::Version,
    /// Stored as text, because versions are written into answers, messages and logs far more often than read.
    written: Arc<str>,
}

impl Version {
    /// The name by which deserializers know this type.
    pub const TYPE_NAME: &'static str = "Version";

    /// `major.minor.patch` without pre-release or build metadata.
    #[must_use]
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self::of(semver::Version::new(major, minor, patch))
    }

    fn of(parsed: semver::Version) -> Self {
        Self { written: parsed.to_string().into(), parsed }
    }

    /// The version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The text without build metadata, which is the same for versions of equal precedence. Used for uniqueness.
    #[must_use]
    pub fn precedence_key(&self) -> String {
        semver::Version { build: BuildMetadata::EMPTY, ..self.parsed.clone() }.to_string()
    }

    /// Whether both have the same `major.minor`.
    #[must_use]
    pub fn same_minor(&self, other: &Self) -> bool {
        (self.parsed.major, self.parsed.minor) == (other.parsed.major, other.parsed.minor)
    }

    /// The lowest version by precedence.
    fn lowest() -> Self {
        Self::new(0, 0, 0).first_prerelease()
    }

    /// The lowest version above this one: `1.0.0-rc.0` after `1.0.0-rc`, `1.0.1-0` after `1.0.0`.
    fn next(&self) -> Option<Self> {
        let semver::Version { major, minor, patch, pre, .. } = &self.parsed;
        if pre.is_empty() {
            return next_patch(*major, *minor, *patch).map(|next| next.first_prerelease());
        }
        let pre = Prerelease::new(&format!("{pre}.0")).ok()?;
        Some(Self::of(semver::Version { pre, build: BuildMetadata::EMPTY, ..self.parsed.clone() }))
    }

    /// The lowest pre-release of this version.
    fn first_prerelease(&self) -> Self {
        let pre = Prerelease::new("0").unwrap_or_default();
        Self::of(semver::Version { pre, build: BuildMetadata::EMPTY, ..self.parsed.clone() })
    }

    /// Whether this is a pre-release of `bound`.
    fn is_prerelease_of(&self, bound: &Self) -> bool {
        !self.parsed.pre.is_empty()
            && (self.parsed.major, self.parsed.minor, self.parsed.patch)
                == (bound.parsed.major, bound.parsed.minor, bound.parsed.patch)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parsed.cmp_precedence(&other.parsed)
    }
}

impl hash::Hash for Version {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        (self.parsed.major, self.parsed.minor, self.parsed.patch, &self.parsed.pre).hash(state);
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.written)
    }
}

impl FromStr for Version {
    type Err = InvalidValue;

    /// Reads `SemVer` 2.0.0; `12.4` is read as `12.4.0`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidValue::new("version", text, "SemVer 2.0.0 such as `12.4.0` or `12.4.0-beta.1`");
        if text.len() > MAX_LENGTH {
            return Err(invalid());
        }
        let two_numbers = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && text.bytes().filter(|&byte| byte == b'.').count() == 1;
        if two_numbers {
            return semver::Version::parse(&format!("{text}.0")).map(Self::of).map_err(|_| invalid());
        }
        // SemVer allows one spelling only.
        let parsed = semver::Version::parse(text).map_err(|_| invalid())?;
        Ok(Self { parsed, written: text.into() })
    }
}

impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de> serde::Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::deserialize_from_text(Self::TYPE_NAME, deserializer)
    }
}

text_schema!(
    Version,
    "12.4.0",
    128,
    r"^(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})(\.(0|[1-9]\d{0,17})(-(0|[1-9]\d{0,17}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d{0,17}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?)?$"
);

/// A requirement on versions in Cargo's syntax, applied by precedence (contract section 3). Unlike Cargo's, it matches
/// pre-releases like any version, except that an upper bound `<X` excludes X's own pre-releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    written: semver::VersionReq,
    ranges: Vec<Range>,
}

/// The range of one comparator, from `lower` to `upper`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    lower: Option<Bound>,
    upper: Option<Bound>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Bound {
    version: Version,
    inclusive: bool,
}

impl Requirement {
    /// Whether `version` satisfies all parts of the requirement.
    #[must_use]
    pub fn matches(&self, version: &Version) -> bool {
        self.ranges.iter().all(|range| range.contains(version))
    }

    /// Whether no version satisfies it. Each part is a range; if any version satisfies all of them, the lowest one
    /// above all lower bounds does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let lower_bounds = self.ranges.iter().filter_map(|range| range.lower.as_ref());
        let lowest: Option<Vec<Version>> = lower_bounds
            .map(|bound| if bound.inclusive { Some(bound.version.clone()) } else { bound.version.next() })
            .collect();
        // There is no version above the highest one.
        lowest.is_none_or(|lowest| !self.matches(&lowest.into_iter().max().unwrap_or_else(Version::lowest)))
    }
}

impl Range {
    fn contains(&self, version: &Version) -> bool {
        let above = self.lower.as_ref().is_none_or(|bound| match version.cmp(&bound.version) {
            Ordering::Greater => true,
            Ordering::Equal => bound.inclusive,
            Ordering::Less => false,
        });
        let below = self.upper.as_ref().is_none_or(|bound| match version.cmp(&bound.version) {
            Ordering::Less => {
                bound.inclusive || !bound.version.parsed.pre.is_empty() || !version.is_prerelease_of(&bound.version)
            }
            Ordering::Equal => bound.inclusive,
            Ordering::Greater => false,
        });
        above && below
    }

    fn of(comparator: &Comparator) -> Self {
        let Comparator { op, major, minor, patch, pre } = comparator;
        let written = Version::of(semver::Version {
            major: *major,
            minor: minor.unwrap_or(0),
            patch: patch.unwrap_or(0),
            pre: if patch.is_some() { pre.clone() } else { Prerelease::EMPTY },
            build: BuildMetadata::EMPTY,
        });
        let from = |version: Version| Some(Bound { version, inclusive: true });
        let until = |version: Option<Version>| version.map(|version| Bound { version, inclusive: false });
        let partial = patch.is_none();
        // The first version after those that a partial version stands for: 13.0.0 after `12`, 12.5.0 after `12.4`.
        let after_partial = || minor.map_or_else(|| next_major(*major), |minor| next_minor(*major, minor));
        match op {
            Op::Exact | Op::Wildcard if partial => Self { lower: from(written), upper: until(after_partial()) },
            Op::Greater if partial => match after_partial() {
                Some(next) => Self { lower: from(next), upper: None },
                None => Self { lower: None, upper: until(Some(Version::new(0, 0, 0))) },
            },
            Op::LessEq if partial => Self { lower: None, upper: until(after_partial()) },
            Op::Greater => Self { lower: Some(Bound { version: written, inclusive: false }), upper: None },
            Op::GreaterEq => Self { lower: from(written), upper: None },
            Op::Less => Self { lower: None, upper: until(Some(written)) },
            Op::LessEq => Self { lower: None, upper: from(written) },
            Op::Tilde => Self { lower: from(written), upper: until(after_partial()) },
            Op::Caret => {
                let upper = match (*major, *minor, *patch) {
                    (0, Some(0), Some(patch)) => next_patch(0, 0, patch),
                    (0, Some(minor), _) => next_minor(0, minor),
                    (major, ..) => next_major(major),
                };
                Self { lower: from(written), upper: until(upper) }
            }
            // `=1.2.3`. Operators that `semver` may add later are read as exact, the narrowest.
            _ => Self { lower: from(written.clone()), upper: from(written) },
        }
    }
}

fn next_major(major: u64) -> Option<Version> {
    major.checked_add(1).map(|next| Version::new(next, 0, 0))
}

fn next_minor(major: u64, minor: u64) -> Option<Version> {
    minor.checked_add(1).map_or_else(|| next_major(major), |next| Some(Version::new(major, next, 0)))
}

fn next_patch(major: u64, minor: u64, patch: u64) -> Option<Version> {
    patch.checked_add(1).map_or_else(|| next_minor(major, minor), |next| Some(Version::new(major, minor, next)))
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(formatter)
    }
}

impl FromStr for Requirement {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid =
            || InvalidValue::new("version requirement", text, "Cargo's syntax such as `>=12.0, <13` or `~12.4`");
        if text.len() > MAX_LENGTH {
            return Err(invalid());
        }
        let written = semver::VersionReq::parse(text).map_err(|_| invalid())?;
        // Rewritten with an operator before each part, because the stored text must be readable again.
        if written.to_string().len() > MAX_LENGTH {
            return Err(invalid());
        }
        let ranges = written.comparators.iter().map(Range::of).collect();
        Ok(Self { written, ranges })
    }
}

serde_as_text!(Requirement);
text_schema!(
    Requirement,
    ">=12.0, <13",
    128,
    r"^(\*|(\^|~|=|>=|>|<=|<)? ?(0|[1-9]\d{0,17})(\.(0|[1-9]\d{0,17})){0,2}(, ?(\^|~|=|>=|>|<=|<)? ?(0|[1-9]\d{0,17})(\.(0|[1-9]\d{0,17})){0,2}){0,3})$"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect("a version")
    }

    #[test]
    fn two_numbers_get_a_zero_patch_and_nothing_else_is_guessed() {
        assert_eq!(version("12.4"), version("12.4.0"));
        for wrong in [
            "",
            "12",
            "v1.2.3",
            "1.2.3.4",
            "01.2.3",
            "1.02",
            "1.2-beta",
            "1.2+x",
            " 1.2.3",
            "1.2.",
            ".1",
            "99999999999999999999.0.0",
        ] {
            assert!(wrong.parse::<Version>().is_err(), "{wrong} was read as a version");
        }
    }

    #[test]
    fn build_metadata_makes_no_difference() {
        assert_eq!(version("1.2.3+a"), version("1.2.3+b"));
        assert_eq!(version("1.2.3+a").precedence_key(), "1.2.3");
        assert!(version("1.2.3-rc.2") < version("1.2.3-rc.10"));
    }

    #[test]
    fn a_requirement_that_is_written_is_read_back_the_same() {
        let long = "100.100000000000000000.100000000000000000";
        for text in ["12", "12.4,13", "0, 1.2.3", &format!("0,{long},{long}"), &format!("0,{long},{long},{long}")] {
            let Ok(requirement) = text.parse::<Requirement>() else { continue };
            assert_eq!(requirement.to_string().parse(), Ok(requirement), "{text}");
        }
        assert!(format!("0,{long},{long}").parse::<Requirement>().is_ok());
    }

    #[test]
    fn a_requirement_is_empty_when_its_parts_have_nothing_in_common() {
        for empty in [
            ">=13, <12",
            "<0.0.0",
            "<0.0.0-0",
            ">1.0.0-a, <1.0.0-a.0",
            ">12.4.0, <12.4.1",
            "=12.4.0, >12.4.0",
            ">12, <13",
            "^12, ^13",
            "~12.4, >=12.5",
            ">18446744073709551615",
            "=1.0.0-rc.1, =1.0.0",
            ">18446744073709551615.18446744073709551615.18446744073709551615",
        ] {
            assert!(empty.parse::<Requirement>().expect("a requirement").is_empty(), "{empty}");
        }
        for full in [
            "*",
            "<0.0.0-1",
            "<0.0.1",
            ">=12, <13",
            ">12.4.0, <12.4.1-rc",
            ">1.0.0-a, <1.0.0-a.1",
            ">=12.4.0, <=12.4.0",
            "^18446744073709551615",
            ">=18446744073709551615.18446744073709551615.18446744073709551615",
        ] {
            assert!(!full.parse::<Requirement>().expect("a requirement").is_empty(), "{full}");
        }
    }

    #[test]
    fn requirements_are_judged_by_precedence() {
        let table: &[(&str, &[&str], &[&str])] = &[
            (
                "^12.3",
                &["12.3.0", "12.3.0+b", "12.9.1", "12.4.0-beta.1"],
                &["12.3.0-rc.1", "13.0.0-alpha", "13.0.0", "12.2.9"],
            ),
            (">=12.0, <13", &["12.0.0", "12.5.0-rc.1"], &["13.0.0-rc.1", "13.0.0", "12.0.0-rc.1"]),
            ("<13.0.0-beta.2", &["13.0.0-beta.1", "13.0.0-alpha"], &["13.0.0-beta.2", "13.0.0"]),
            ("<=12.4", &["12.4.9", "12.4.0-rc.1", "1.0.0"], &["12.5.0-rc.1", "12.5.0"]),
            ("<=12.4.0", &["12.4.0-rc.1", "12.4.0"], &["12.4.1-rc.1"]),
            ("=12.4", &["12.4.0", "12.4.9-rc.1"], &["12.5.0-rc.1", "12.4.0-rc.1"]),
            ("=12.4.1-rc.1", &["12.4.1-rc.1"], &["12.4.1", "12.4.1-rc.2"]),
            ("12.*", &["12.0.0", "12.99.0-rc.1"], &["13.0.0-rc.1", "12.0.0-rc.1"]),
            ("*", &["0.0.0-a", "1.0.0", "99.0.0-rc.1"], &[]),
            (">12", &["13.0.0"], &["12.9.9", "13.0.0-rc.1"]),
            (">12.4.1", &["12.4.2-rc.1", "12.4.2"], &["12.4.1", "12.4.1-rc.1"]),
            ("~12.4.2", &["12.4.2", "12.4.3-rc.1"], &["12.5.0-rc.1", "12.4.1"]),
            ("^0.3.1", &["0.3.9"], &["0.4.0-rc.1", "0.4.0"]),
            ("^0.0.3", &["0.0.3"], &["0.0.4-rc.1", "0.0.4"]),
            ("^18446744073709551615", &["18446744073709551615.1.0"], &["1.0.0"]),
        ];
        for (requirement, inside, outside) in table {
            let parsed: Requirement = requirement.parse().expect("a requirement");
            for text in *inside {
                assert!(parsed.matches(&version(text)), "{requirement} leaves out {text}");
            }
            for text in *outside {
                assert!(!parsed.matches(&version(text)), "{requirement} lets in {text}");
            }
        }
    }
}
