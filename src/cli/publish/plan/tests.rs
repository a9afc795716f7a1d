//! What differs, and what does not.

use serde_json::json;

use super::*;
use crate::cli::release_file::Publish;

const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn artifact(filename: &str, signature: Option<&str>) -> wire::Artifact {
    let artifact = json!({
        "id": "0199a0de-0000-7000-8000-000000000001", "component": "standalone", "platform": "windows", "arch": "x86_64",
        "kind": "installer", "filename": filename, "size": 0, "sha256": HASH, "signature": signature,
    });
    serde_json::from_value(artifact).expect("an artifact")
}

fn ready(filename: &str, signature: Option<&str>) -> Ready {
    Ready { path: filename.into(), artifact: artifact(filename, signature) }
}

fn file() -> ReleaseFile {
    ReleaseFile {
        product: "office-maker".parse().expect("a slug"),
        version: "13.0.0".parse().expect("a version"),
        details: wire::Details::default(),
        artifacts: Vec::new(),
        publish: Publish::default(),
    }
}

/// As the server writes it, with fields that this program does not know.
fn release(artifacts: &[wire::Artifact]) -> wire::Release {
    let release = json!({
        "id": "0199a0de-0000-7000-8000-000000000001", "product": "office-maker", "version": "13.0.0", "channel": "stable",
        "state": "published", "published_at": "2026-06-30T07:00:00Z", "severity": "normal", "access": "subscribers",
        "min_from": "12.0.0", "compatible_clients": null, "notes": {"en": "New", "de": "Neu"},
        "rollout": {"percent": 25, "state": "running", "reason": null}, "artifacts": [], "yank_reason": null,
        "created_at": "2026-06-29T07:00:00Z", "manifest_revision": 1,
    });
    wire::Release { artifacts: artifacts.to_vec(), ..serde_json::from_value(release).expect("a release") }
}

fn say_all(file: &mut ReleaseFile) {
    file.details.channel = Some("beta".parse().expect("a slug"));
    file.details.severity = Some("critical".parse().expect("a severity"));
    file.details.access = Some("everyone".parse().expect("an access"));
    file.details.min_from = Some("12.1.0".parse().expect("a version"));
    file.details.compatible_clients = Some("^13".parse().expect("a requirement"));
    let notes = [("en", "Newer"), ("it", "Nuovo")];
    file.details.notes =
        Some(notes.map(|(locale, text)| (locale.parse().expect("a tag"), text.to_owned())).into_iter().collect());
    file.publish.published_at = Some("2026-07-01T07:00:00Z".parse().expect("a time"));
}

#[test]
fn what_the_file_does_not_say_is_left_as_it_is() {
    let (file, release) = (file(), release(&[]));
    assert_eq!(changes(&file, &release), wire::Details::default());
    assert_eq!(differences(&file, &[], &release), [""; 0]);
    assert_eq!(serde_json::to_string(&file.details).expect("json"), "{}");
}

#[test]
fn what_differs_in_the_file_changes_a_draft_other_notes_stay() {
    let (mut file, release) = (file(), release(&[]));
    say_all(&mut file);
    let changes = changes(&file, &release);
    assert_eq!(names(&changes), ["channel", "severity", "access", "min_from", "compatible_clients", "notes"]);
    let body = serde_json::to_value(&changes).expect("json");
    assert_eq!(body["notes"], json!({"en": "Newer", "de": "Neu", "it": "Nuovo"}));
    let draft =
        serde_json::to_value(wire::NewRelease { version: &file.version, details: &file.details }).expect("json");
    assert_eq!(draft["version"], "13.0.0");
    assert_eq!(draft["notes"], json!({"en": "Newer", "it": "Nuovo"}));
}

