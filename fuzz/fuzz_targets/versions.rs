//! Versions and requirements: read as the `semver` crate reads them, written as they were read, ordered by precedence.
//! One version per line, and on the last one a requirement.
#![no_main]

use std::{
    cmp::Ordering,
    hash::{DefaultHasher, Hash, Hasher},
};

use libfuzzer_sys::fuzz_target;
use sluice::domain::version::{Requirement, Version};

fn hash(version: &Version) -> u64 {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    hasher.finish()
}

fn read(text: &str) -> Option<(Version, semver::Version)> {
    let read = text.parse::<Version>().ok();
    let filled = if text.bytes().filter(|byte| *byte == b'.').count() == 1
        && text.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
    {
        format!("{text}.0")
    } else {
        text.to_owned()
    };
    let other = semver::Version::parse(&filled).ok().filter(|_| text.len() <= 128);
    assert_eq!(read.is_some(), other.is_some(), "{text}");
    let (read, other) = (read?, other?);
    assert_eq!(read.to_string(), other.to_string());
    assert_eq!(read.to_string().parse::<Version>().expect("a version").as_str(), read.as_str());
    assert_eq!(serde_json::from_value::<Version>(read.as_str().into()).expect("a version"), read);
    let bare: Version = read.precedence_key().parse().expect("a version");
    assert_eq!(bare, read, "build metadata makes no difference");
    Some((read, other))
}

fn compare((one, other_one): &(Version, semver::Version), (two, other_two): &(Version, semver::Version)) {
    let order = one.cmp(two);
    assert_eq!(order, other_one.cmp_precedence(other_two), "{one} {two}");
    assert_eq!(order, two.cmp(one).reverse(), "{one} {two}");
    assert_eq!(order == Ordering::Equal, one == two);
    assert_eq!(one == two, one.precedence_key() == two.precedence_key(), "{one} {two}");
    assert!(one != two || hash(one) == hash(two), "{one} {two}");
}

fuzz_target!(|text: &str| {
    let (versions, requirement) = text.rsplit_once('\n').unwrap_or((text, text));
    let versions: Vec<_> = versions.lines().take(4).filter_map(read).collect();
    for one in &versions {
        for two in &versions {
            compare(one, two);
        }
    }
    let Ok(requirement) = requirement.parse::<Requirement>() else { return };
    let written = requirement.to_string();
    assert_eq!(written.parse::<Requirement>().as_ref(), Ok(&requirement), "{written}");
    let other = semver::VersionReq::parse(&written).expect("Cargo's syntax");
    for (version, other_version) in &versions {
        let is_match = requirement.matches(version);
        assert!(!is_match || !requirement.is_empty(), "`{requirement}` is empty, and {version} fits");
        // Of pre-releases the contract (section 3) says something else than Cargo.
        if other_version.pre.is_empty() && other.comparators.iter().all(|part| part.pre.is_empty()) {
            assert_eq!(is_match, other.matches(other_version), "`{requirement}` and {version}");
        }
    }
});
