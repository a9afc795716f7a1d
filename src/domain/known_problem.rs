//! Known problems: failures that support has an answer to.

use std::{cmp::Reverse, collections::BTreeMap, fmt, str::FromStr};

use jiff::Timestamp;

use super::{
    InvalidValue,
    id::{KnownProblemId, ProductId},
    link::Link,
    locale::LanguageTag,
    named_enum,
    platform::Platform,
    run::{Failure, FailureClass},
    serde_as_text, text_schema,
    version::{Requirement, Version},
};

/// A pattern for error codes of updaters: `disk_full`, `vendor_*`, `enospc|*no_space*`. `*` matches any text, `|` means
/// or, and case does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern matches this code.
    #[must_use]
    pub fn matches(&self, code: &str) -> bool {
        is_one_of(&self.0, code)
    }
}

fn is_one_of(pattern: &str, code: &str) -> bool {
    let code = code.to_lowercase();
    pattern.split('|').any(|one| fits(&one.to_lowercase(), &code))
}

/// Whether a text matches a pattern with `*`. Each piece is searched from the end of the previous match; the first
/// match is as good as any later one.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, others)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let (middle, last) = others.rsplit_once('*').unwrap_or(("", others));
    for piece in middle.split('*') {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl FromStr for Pattern {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let usable =
            text.len() <= 200 && !text.chars().any(char::is_control) && text.split('|').all(|one| !one.is_empty());
        let expected = "at most 200 bytes such as `disk_full`, `vendor_*` or `enospc|*no_space*`";
        usable.then(|| Self(text.to_owned())).ok_or_else(|| InvalidValue::new("pattern of codes", text, expected))
    }
}

serde_as_text!(Pattern);
text_schema!(Pattern, "antivirus_*", 200, r"^[^\u0000-\u001f\u007f-\u009f|]+(\|[^\u0000-\u001f\u007f-\u009f|]+)*$");

/// The conditions of a rule. `None` matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Conditions {
    pub failure_class: Option<FailureClass>,
    pub code: Option<Pattern>,
    pub platform: Option<Platform>,
    /// The versions that the update leads to.
    pub versions: Option<Requirement>,
}

impl Conditions {
    /// The number of conditions.
    #[must_use]
    pub fn count(&self) -> usize {
        let Self { failure_class, code, platform, versions } = self;
        [failure_class.is_some(), code.is_some(), platform.is_some(), versions.is_some()]
            .iter()
            .filter(|one| **one)
            .count()
    }

    /// Whether the failure of an update to this version matches, apart from the platform.
    #[must_use]
    fn fit(&self, failure: &Failure, to: &Version) -> bool {
        self.failure_class.is_none_or(|class| class == failure.class)
            && self.code.as_ref().is_none_or(|code| code.matches(&failure.code))
            && self.versions.as_ref().is_none_or(|versions| versions.matches(to))
    }
}

/// A vendor's rule for a known problem.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KnownProblem {
    pub id: KnownProblemId,
    pub product: ProductId,
    pub conditions: Conditions,
    /// Instructions for the user, by language.
    pub texts: BTreeMap<LanguageTag, String>,
    /// A page with more information.
    pub link: Option<Link>,
    pub created_at: Timestamp,
    /// Counts changes, for `If-Match`.
    pub revision: i64,
}

named_enum! {
    /// A known problem that is built in.
    DefaultProblem, "default" {
        /// A virus scanner blocks the updater.
        Antivirus = "antivirus",
        /// A firewall or a proxy blocks the connection.
        Firewall = "firewall",
        /// The disk is full.
        Disk = "disk",
        /// The updater lacks write permissions.
        Rights = "rights",
    }
}

impl DefaultProblem {
    /// The only class of failures that matches, if there is just one.
    #[must_use]
    pub const fn failure_class(self) -> Option<FailureClass> {
        match self {
            Self::Firewall => Some(FailureClass::Network),
            // A full disk during the backup is reported as a failed backup; its code says more.
            Self::Antivirus | Self::Disk | Self::Rights => None,
        }
    }

    /// The matching codes, as a [`Pattern`].
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Antivirus => "*virus*|*malware*|*quarantine*|*defender*",
            Self::Firewall => "server_unreachable|*firewall*|*proxy*|*refused*|*blocked*|*denied*",
            Self::Disk => "disk_full|*disk*full*|*no_space*|enospc|*quota*",
            Self::Rights => "access_denied|*denied*|*permission*|*read_only*|*elevation*|eacces|eperm",
        }
    }

    fn fits(self, failure: &Failure) -> bool {
        self.failure_class().is_none_or(|class| class == failure.class) && is_one_of(self.code(), &failure.code)
    }
}

