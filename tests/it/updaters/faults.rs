//! The single-user flow against a server, a line and an archive that misbehave.

use std::fs;

use serde_json::{Value, json};

use super::{
    proxy::{Fault, Proxy},
    scripted_server::{HELP, ScriptedServer},
    site::{Played, Settings, Site, archive, program},
};

pub struct Stage {
    pub server: ScriptedServer,
    pub proxy: Proxy,
    pub site: Site,
}

impl Stage {
    /// Version 12.4.0 is installed, 13.0.0 is published, with further files in its archive.
    pub fn set(more: &[(&str, &str)]) -> Self {
        Self::with(more, String::new())
    }

    pub fn with(more: &[(&str, &str)], config: String) -> Self {
        let proxy = Proxy::start();
        let server = ScriptedServer::start(&proxy.url(), "13.0.0", archive(&program("13.0.0", more)));
        proxy.to(&server.address);
        let settings = Settings { product: "office-maker", license_key: "K-E-Y", more: config, ..Settings::default() };
        Self { site: Site::with("12.4.0", &proxy.url(), &settings), server, proxy }
    }

    pub fn update(&self) -> Played {
        self.site.play("single_user", &["--yes"])
    }

    /// The old program with the old database, and nothing lying about.
    pub fn assert_old(&self) {
        assert_eq!((self.site.version(), self.site.schema_version(), self.site.total()), ("12.4.0".into(), 1, 725));
        assert_eq!(self.site.leftovers(), [""; 0]);
    }

    /// The new program with the new database, and nothing lying about.
    pub fn assert_new(&self) {
        assert_eq!((self.site.version(), self.site.schema_version(), self.site.total()), ("13.0.0".into(), 2, 725));
        assert_eq!(self.site.leftovers(), [""; 0]);
    }

