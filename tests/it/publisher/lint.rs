//! The publish lint, and the rehearsal of a publication.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use sluice::domain::version::{Requirement, Version};

use crate::harness::{
    Actor as _, Answer, Vendor,
    body::Fault,
    vendor::{Product, Sold},
};

fn publish(office: &Product<'_>, version: &str, body: &Value) -> Answer {
    office.vendor.admin.post(&format!("{}/publish", office.release_path(version))).json(body).send()
}

fn rehearse(office: &Product<'_>, version: &str, body: &Value) -> Answer {
    office.vendor.admin.post(&format!("{}/publish?dry_run=true", office.release_path(version))).json(body).send()
}

/// The codes of what is found, as the refusal and as the rehearsal have it.
#[track_caller]
fn found(office: &Product<'_>, version: &str, body: &Value) -> Vec<String> {
    let rehearsed = rehearse(office, version, body).ok();
    let findings: Vec<Fault> = serde_json::from_value(rehearsed["findings"].clone()).expect("findings");
    assert_eq!(rehearsed["would_publish"], findings.is_empty(), "{rehearsed}");
    if !findings.is_empty() {
        let refused = publish(office, version, body).refused(422, "release_incomplete").says("force.reason");
        assert_eq!(refused.body.errors, findings);
    }
    findings.into_iter().map(|finding| finding.code.expect("a code")).collect()
}

#[test]
fn a_min_from_that_no_published_release_reaches_is_found() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let hop =
        |version: &str, min_from: &str| office.release(version).with("min_from", min_from).standalone("x").draft();
    hop("12.0.0", "11.0.0");
    assert_eq!(found(&office, "12.0.0", &json!({})), ["min_from_unreachable"], "nothing is published at all");
    office.release("11.5.0").publish();
    assert_eq!(found(&office, "12.0.0", &json!({})), [""; 0]);
    hop("13.0.0", "11.6.0");
    assert_eq!(found(&office, "13.0.0", &json!({})), ["min_from_unreachable"]);
    office.release("11.6.0").with("channel", "beta").publish();
    assert_eq!(
        found(&office, "13.0.0", &json!({})),
        ["min_from_unreachable"],
        "whoever is on stable does not see beta"
    );
    office.release("12.9.0").standalone("x").draft();
    assert_eq!(found(&office, "13.0.0", &json!({})), ["min_from_unreachable"], "a draft is nowhere");
    publish(&office, "12.9.0", &json!({"published_at": "2099-01-01T00:00:00Z"})).ok();
    assert_eq!(found(&office, "13.0.0", &json!({})), ["min_from_unreachable"], "not yet");
    assert_eq!(found(&office, "13.0.0", &json!({"published_at": "2099-01-01T00:00:00Z"})), [""; 0]);
    office.release("12.1.0").publish();
    assert_eq!(found(&office, "13.0.0", &json!({})), [""; 0]);
    office.steer("12.1.0", "yank", &json!({"reason": "it is broken"}));
    assert_eq!(found(&office, "13.0.0", &json!({})), ["min_from_unreachable"], "nobody is sent to what was yanked");
}

#[test]
fn clients_that_no_server_would_accept_are_found() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let server = |version: &str| office.release(version).file("server", "linux", "x86_64", "s");
    server("11.0.0").draft();
    assert_eq!(found(&office, "11.0.0", &json!({})), [""; 0], "there never was a client");
    office.release("12.0.0").file("client", "linux", "x86_64", "c").publish();
    assert_eq!(found(&office, "11.0.0", &json!({})), ["no_compatible_client"], "the client is above the server");
    server("12.0.5").draft();
    assert_eq!(found(&office, "12.0.5", &json!({})), [""; 0], "the same major.minor");
    server("12.1.0").draft();
    assert_eq!(found(&office, "12.1.0", &json!({})), ["no_compatible_client"]);
    server("12.2.0").with("compatible_clients", ">=12.0.0, <12.3").draft();
    assert_eq!(found(&office, "12.2.0", &json!({})), [""; 0]);
    server("12.3.0").with("compatible_clients", ">12.0.0, <12.0.1").draft();
    assert_eq!(found(&office, "12.3.0", &json!({})), ["compatible_clients_empty", "no_compatible_client"]);
    server("12.4.0").with("compatible_clients", ">=13, <12").file("client", "linux", "x86_64", "c").draft();
    assert_eq!(found(&office, "12.4.0", &json!({})), ["compatible_clients_empty"], "its own client is accepted always");
    server("12.5.0").file("client", "linux", "x86_64", "c").draft();
    assert_eq!(found(&office, "12.5.0", &json!({})), [""; 0]);
    office.steer("12.0.0", "yank", &json!({"reason": "it is broken"}));
    assert_eq!(found(&office, "12.0.5", &json!({})), ["no_compatible_client"]);
}