/// The known problem that a failure matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised<'a> {
    Vendors(&'a KnownProblem),
    Default(DefaultProblem),
}

impl Recognised<'_> {
    /// The name that is stored with a run.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Vendors(rule) => rule.id.to_string(),
            Self::Default(default) => default.to_string(),
        }
    }
}

/// Sorts rules into the order of their application: by the number of conditions, the most first, then by age, the
/// oldest first.
pub fn put_in_order(rules: &mut [KnownProblem]) {
    rules.sort_by_key(|rule| (Reverse(rule.conditions.count()), rule.created_at, rule.id));
}

/// The first vendor's rule that matches the failure of an update to a version, else the first default. Rules for a
/// platform do not match if the platform is unknown. `rules` are [in order](put_in_order).
#[must_use]
pub fn recognise<'a>(
    rules: &'a [KnownProblem],
    failure: &Failure,
    to: &Version,
    platform: Option<Platform>,
) -> Option<Recognised<'a>> {
    let means = |rule: &&KnownProblem| {
        rule.conditions.fit(failure, to) && (rule.conditions.platform.is_none() || rule.conditions.platform == platform)
    };
    let default = || DefaultProblem::ALL.iter().copied().find(|default| default.fits(failure)).map(Recognised::Default);
    rules.iter().find(means).map(Recognised::Vendors).or_else(default)
}

/// Whether the result of [`recognise`] depends on the platform.
#[must_use]
pub fn depends_on_platform(rules: &[KnownProblem], failure: &Failure, to: &Version) -> bool {
    let first = rules.iter().find(|rule| rule.conditions.fit(failure, to));
    first.is_some_and(|rule| rule.conditions.platform.is_some())
}

/// The known problem that a run was stored with; `None` if the rule was deleted.
#[must_use]
pub fn recall<'a>(rules: &'a [KnownProblem], key: &str) -> Option<Recognised<'a>> {
    match key.parse::<KnownProblemId>() {
        Ok(id) => rules.iter().find(|rule| rule.id == id).map(Recognised::Vendors),
        Err(_) => key.parse().ok().map(Recognised::Default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_stars_and_alternatives() {
        for (pattern, inside, outside) in [
            ("disk_full", ["disk_full", "DISK_FULL"].as_slice(), ["disk_full2", "a disk_full", ""].as_slice()),
            ("vendor_*", &["vendor_", "Vendor_17"], &["vendor", "my_vendor_1"]),
            ("*space*left*", &["no space is left!", "spaceleft"], &["left space", "space"]),
            ("a*a", &["aa", "aba"], &["a", "ab"]),
            ("a**b", &["ab", "axb"], &["b", "abc"]),
            ("*", &["", "anything"], &[]),
            ("enospc|*Ünlesbar", &["ENOSPC", "datei_ünlesbar"], &["enospc1"]),
        ] {
            let read: Pattern = pattern.parse().expect("a pattern");
            assert!(inside.iter().all(|code| read.matches(code)), "{pattern}");
            assert!(!outside.iter().any(|code| read.matches(code)), "{pattern}");
        }
        assert!(["", "a||b", "|", "a\nb"].iter().all(|wrong| wrong.parse::<Pattern>().is_err()));
    }

    #[test]
    fn what_updaters_of_ours_say_is_recognised() {
        let found = |class, code: &str| {
            let failure = Failure { class, code: code.to_owned(), message: String::new() };
            recognise(&[], &failure, &Version::new(1, 0, 0), None).map(|found| found.key())
        };
        assert_eq!(found(FailureClass::Environment, "disk_full").as_deref(), Some("disk"));
        assert_eq!(found(FailureClass::Backup, "disk_full").as_deref(), Some("disk"));
        assert_eq!(found(FailureClass::Environment, "access_denied").as_deref(), Some("rights"));
        assert_eq!(found(FailureClass::Network, "access_denied").as_deref(), Some("firewall"));
        assert_eq!(found(FailureClass::Network, "server_unreachable").as_deref(), Some("firewall"));
        assert_eq!(found(FailureClass::Installer, "blocked_by_antivirus").as_deref(), Some("antivirus"));
        assert_eq!(found(FailureClass::Migration, "migration_failed"), None);
        assert!(DefaultProblem::ALL.iter().all(|default| default.code().parse::<Pattern>().is_ok()));
    }
}