#[test]
fn what_a_published_release_has_otherwise_is_named_one_by_one() {
    let (mut file, release) = (file(), release(&[]));
    say_all(&mut file);
    file.version = "13.0.0+7".parse().expect("a version");
    let expected = [
        "version is `13.0.0`, release.toml says `13.0.0+7`",
        "channel is `stable`, release.toml says `beta`",
        "severity is `normal`, release.toml says `critical`",
        "access is `subscribers`, release.toml says `everyone`",
        "min_from is `12.0.0`, release.toml says `12.1.0`",
        "compatible_clients is `nothing`, release.toml says `^13`",
        "published_at is `2026-06-30T07:00:00Z`, release.toml says `2026-07-01T07:00:00Z`",
        "notes.en differ",
        "notes.it are missing",
    ];
    assert_eq!(differences(&file, &[], &release), expected);
}

#[test]
fn a_file_is_there_when_all_that_is_said_of_it_is_the_same() {
    let there = [artifact("a.exe", Some("sig"))];
    assert!(is_there(&ready("a.exe", Some("sig")), &there));
    assert!(is_there(&ready("a.exe", None), &there));
    assert!(!is_there(&ready("a.exe", Some("other")), &there));
    assert!(!is_there(&ready("b.exe", None), &there));
    let mut other = ready("a.exe", None);
    other.artifact.size = 1;
    assert!(!is_there(&other, &there));
    assert!(!is_there(&ready("a.exe", Some("sig")), &[artifact("a.exe", None)]));
}

#[test]
fn files_that_differ_are_named_with_their_hashes() {
    let mut bytes = ready("a.exe", None);
    bytes.artifact.sha256.0 = [0; 32];
    let mut place = ready("b.exe", None);
    place.artifact.kind = crate::domain::artifact::ArtifactKind::Archive;
    let wanted = [bytes, place, ready("c.exe", Some("mine")), ready("d.exe", None)];
    let has = ["a.exe", "b.exe", "c.exe", "e.exe"].map(|name| artifact(name, None));
    let zeros = "0".repeat(64);
    let expected = [
        format!("a.exe has other bytes (SHA-256 {HASH}, 0 bytes; the local file {zeros}, 0 bytes)"),
        "b.exe is for standalone, windows, x86_64, installer; release.toml says standalone, windows, x86_64, archive"
            .to_owned(),
        "c.exe has another signature".to_owned(),
        "d.exe is missing".to_owned(),
        "e.exe is not listed in release.toml".to_owned(),
    ];
    assert_eq!(differences(&file(), &wanted, &release(&has)), expected);
}

#[test]
fn a_signed_manifest_must_list_exactly_the_files() {
    let entry = |filename: &str| {
        json!({
            "id": "0199a0de-0000-7000-8000-000000000001", "component": "standalone", "platform": "windows", "arch": "x86_64",
            "kind": "installer", "filename": filename, "size": 0, "sha256": HASH,
        })
    };
    let manifest = |product: &str, names: &[&str]| -> Manifest {
        let manifest = json!({
            "schema": 1, "product": product, "release": "0199a0de-0000-7000-8000-000000000001", "version": "13.0.0", "revision": 1,
            "published_at": "2026-06-30T07:00:00Z", "severity": "normal", "access": "subscribers", "notes": {},
            "artifacts": names.iter().map(|name| entry(name)).collect::<Vec<_>>(),
        });
        serde_json::from_value(manifest).expect("a manifest")
    };
    let wanted = [ready("a.exe", None), ready("b.exe", None)];
    let wrong = |manifest| wrong_in_manifest(&file(), &wanted, &manifest);
    assert_eq!(wrong(manifest("office-maker", &["b.exe", "a.exe"])), [""; 0]);
    assert_eq!(wrong(manifest("office-maker", &["a.exe"])), ["b.exe is missing"]);
    assert_eq!(wrong(manifest("other", &["a.exe", "b.exe"])), ["it belongs to other 13.0.0"]);
    assert_eq!(wrong(manifest("office-maker", &["a.exe", "b.exe", "c.exe"])).len(), 1);
}