#[test]
fn a_version_below_its_minors_newest_is_found_except_in_history() {
    let vendor = Vendor::start();
    let office = vendor.product();
    for (version, channel) in [("12.4.3", "stable"), ("12.5.0", "stable"), ("13.0.2", "beta")] {
        office.release(version).with("channel", channel).publish();
    }
    for (version, channel, findings) in [
        ("12.4.2", "stable", ["version_not_newest"].as_slice()),
        ("12.4.3-rc.1", "beta", &["version_not_newest"]),
        ("12.4.4", "stable", &[]),
        ("13.0.1", "stable", &[]),
        ("13.0.1-beta.1", "beta", &["version_not_newest"]),
    ] {
        office.release(version).with("channel", channel).standalone("x").draft();
        assert_eq!(found(&office, version, &json!({})), findings, "{version}");
        assert_eq!(found(&office, version, &json!({"published_at": "2020-01-01T00:00:00Z"})), [""; 0], "{version}");
        let later = found(&office, version, &json!({"published_at": "2099-01-01T00:00:00Z"}));
        assert_eq!(later, findings, "{version}");
    }
    publish(&office, "12.4.2", &json!({"published_at": "2020-01-01T00:00:00Z"})).ok();
}

#[test]
fn all_of_it_is_said_at_once_and_a_reason_overrides_it() {
    let vendor = Vendor::start();
    let office = vendor.product_with(&json!({"required_locales": ["it"], "required_artifacts": [
        {"component": "standalone", "platform": "windows", "arch": "x86_64"}]}));
    let earlier = json!({"published_at": "2020-01-01T00:00:00Z", "force": {"reason": "before these rules"}});
    office.release("12.4.3").file("client", "linux", "x86_64", "c").draft();
    publish(&office, "12.4.3", &earlier).ok();
    office
        .release("12.4.2")
        .file("server", "linux", "x86_64", "s")
        .with("min_from", "12.4.0")
        .with("compatible_clients", ">13, <12")
        .draft();
    let all = [
        "artifact_missing",
        "notes_missing",
        "min_from_unreachable",
        "compatible_clients_empty",
        "no_compatible_client",
        "version_not_newest",
    ];
    assert_eq!(found(&office, "12.4.2", &json!({})), all);
    let wrong = json!({"force": {"reason": ""}});
    rehearse(&office, "12.4.2", &wrong).refused(422, "body_invalid").names(&["force.reason"]);
    let force = json!({"force": {"reason": "a customer waits for it"}});
    let rehearsed = rehearse(&office, "12.4.2", &force).ok();
    assert_eq!((&rehearsed["would_publish"], rehearsed["findings"].as_array().unwrap().len()), (&json!(true), 6));
    assert_eq!(publish(&office, "12.4.2", &force).ok()["state"], "published");
    rehearse(&office, "12.4.2", &force).refused(409, "release_published");
    rehearse(&office, "12.4.1", &force).refused(404, "release_not_found");
}

/// By the status of their subscriptions: how many are really offered this version.
fn really_offered(sites: &[(Sold, &str)], version: &str) -> BTreeMap<String, u64> {
    let mut offered = BTreeMap::new();
    for (site, component) in sites {
        let answer =
            site.customer.check("office-maker", "1.0.0", &[("component", component), ("channel", "alpha")]).ok();
        let status = answer["subscription"]["status"].as_str().expect("a status").to_owned();
        *offered.entry(status).or_default() += u64::from(answer["update"]["version"] == version);
    }
    offered
}

