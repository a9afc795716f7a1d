//! `serve --demo`: what it prints works as it is printed, and it keeps to itself.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what a test's helpers do not find fails the test"
)]

pub mod server;

use std::process::{Command, Output};

use crate::harness::stores::Folder;
use serde_json::Value;

use crate::updaters::site::{Settings, Site};
use server::Server;

/// The last thing that the demo prints.
const LAST: &str = "For `sluice publish`";

/// Starts a demo and waits until it has printed everything.
fn demo(folder: &Folder) -> Server {
    let mut server = Server::start(&["--demo"], folder);
    server.wait_for(LAST);
    server
}

/// Runs the line that was printed under a title, in a shell, and reads its answer.
fn run(server: &Server, title: &str) -> Value {
    let place = server.said.iter().position(|line| line.starts_with("# ") && line.contains(title)).expect(title);
    let Output { status, stdout, stderr } =
        Command::new("sh").args(["-c", &server.said[place + 1]]).output().expect("sh");
    let text = String::from_utf8_lossy(&stdout);
    assert!(status.success(), "{title}: {text} {}", String::from_utf8_lossy(&stderr));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{title}: {error} in {text}"))
}

#[test]
fn every_line_that_is_printed_works_as_it_stands() {
    let folder = Folder::new();
    let server = demo(&folder);

    let update = run(&server, "A check that gets an update");
    assert_eq!((&update["status"], &update["update"]["version"]), (&"update_available".into(), &"13.0.0".into()));
    assert_eq!(update["update"]["notes"][0]["locale"], "it");
    let expired = run(&server, "expired subscription");
    assert_eq!((&expired["status"], &expired["reason"]), (&"not_entitled".into(), &"subscription_expired".into()));
    assert_eq!(expired["newer"]["version"], "13.0.0");
    let told = run(&server, "told that its server has an update");
    assert_eq!((&told["status"], &told["update"]["applies_to"]), (&"update_available".into(), &"server".into()));
    let deferred = run(&server, "deferred");
    assert_eq!(deferred["reason"], "outside_maintenance_window", "{deferred}");
    assert!(deferred["next_window_at"].is_string());
    assert_eq!(run(&server, "managed")["status"], "managed");
    let explained = run(&server, "Why a program gets the answer it gets");
    assert_eq!(explained["decision"]["update"]["path"], serde_json::json!(["11.5.0", "12.4.0", "13.0.0"]));
    assert!(run(&server, "Log in")["access_token"].is_string());

    let lines = server.said.iter().filter(|line| line.starts_with("curl ")).count();
    assert_eq!(lines, 7, "a line that this test does not know");
}

#[test]
fn every_printed_key_shows_the_status_it_is_named_after() {
    let folder = Folder::new();
    let server = demo(&folder);
    let http = reqwest::blocking::Client::builder().no_proxy().build().expect("a client");
    let keys = server.said.iter().filter(|line| line.starts_with("  DEMO-")).flat_map(|line| line.split_whitespace());
    let mut count = 0;
    for key in keys {
        let answer = http.get(format!("{}/api/v1/subscription", server.address));
        let answer = answer.header("Authorization", format!("License {key}")).send().expect("an answer");
        assert_eq!(answer.status(), 200, "{key}");
        let subscription: Value = answer.json().expect("JSON");
        let status = subscription["status"].as_str().expect("a status").to_uppercase();
        let named = ["PENDING", "GRACE", "SUSPENDED", "CANCELLED"].into_iter().find(|name| key.ends_with(name));
        assert_eq!(status, named.unwrap_or("ACTIVE"), "{key}");
        count += 1;
    }
    assert!(count >= 9, "{count} keys");
}

#[test]
fn a_second_start_goes_on_from_the_first() {
    let folder = Folder::new();
    let _ = demo(&folder);
    let mut server = demo(&folder);
    server.wait_for("of an earlier start");
    assert_eq!(run(&server, "A check that gets an update")["status"], "update_available");
}

