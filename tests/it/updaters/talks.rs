//! The multi-user and cloud flows against the scripted server: what client and server program tell each other, and what
//! happens to the users.

use std::fs;

use serde_json::json;

use super::{
    proxy::Proxy,
    scripted_server::ScriptedServer,
    site::{Settings, Site, archive, program},
};

struct Office {
    vendor: ScriptedServer,
    server: Site,
    client: Site,
}

impl Office {
    fn new() -> Self {
        let proxy = Proxy::start();
        let vendor = ScriptedServer::start(&proxy.url(), "13.0.0", archive(&program("13.0.0", &[])));
        proxy.to(&vendor.address);
        let settings = |more: String, without_database| Settings {
            product: "office-maker",
            license_key: "K-E-Y",
            without_database,
            more,
        };
        let shared = "shared_dir = \"shared\"\ncarry_over = [\"templates\"]\n";
        let server = Site::with("12.4.0", &proxy.url(), &settings(shared.into(), false));
        let folder = format!("shared_dir = {:?}\n", server.path("shared").display().to_string());
        let client = Site::with("12.4.0", &proxy.url(), &settings(folder, true));
        fs::create_dir_all(server.program().join("templates")).unwrap();
        fs::write(server.program().join("templates/letter.html"), "ours").unwrap();
        vendor.script().component = "server";
        Self { vendor, server, client }
    }

    fn schedule(&self, at: &str) {
        assert_eq!(self.server.play("multi_user", &["server", "--once"]).code, Some(0));
        let flags = ["client", "--yes", "--schedule-at", at, "--notify-email", "anna@example.com"];
        let played = self.client.play("multi_user", &flags);
        assert_eq!(played.code, Some(0), "{played:?}");
    }

