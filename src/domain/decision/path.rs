//! Stepping stones (contract section 3, rule 8).

use crate::domain::{release::Release, version::Version};

/// The hops from `from`: each the highest release that can be reached from the previous one. `open` is in ascending
/// order; the first element of the result is the offer.
#[must_use]
pub fn walk<'a>(from: &Version, open: &[&'a Release]) -> Vec<&'a Release> {
    let mut path: Vec<&Release> = Vec::new();
    loop {
        let here = path.last().map_or(from, |release| &release.version);
        let hop = open
            .iter()
            .rev()
            .take_while(|release| release.version > *here)
            .find(|release| release.min_from.as_ref().is_none_or(|lowest| here >= lowest));
        match hop {
            Some(release) => path.push(release),
            None => return path,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{
        id::{ProductId, ReleaseId},
        release::{Access, ReleaseState, Severity},
        rollout::Rollout,
    };

    fn release(version: &str, min_from: Option<&str>) -> Release {
        Release {
            id: ReleaseId(uuid::Uuid::nil()),
            product: ProductId(uuid::Uuid::nil()),
            version: version.parse().expect("a version"),
            channel: "stable".parse().expect("a channel"),
            state: ReleaseState::Published,
            published_at: Some(jiff::Timestamp::UNIX_EPOCH),
            severity: Severity::Normal,
            access: Access::Subscribers,
            min_from: min_from.map(|text| text.parse().expect("a version")),
            compatible_clients: None,
            notes: BTreeMap::new(),
            rollout: Rollout::default(),
            yank_reason: None,
            artifacts: Vec::new(),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            manifest_revision: 1,
            revision: 1,
            announced_at: None,
        }
    }

    fn hops(from: &str, releases: &[(&str, Option<&str>)]) -> Vec<String> {
        let releases: Vec<Release> = releases.iter().map(|(version, min_from)| release(version, *min_from)).collect();
        let open: Vec<&Release> = releases.iter().collect();
        walk(&from.parse().expect("a version"), &open).iter().map(|hop| hop.version.to_string()).collect()
    }

    #[test]
    fn the_highest_within_one_hop_then_on_from_there() {
        let releases =
            [("11.0.0", None), ("12.0.0", Some("11.0.0")), ("12.5.0", Some("11.0.0")), ("13.0.0", Some("12.0.0"))];
        assert_eq!(hops("10.0.0", &releases), ["11.0.0", "12.5.0", "13.0.0"]);
        assert_eq!(hops("12.0.0", &releases), ["13.0.0"]);
        assert_eq!(hops("13.0.0", &releases), [""; 0]);
    }

    #[test]
    fn what_no_hop_reaches_is_not_on_the_path() {
        assert_eq!(hops("10.0.0", &[("13.0.0", Some("12.0.0"))]), [""; 0]);
    }
}