#[test]
fn a_folder_that_has_something_else_is_left_as_it_is() {
    let folder = Folder::new();
    let mine = [
        ("SLUICE__DATA__FOLDER", "mine"),
        ("SLUICE__AUTH__BOOTSTRAP_EMAIL", "anna@example.com"),
        ("SLUICE__AUTH__BOOTSTRAP_PASSWORD", "correct horse"),
    ];
    drop(Server::start_with(&mine, &[], &folder));
    let mut server = Server::start_with(&mine, &["--demo"], &folder);
    server.wait_for("mine was not empty, so nothing was added");
    let http = reqwest::blocking::Client::builder().no_proxy().build().expect("a client");
    let check = "/api/v1/check?product=office-maker&version=12.4.0&platform=windows&arch=x86_64";
    let answer = http.get(format!("{}{check}", server.address)).send().expect("an answer");
    assert_eq!(answer.status(), 404, "the demo's products are not there");
}

#[test]
fn a_configured_first_administrator_replaces_the_well_known_one() {
    let folder = Folder::new();
    let mine =
        [("SLUICE__AUTH__BOOTSTRAP_EMAIL", "anna@example.com"), ("SLUICE__AUTH__BOOTSTRAP_PASSWORD", "correct horse")];
    let mut server = Server::start_with(&mine, &["--demo"], &folder);
    server.wait_for(LAST);
    let http = reqwest::blocking::Client::builder().no_proxy().build().expect("a client");
    let log_in = |email: &str, password: &str| {
        let body = serde_json::json!({"email": email, "password": password});
        http.post(format!("{}/api/v1/auth/login", server.address)).json(&body).send().expect("an answer").status()
    };
    assert_eq!(log_in("anna@example.com", "correct horse"), 200);
    assert_eq!(log_in("admin@demo.example.com", "demo-password"), 401);
}

#[test]
fn the_reference_updaters_get_their_updates_from_the_demo() {
    let folder = Folder::new();
    let server = demo(&folder);
    let site = |version: &str, license_key: &str, has_database: bool, shared: &str| {
        let more = format!("shared_dir = {shared:?}\n");
        let settings = Settings { product: "office-maker", license_key, without_database: !has_database, more };
        Site::with(version, &server.address, &settings)
    };

    let single = site("12.4.0", "DEMO-OFFICE-SINGLE-ACTIVE", true, "shared");
    let played = single.play("single_user", &["--yes"]);
    assert_eq!((played.code, single.version().as_str(), single.schema_version()), (Some(0), "13.0.0", 2), "{played:?}");

    let shared = folder.path().join("shared");
    let shared = shared.to_str().expect("a path");
    let hosted = site("12.4.0", "DEMO-OFFICE-MULTI-ACTIVE", true, shared);
    let client = site("12.4.0", "DEMO-OFFICE-MULTI-ACTIVE", false, shared);
    assert_eq!(hosted.play("multi_user", &["server", "--once"]).code, Some(0));
    let scheduled = ["client", "--yes", "--schedule-at", "now", "--notify-email", "anna@example.com"];
    let asked = client.play("multi_user", &scheduled);
    let played = hosted.play("multi_user", &["server", "--once", "--countdown-seconds", "0"]);
    assert_eq!((played.code, hosted.version().as_str()), (Some(0), "13.0.0"), "{asked:?} {played:?}");
    let played = client.play("multi_user", &["client"]);
    assert_eq!((played.code, client.version().as_str()), (Some(0), "13.0.0"), "{played:?}");
}

#[test]
fn others_than_this_machine_are_not_let_in() {
    let folder = Folder::new();
    let refused = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["serve", "--demo"])
        .current_dir(folder.path())
        .env("SLUICE__SERVER__BIND", "0.0.0.0:0")
        .output()
        .expect("a process");
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("server.bind") && said.lines().count() == 1, "{said}");
    assert!(!folder.path().join("demo-data").exists());
}