    /// The update fails with this class and code; all is as before, and told to user and vendor.
    pub fn assert_rolled_back(&self, class: &str, code: &str) {
        let played = self.update();
        assert_eq!(played.code, Some(20), "{played:?}");
        assert!(played.said.contains(HELP) && played.said.contains(code), "{played:?}");
        self.assert_old();
        assert_eq!(self.server.story().last().unwrap(), "ended:rolled_back");
        let error = self.server.last_error();
        assert_eq!((&error["class"], &error["code"]), (&json!(class), &json!(code)));
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
}

#[test]
fn an_update_goes_through_every_stage() {
    let stage = Stage::set(&[]);
    let played = stage.update();
    assert_eq!(played.code, Some(0), "{played:?}");
    assert!(played.said.contains("Invoices in colour.") && played.said.contains("Updated from 12.4.0 to 13.0.0."));
    stage.assert_new();
    let story = ["downloading", "downloaded", "backing_up", "installing", "migrating", "ended:succeeded"];
    assert_eq!(stage.server.story(), story);
    let script = stage.server.script();
    let runs: std::collections::HashSet<_> = script.reports.iter().map(|report| report["run"].to_string()).collect();
    assert_eq!(runs.len(), 1);
    assert!(script.reports.iter().all(|report| report["installation"] == stage.site.state()["installation"]));
    assert_eq!(script.authorizations, [Some("License K-E-Y".to_owned())]);
    drop(script);

    let played = stage.update();
    assert_eq!((played.code, played.said.trim()), (Some(0), "You have the newest version."));
}

#[test]
fn without_a_yes_nothing_happens() {
    let stage = Stage::set(&[]);
    assert_eq!(stage.site.play("single_user", &[]).code, Some(13));
    stage.assert_old();
    assert_eq!(stage.server.story(), [""; 0]);
}

#[test]
fn a_failing_new_version_is_rolled_back_with_its_migration() {
    Stage::set(&[("self_test", "fail")]).assert_rolled_back("service_start", "self_test_failed");
}

#[test]
fn a_migration_that_fails_is_taken_back() {
    Stage::set(&[("migrations/0003_wrong.sql", "ALTER TABLE nothing")])
        .assert_rolled_back("migration", "migration_failed");
    // Even one that ended the updater's transaction, and so left half of its work behind.
    Stage::set(&[("migrations/0003_wrong.sql", "DELETE FROM invoice; COMMIT;")])
        .assert_rolled_back("migration", "migration_commits");
}

#[test]
fn a_damaged_database_is_not_touched() {
    let stage = Stage::set(&[]);
    fs::write(stage.site.path("office.sqlite"), "no database at all, but long enough to be looked at").unwrap();
    let played = stage.update();
    assert_eq!(played.code, Some(20), "{played:?}");
    assert_eq!(stage.site.version(), "12.4.0");
    assert_eq!(stage.server.last_error()["class"], "backup");
}

#[test]
fn an_archive_of_another_version_is_not_installed() {
    Stage::set(&[("VERSION", "12.9.0")]).assert_rolled_back("installer", "version_mismatch");
}

#[test]
fn a_byte_that_is_always_wrong_stops_the_update() {
    let stage = Stage::set(&[]);
    stage.proxy.spoil(Fault { flip_byte: Some(1_000), times: 99, ..Fault::default() });
    stage.assert_rolled_back("integrity", "sha256_mismatch");
}

#[test]
fn a_lie_about_the_file_is_found_in_the_signed_manifest() {
    for lie in
        [json!({"sha256": "00".repeat(32)}), json!({"size": 7}), json!({"id": "0199a0de-0000-7000-8000-000000000001"})]
    {
        let stage = Stage::set(&[]);
        stage.server.script().artifact_lie = lie;
        stage.assert_rolled_back("integrity", "manifest_mismatch");
        assert!(stage.proxy.downloads().is_empty(), "nothing was fetched");
    }
    for lie in [json!({"product": "other"}), json!({"version": "12.0.0"}), json!({"artifacts": []})] {
        let stage = Stage::set(&[]);
        stage.server.script().manifest_lie = lie;
        stage.assert_rolled_back("integrity", "manifest_mismatch");
    }
    let stage = Stage::set(&[]);
    stage.server.script().manifest_tampered = true;
    stage.assert_rolled_back("integrity", "signature_wrong");
}

#[test]
fn keys_are_pinned_or_trusted_from_the_first_update_on() {
    let pin = |jwk: &Value| {
        let line = |name: &str| format!("{name} = {}\n", jwk[name]);
        format!("[[pinned_keys]]\n{}{}{}{}", line("kty"), line("crv"), line("kid"), line("x"))
    };
    let stranger = ScriptedServer::start("http://x", "13.0.0", Vec::new());
    let stage = Stage::with(&[], pin(&stranger.jwk()));
    stage.assert_rolled_back("integrity", "signature_wrong");

    let stage = Stage::set(&[]);
    stage.server.script().manifest_tampered = true;
    stage.assert_rolled_back("integrity", "signature_wrong");
    let remembered = stage.site.path("program.updater/trusted_keys.json");
    assert_eq!(serde_json::from_slice::<Value>(&fs::read(&remembered).unwrap()).unwrap(), json!([stage.server.jwk()]));
    stage.server.script().manifest_tampered = false;
    fs::write(&remembered, json!([stranger.jwk()]).to_string()).unwrap();
    stage.assert_rolled_back("integrity", "signature_wrong");
}

#[test]
fn an_older_version_is_refused_though_it_is_rightly_signed() {
    let stage = Stage::set(&[]);
    let answer = stage.server.script();
    let (artifact, version) = (answer.artifact, "11.0.0");
    drop(answer);
    stage.server.script().version = version.into();
    stage.server.script().answer = json!({"status": "update_available", "message": "", "update": {
        "version": version, "applies_to": "standalone",
        "artifact": {"id": artifact, "size": 1, "sha256": "00".repeat(32), "url": "http://127.0.0.1:1/"},
    }});
    let played = stage.update();
    assert_eq!(played.code, Some(30));
    assert!(played.said.contains("downgrade_refused"), "{played:?}");
    stage.assert_old();
}

#[test]
fn answers_without_an_update_have_their_exit_codes() {
    for (status, code) in
        [("not_entitled", 10), ("deferred", 11), ("blocked", 12), ("incompatible", 14), ("managed", 0), ("news", 0)]
    {
        let stage = Stage::set(&[]);
        stage.server.script().answer = json!({"status": status, "message": "So it is.", "update": null, "subscription": {
            "status": "expired", "ends_on": "2026-01-31", "renew_url": "https://vendor.example/renew",
        }});
        let played = stage.update();
        assert_eq!(played.code, Some(code), "{played:?}");
        assert!(played.said.contains("So it is."));
        assert_eq!(played.said.contains("https://vendor.example/renew"), status == "not_entitled");
        stage.assert_old();
    }
}

#[test]
fn a_server_that_is_away_keeps_nobody_from_working() {
    let stage = Stage::set(&[]);
    stage.proxy.to("127.0.0.1:1");
    assert_eq!(stage.update().code, Some(30));
    stage.assert_old();
}

#[test]
fn reports_that_could_not_be_sent_are_sent_at_the_next_start() {
    let stage = Stage::set(&[]);
    stage.server.script().report_status = 503;
    assert_eq!(stage.update().code, Some(0), "reports hold nothing up");
    stage.assert_new();
    assert_eq!(stage.server.story(), [""; 0]);

    stage.server.script().report_status = 422;
    assert_eq!(stage.update().code, Some(0));
    stage.server.script().report_status = 202;
    assert_eq!(stage.update().code, Some(0));
    let story = ["downloading", "downloaded", "backing_up", "installing", "migrating", "ended:succeeded"];
    assert_eq!(stage.server.story(), story, "only a 202 takes one out");
    stage.update();
    assert_eq!(stage.server.script().reports.len(), story.len(), "and then it is gone");
}

#[test]
fn a_link_that_expires_under_way_is_renewed_by_a_new_check() {
    let stage = Stage::set(&[]);
    stage.server.script().expired_links = 1;
    assert_eq!(stage.update().code, Some(0));
    stage.assert_new();
    assert_eq!(stage.server.script().checks.len(), 2);
}

#[test]
fn an_about_box_has_its_subscription() {
    let stage = Stage::set(&[]);
    let played = stage.site.play("single_user", &["--about"]);
    assert_eq!((played.code, played.said.trim()), (Some(0), "Subscription: active, until 2027-01-31"));
}