#[test]
fn a_rehearsal_changes_nothing_and_counts_what_really_comes() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let office = vendor.product();
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library"})).sell("single_user");
    let mut sites = Vec::new();
    for fields in [
        json!({}),
        json!({"channels": ["beta"]}),
        json!({"version_req": "<13"}),
        json!({"ends_on": "2030-02-20", "grace_days": 30}),
        json!({"ends_on": "2030-02-20"}),
        json!({"starts_on": "2030-04-01"}),
    ] {
        for _ in 0..6 {
            sites.push((office.sell_with("single_user", &fields), "standalone"));
        }
        sites.push((office.sell_with("multi_user", &fields), "server"));
    }
    vendor.admin.post(&format!("{}/suspend", sites[0].0.path)).send().ok();
    for (version, channel, body) in [
        ("13.0.0", "stable", json!({"rollout": {"percent": 50}})),
        ("13.1.0-beta.1", "beta", json!({})),
        ("12.0.0", "stable", json!({"published_at": "2030-02-10T00:00:00Z"})),
        ("13.2.0", "stable", json!({"rollout": {"percent": 0}})),
    ] {
        let release = office.release(version).with("channel", channel).standalone("x");
        if version.starts_with("12") { release } else { release.file("server", "linux", "x86_64", "s") }.draft();
        let path = office.release_path(version);
        let seen = || {
            let release = vendor.admin.get(&path).send();
            let check = sites[1].0.customer.check("office-maker", "1.0.0", &[]).ok();
            (release.header("etag").to_owned(), release.text(), check["update"]["version"].clone())
        };
        let before = seen();
        let rehearsed = rehearse(&office, version, &body).ok();
        assert_eq!(seen(), before);
        vendor.admin.get(&format!("{path}/manifest")).send().refused(409, "release_not_published");
        assert_eq!(rehearsed["sites"], sites.len(), "{rehearsed}");
        publish(&office, version, &body).ok();
        let offered = really_offered(&sites, version);
        for (status, count) in rehearsed["offered"].as_object().expect("counts") {
            assert_eq!(
                offered.get(status).copied().unwrap_or_default(),
                count.as_u64().unwrap(),
                "{version} {status}: {rehearsed}"
            );
        }
        assert!(version != "12.0.0" || offered["expired"] == 6, "{offered:?}");
        // Out of the way of the next one.
        office.steer(version, "yank", &json!({"reason": "the next one"}));
    }
    let moment = rehearse(&office, "13.2.0", &json!({}));
    moment.refused(409, "release_published");
    office.release("14.0.0").standalone("x").draft();
    let later = rehearse(&office, "14.0.0", &json!({"published_at": "2030-04-02T00:00:00Z"})).ok();
    assert_eq!((&later["offered"]["pending"], &later["offered_from"]), (&json!(0), &json!("2030-04-02T00:00:00Z")));
    assert!(later["offered"]["expired"] == 0 && later["offered"]["active"].as_u64() > Some(12), "{later}");
    let stale = vendor.admin.post(&format!("{}/publish?dry_run=true", office.release_path("14.0.0")));
    stale.header("if-match", "\"99\"").send().refused(412, "precondition_failed");
}

fn comparator() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["", "^", "~", "=", ">", ">=", "<", "<="]);
    let numbers =
        (0..3_u8, prop::option::of((0..3_u8, prop::option::of((0..3_u8, prop::sample::select(vec!["", "-a", "-b"]))))));
    (operator, numbers).prop_map(|(operator, (major, rest))| match rest {
        None => format!("{operator}{major}"),
        Some((minor, None)) => format!("{operator}{major}.{minor}"),
        Some((minor, Some((patch, pre)))) => format!("{operator}{major}.{minor}.{patch}{pre}"),
    })
}

/// Every version that may be the lowest of a requirement out of such comparators, and some more.
fn versions() -> Vec<String> {
    let mut versions = Vec::new();
    for number in 0..64 {
        let (major, minor, patch) = (number / 16, number / 4 % 4, number % 4);
        for pre in ["", "-0", "-a", "-a.0", "-b", "-b.0"] {
            versions.push(format!("{major}.{minor}.{patch}{pre}"));
        }
    }
    versions
}

proptest! {
    #[test]
    fn a_requirement_is_empty_just_when_no_version_satisfies_it(parts in prop::collection::vec(comparator(), 1..4)) {
        let text = parts.join(", ");
        let requirement: Requirement = text.parse().expect("a requirement");
        let cargo = semver::VersionReq::parse(&text).expect("a requirement");
        let mut any = false;
        for version in versions() {
            let takes = requirement.matches(&version.parse::<Version>().expect("a version"));
            any |= takes;
            // Pre-releases are judged otherwise than by Cargo, both ways (contract section 3); releases alike.
            let read = semver::Version::parse(&version).expect("a version");
            prop_assert!(!read.pre.is_empty() || cargo.matches(&read) == takes, "{text} on {version}");
        }
        prop_assert_eq!(requirement.is_empty(), !any, "{}", text);
    }
}