    fn session(&self, name: &str, content: &str) -> std::path::PathBuf {
        let path = self.server.path("shared/sessions").join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

const SERVER: [&str; 6] = ["server", "--once", "--countdown-seconds", "0", "--patience-seconds", "0"];

#[test]
fn a_client_schedules_and_the_server_program_carries_it_out() {
    let office = Office::new();
    office.schedule("now");
    let check = office.vendor.script().checks.last().unwrap().clone();
    for part in
        ["component=client", "server_version=12.4.0", "server_platform=linux", "server_arch=x86_64", "kind=archive"]
    {
        assert!(check.contains(part), "{check}");
    }
    let idle = office.session("bea.json", r#"{"busy": false}"#);
    let played = office.server.play("multi_user", &SERVER);
    assert_eq!(played.code, Some(0), "{played:?}");
    assert!(office.vendor.script().checks.last().unwrap().contains("trigger=manual"));
    assert!(!idle.exists());
    assert_eq!((office.server.version(), office.server.schema_version()), ("13.0.0".into(), 2));
    assert_eq!(fs::read_to_string(office.server.program().join("templates/letter.html")).unwrap(), "ours");
    let story = [
        "scheduled",
        "downloading",
        "downloaded",
        "backing_up",
        "draining",
        "installing",
        "migrating",
        "ended:succeeded",
    ];
    assert_eq!(office.vendor.story(), story);
    assert!(office.vendor.script().reports.iter().all(|report| report["notify_email"] == "anna@example.com"));

    // Now the client sees the new server.
    office.vendor.script().component = "client";
    let played = office.client.play("multi_user", &["client"]);
    assert_eq!(played.code, Some(13), "an update that is not mandatory is asked about");
    let played = office.client.play("multi_user", &["client", "--yes"]);
    assert_eq!((played.code, office.client.version()), (Some(0), "13.0.0".into()), "{played:?}");
    assert!(office.vendor.script().checks.last().unwrap().contains("server_version=13.0.0"));
}

#[test]
fn a_later_time_is_waited_for_but_the_download_is_done_ahead() {
    let office = Office::new();
    office.schedule("2099-01-01T22:00:00Z");
    let played = office.server.play("multi_user", &SERVER);
    assert_eq!(played.code, Some(0), "{played:?}");
    assert!(played.said.contains("2099-01-01T22:00:00Z"), "{played:?}");
    assert_eq!(office.vendor.story(), ["scheduled", "downloading", "downloaded"]);
    assert_eq!(office.server.version(), "12.4.0");
    // Another look changes nothing and fetches nothing.
    assert_eq!(office.server.play("multi_user", &SERVER).code, Some(0));
    assert_eq!(office.vendor.story().len(), 3);
    // The person changes their mind: the same run, now.
    office.schedule("now");
    assert_eq!(office.server.play("multi_user", &SERVER).code, Some(0));
    assert_eq!(office.server.version(), "13.0.0");
    let run = &office.vendor.script().reports[0]["run"].clone();
    assert!(office.vendor.script().reports.iter().all(|report| report["run"] == *run));
}

#[test]
fn users_in_the_middle_of_something_are_not_cut_off() {
    let office = Office::new();
    office.schedule("now");
    let busy = office.session("carl.json", r#"{"busy": true}"#);
    let played = office.server.play("multi_user", &SERVER);
    assert_eq!(played.code, Some(20), "{played:?}");
    assert!(busy.exists());
    assert!(!office.server.path("shared/closing.json").exists(), "the doors are open again");
    assert_eq!((office.server.version(), office.server.schema_version()), ("12.4.0".into(), 1));
    assert_eq!(office.vendor.last_error()["class"], "users_connected");
    assert_eq!(office.server.leftovers(), [""; 0]);
}

#[test]
fn an_update_that_is_withdrawn_before_its_time_is_cancelled() {
    let office = Office::new();
    office.schedule("now");
    office.vendor.script().answer = json!({"status": "up_to_date", "update": null});
    assert_eq!(office.server.play("multi_user", &SERVER).code, Some(0));
    assert_eq!(office.vendor.story(), ["scheduled", "ended:cancelled"]);
    assert!(office.server.state()["run"].is_null());
}

#[test]
fn a_version_other_than_the_scheduled_one_is_another_run() {
    let office = Office::new();
    office.schedule("now");
    office.vendor.script().version = "13.0.1".into();
    office.vendor.script().archive = archive(&program("13.0.1", &[]));
    let played = office.server.play("multi_user", &SERVER);
    assert_eq!((played.code, office.server.version()), (Some(0), "13.0.1".into()), "{played:?}");
    let story = office.vendor.story();
    assert_eq!(story[..3], ["scheduled", "ended:cancelled", "downloading"]);
    assert_eq!(office.vendor.script().reports.last().unwrap()["notify_email"], "anna@example.com");
}

#[test]
fn a_client_goes_down_to_its_server_where_nothing_else_may() {
    let office = Office::new();
    assert_eq!(office.server.play("multi_user", &SERVER).code, Some(0));
    let mut script = office.vendor.script();
    script.component = "client";
    script.archive = archive(&program("12.4.0", &[]));
    script.version = "12.4.0".into();
    drop(script);
    fs::write(office.client.program().join("VERSION"), "13.0.0").unwrap();
    let artifact = {
        let script = office.vendor.script();
        json!({"id": script.artifact, "size": script.archive.len(), "sha256": super::scripted_server::sha256(&script.archive),
            "url": format!("http://{}/api/v1/downloads/x/y", office.vendor.address)})
    };
    office.vendor.script().answer = json!({"status": "update_available", "update":
        {"version": "12.4.0", "mandatory": true, "applies_to": "client", "artifact": artifact}});
    let played = office.client.play("multi_user", &["client"]);
    assert_eq!((played.code, office.client.version()), (Some(0), "12.4.0".into()), "{played:?}");
}

#[test]
fn a_hosted_server_awaits_its_window_and_its_client_is_managed() {
    let office = Office::new();
    office.vendor.script().answer =
        json!({"status": "deferred", "message": "Later.", "update": null, "next_window_at": "2027-01-01T01:00:00Z"});
    let played = office.server.play("cloud", &["server", "--countdown-seconds", "0"]);
    assert_eq!(played.code, Some(11));
    assert!(played.said.contains("2027-01-01T01:00:00Z"), "{played:?}");
    assert_eq!(office.vendor.story(), [""; 0]);

    office.vendor.script().answer = json!({});
    let played = office.server.play("cloud", &["server", "--countdown-seconds", "0"]);
    assert_eq!((played.code, office.server.version()), (Some(0), "13.0.0".into()), "{played:?}");
    assert!(office.vendor.script().checks.last().unwrap().contains("trigger=scheduled"));

    office.vendor.script().answer =
        json!({"status": "managed", "message": "Your provider sees to it.", "update": null});
    let played = office.client.play("cloud", &["client"]);
    assert_eq!((played.code, played.said.trim()), (Some(0), "Your provider sees to it."));
}
