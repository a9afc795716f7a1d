//! The signed manifest (RFC 8785, RFC 8032).

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::harness::{
    Actor, Vendor,
    bytes::sha256,
    manifest::{part, verify},
};

/// The canonical form of a value, written here a second time: members in the order of their names' UTF-16, no space,
/// the shortest escapes, whole numbers as they are.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> = members.keys().collect();
            names.sort_by_key(|name| name.encode_utf16().collect::<Vec<_>>());
            let members: Vec<_> =
                names.iter().map(|name| format!("{}:{}", quoted(name), canonical(&members[name.as_str()]))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::String(text) => quoted(text),
        Value::Number(number) => {
            assert!(number.is_u64() && number.as_u64().unwrap() < 1 << 53, "{number}");
            number.to_string()
        }
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let mut written = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\u{8}' => written.push_str("\\b"),
            '\t' => written.push_str("\\t"),
            '\n' => written.push_str("\\n"),
            '\u{c}' => written.push_str("\\f"),
            '\r' => written.push_str("\\r"),
            control if control < ' ' => write!(written, "\\u{:04x}", u32::from(control)).unwrap(),
            other => written.push(other),
        }
    }
    written + "\""
}

#[test]
fn a_manifest_is_canonical_signed_and_says_what_was_published() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let notes = json!({"en": "Faster.\n\"Quotes\", \\, \t, \u{7f}, \u{1}, \u{2028}, €, 😀", "it": "Più", "fr-CH": "x", "FR": "y"});
    office.release("12.0.0").publish();
    office
        .release("13.0.0-rc.1+build.5")
        .with("notes", notes)
        .with("min_from", "12.0.0")
        .with("compatible_clients", ">=12.4, <14")
        .file("standalone", "linux", "x86_64", "one")
        .file("server", "windows", "aarch64", "two")
        .published_at("2026-01-01T10:00:00.123456Z")
        .publish();
    let answer = vendor.admin.get(&format!("{}/manifest", office.release_path("13.0.0-rc.1"))).send().expect(200);
    assert_eq!((answer.header("content-type"), answer.header("etag")), ("application/json", "\"1\""));
    let manifest = answer.json();
    assert_eq!(canonical(&manifest), answer.text());
    verify(&vendor, &answer);
    assert_eq!((&manifest["product"], &manifest["version"]), (&json!("office-maker"), &json!("13.0.0-rc.1+build.5")));
    assert_eq!((&manifest["revision"], &manifest["min_from"]), (&json!(1), &json!("12.0.0")));
    assert_eq!(manifest["published_at"], "2026-01-01T10:00:00.123Z");
    let files: Vec<_> = manifest["artifacts"].as_array().unwrap().iter().map(|file| file["sha256"].clone()).collect();
    assert_eq!(files, [sha256(b"two"), sha256(b"one")], "in the order of their names");
}

#[test]
fn a_correction_signs_a_new_revision_and_never_changes_files() {
    let mut vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").standalone("the program").publish();
    let customer = office.sell("single_user").customer;
    let path = office.release_path("13.0.0");
    let manifest = |vendor: &Vendor| vendor.admin.get(&format!("{path}/manifest")).send().expect(200);
    let first = manifest(&vendor);
    vendor.admin.patch(&path).json(&json!({"notes": {"en": "Corrected."}})).send().ok();
    let second = manifest(&vendor);
    verify(&vendor, &second);
    assert_eq!(canonical(&second.json()), second.text());
    assert_eq!((second.header("etag"), &second.json()["revision"]), ("\"2\"", &json!(2)));
    assert_eq!(second.json()["notes"], json!({"en": "Corrected."}));
    assert_eq!(
        (&second.json()["artifacts"], &second.json()["published_at"]),
        (&first.json()["artifacts"], &first.json()["published_at"])
    );
    let offer = customer.checked("office-maker", "12.0.0", &[]);
    assert_eq!(offer.offer().notes[0].markdown, "Corrected.");
    assert_eq!(customer.get(offer.link()).send().text(), "the program");
    // Nothing new is signed where nothing was changed, nor by what is not in the manifest.
    vendor.admin.patch(&path).json(&json!({"notes": {"en": "Corrected."}})).send().ok();
    for (verb, body) in [
        ("yank", json!({"reason": "x"})),
        ("restore", Value::Null),
        ("rollout/pause", json!({})),
        ("rollout/resume", json!({})),
    ] {
        let call = vendor.admin.post(&format!("{path}/{verb}"));
        if body.is_null() { call } else { call.json(&body) }.send().ok();
    }
    assert_eq!(manifest(&vendor).body, second.body);
    // It is stored, not made when it is asked for: a rotated key signs only what comes after.
    let path = path.clone();
    vendor.stop();
    crate::harness::program::Ended::of(&mut vendor.command(&["keys", "rotate", "manifests"])).expect(0);
    vendor.run();
    let manifest = |vendor: &Vendor| vendor.admin.get(&format!("{path}/manifest")).send().expect(200);
    let third = manifest(&vendor);
    assert_eq!(
        (third.body.clone(), third.header("sluice-signature")),
        (second.body.clone(), second.header("sluice-signature"))
    );
    verify(&vendor, &third);
    vendor.admin.patch(&path).json(&json!({"severity": "critical"})).send().ok();
    let fourth = manifest(&vendor);
    assert_ne!(part(&fourth, "keyid"), part(&third, "keyid"));
    verify(&vendor, &fourth);
}

#[test]
fn those_in_the_field_read_the_manifests_of_their_product() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let library = vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    office.release("12.0.0").with("access", "everyone").publish();
    office.release("13.0.0").publish();
    office.release("14.0.0").published_at("2099-01-01T00:00:00Z").publish();
    office.release("15.0.0").draft();
    let (own, foreign) = (office.sell("single_user").customer, library.sell("single_user").customer);
    let nobody = vendor.anonymous();
    let at = |version: &str| format!("{}/manifest", office.release_path(version));
    verify(&vendor, &nobody.get(&at("12.0.0")).send().expect(200));
    verify(&vendor, &own.get(&at("13.0.0")).send().expect(200));
    nobody.get(&at("13.0.0")).send().refused(401, "license_key_required");
    foreign.get(&at("13.0.0")).send().refused(403, "wrong_product");
    for version in ["14.0.0", "15.0.0", "16.0.0"] {
        own.get(&at(version)).send().refused(404, "release_not_found");
    }
    vendor.ci(&["subscriptions:read"]).get(&at("13.0.0")).send().refused(403, "scope_insufficient");
    vendor.admin.get(&at("14.0.0")).send().expect(200);
    // A yanked release still has its manifest, for those who run it.
    office.steer("13.0.0", "yank", &json!({"reason": "x"}));
    own.get(&at("13.0.0")).send().expect(200);
}
