//! `sluice publish`: whatever happened before, the same command brings the server to what the file says.

use std::{fs, path::PathBuf, process::Command, thread, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    Actor as _, Vendor,
    bytes::{noise, sha256},
    program::{Ended, sluice},
};

/// A folder of CI with two built files and their `release.toml`.
struct Workspace {
    folder: TempDir,
    contents: [Vec<u8>; 2],
    server: String,
    token: String,
}

impl Workspace {
    fn new(vendor: &Vendor, size: usize) -> Self {
        let folder = TempDir::new().expect("a folder");
        let contents = ["windows", "linux"].map(|platform| noise(size, platform));
        for (platform, content) in ["windows", "linux"].iter().zip(&contents) {
            fs::write(folder.path().join(format!("program-{platform}.bin")), content).expect("a file");
        }
        let (_, made) = vendor.ci_with(&json!({"name": "ci", "scopes": ["releases:write", "releases:publish"]}));
        let token = made["token"].as_str().expect("a token").to_owned();
        let workspace = Self { folder, contents, server: vendor.url(), token };
        workspace.describe("New reports.");
        workspace
    }

    /// Writes the `release.toml` with these notes.
    fn describe(&self, notes: &str) {
        let artifact = |platform: &str| {
            format!(
                "[[artifacts]]\npath = \"program-{platform}.bin\"\ncomponent = \"standalone\"\nplatform = \"{platform}\"\n\
                 arch = \"x86_64\"\n"
            )
        };
        let text = format!(
            "product = \"office-maker\"\nversion = \"13.0.0\"\nnotes.en = \"{notes}\"\n{}{}",
            artifact("windows"),
            artifact("linux")
        );
        fs::write(self.file(), text).expect("release.toml");
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("release.toml")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = sluice();
        command.env("SLUICE_SERVER", &self.server).env("SLUICE_TOKEN", &self.token);
        command.arg("publish").arg(self.file()).args(arguments);
        command
    }

    fn publish(&self) -> Ended {
        Ended::of(&mut self.command(&["--json"]))
    }
}

fn release(vendor: &Vendor) -> Value {
    vendor.admin.get("/api/v1/products/office-maker/releases/13.0.0").send().ok()
}

#[test]
fn published_twice_it_changes_nothing() {
    let vendor = Vendor::start();
    vendor.product();
    let workspace = Workspace::new(&vendor, 200_000);
    let first = workspace.publish().expect(0).json();
    assert_eq!((&first["outcome"], &first["created"]), (&json!("published"), &json!(true)), "{first}");
    assert_eq!(first["bytes_uploaded"], 400_000);
    let published = release(&vendor);

    let second = workspace.publish().expect(0).json();
    assert_eq!((&second["outcome"], &second["created"]), (&json!("unchanged"), &json!(false)), "{second}");
    assert_eq!((&second["uploaded"], &second["manifest_revision"]), (&json!([]), &json!(1)));
    assert_eq!(release(&vendor), published);
}

#[test]
fn a_dry_run_shows_what_would_come_of_it_and_changes_nothing() {
    let vendor = Vendor::start();
    let office = vendor.product_with(&json!({"required_locales": ["it"]}));
    for _ in 0..3 {
        office.sell("single_user");
    }
    let workspace = Workspace::new(&vendor, 1000);
    let run = |arguments: &[&str]| Ended::of(&mut workspace.command(arguments));
    assert!(run(&["--dry-run"]).expect(3).stderr.contains("--draft-only"), "there is no draft");
    run(&["--draft-only"]).expect(0);
    let draft = release(&vendor);
    workspace.describe("Other words.");
    let found = run(&["--dry-run", "--json"]).expect(3).json();
    assert_eq!((&found["would_publish"], &found["would_change"]), (&json!(false), &json!(["notes"])), "{found}");
    assert_eq!(found["findings"][0]["code"], "notes_missing");
    assert_eq!((&found["offered"]["active"], &found["sites"]), (&json!(3), &json!(3)));
    let told = run(&["--dry-run"]).expect(3);
    for text in ["notes in `it` are missing (notes_missing)", "to 3 of 3 sites", "changed first: notes"] {
        assert!(told.stdout.contains(text), "{told:?}");
    }
    let text = fs::read_to_string(workspace.file()).expect("release.toml");
    fs::write(workspace.file(), format!("{text}\n[publish]\nforce_reason = \"Italian follows\"\n")).expect("a file");
    assert_eq!(run(&["--dry-run", "--json"]).expect(0).json()["would_publish"], true);
    assert_eq!(release(&vendor), draft);
}

#[test]
fn what_is_published_and_differs_is_said_and_left_alone() {
    let vendor = Vendor::start();
    vendor.product();
    let workspace = Workspace::new(&vendor, 1000);
    workspace.publish().expect(0);
    let published = release(&vendor);
    workspace.describe("Other words.");
    let ended = workspace.publish().expect(3);
    assert_eq!(ended.json()["outcome"], "different");
    assert!(ended.json()["differences"].to_string().contains("notes"), "{ended:?}");

    workspace.describe("New reports.");
    fs::write(workspace.folder.path().join("program-linux.bin"), "other bytes").expect("a file");
    let ended = workspace.publish().expect(3);
    assert!(ended.json()["differences"].to_string().contains("program-linux.bin"), "{ended:?}");
    assert_eq!(release(&vendor), published);
}

#[test]
fn killed_in_mid_upload_the_same_command_goes_on() {
    const SIZE: usize = 30_000_000;
    let vendor = Vendor::start();
    vendor.product();
    let workspace = Workspace::new(&vendor, SIZE);
    let mut kills = 0;
    for pause in [40, 80, 120, 160, 200] {
        let mut running = workspace.command(&["--quiet"]).spawn().expect("the program starts");
        thread::sleep(Duration::from_millis(pause));
        kills += u32::from(running.try_wait().expect("a process").is_none());
        running.kill().expect("a kill");
        running.wait().expect("its end");
    }
    assert!(kills > 0, "every run was over before it could be killed");
    workspace.publish().expect(0);
    let published = release(&vendor);
    assert_eq!(published["state"], "published");
    let mut sums: Vec<_> = published["artifacts"].as_array().expect("artifacts").iter().collect();
    sums.sort_by_key(|artifact| artifact["platform"] != "windows");
    let sums: Vec<_> = sums.into_iter().map(|artifact| artifact["sha256"].as_str().expect("a sum")).collect();
    assert_eq!(sums, workspace.contents.each_ref().map(|content| sha256(content)));
}

#[test]
fn a_forbidden_token_and_an_unreachable_server_have_exit_codes() {
    let mut vendor = Vendor::start();
    vendor.product();
    let mut workspace = Workspace::new(&vendor, 1000);
    let token = std::mem::replace(&mut workspace.token, "slk_nobody".to_owned());
    let refused = workspace.publish().expect(3);
    assert!(refused.stderr.contains("token") && !refused.stderr.contains("slk_nobody"), "{refused:?}");
    workspace.token = String::new();
    assert!(workspace.publish().expect(2).stderr.contains("SLUICE_TOKEN"));
    workspace.token = token;

    fs::remove_file(workspace.folder.path().join("program-linux.bin")).expect("a file");
    assert!(workspace.publish().expect(2).stderr.contains("program-linux.bin"));
    fs::write(workspace.folder.path().join("program-linux.bin"), &workspace.contents[1]).expect("a file");

    vendor.stop();
    let away = Ended::of(workspace.command(&["--quiet"]).arg("--server").arg("http://127.0.0.1:1"));
    assert_eq!(away.code, Some(4), "{away:?}");
    assert!(away.stderr.contains("127.0.0.1:1"), "{away:?}");
}

#[test]
fn a_publication_that_needs_approval_says_where_and_succeeds() {
    let vendor = Vendor::with(&[("approvals.new_approvers_wait", "1ms")]);
    let (second, _) = vendor.colleague_with(&json!({"role": "release_manager"}));
    vendor.product_with(&json!({"two_person_rule": true}));
    let workspace = Workspace::new(&vendor, 1000);
    let first = workspace.publish().expect(0).json();
    assert_eq!((&first["outcome"], &first["created"]), (&json!("awaiting_approval"), &json!(true)), "{first}");
    assert_eq!(release(&vendor)["state"], "draft");
    let told = Ended::of(&mut workspace.command(&[])).expect(0).stdout;
    let address = first["approval"]["address"].as_str().expect("an address");
    assert!(told.contains("second person") && told.contains(&format!("POST {address}/approve")), "{told}");
    let rehearsed = Ended::of(&mut workspace.command(&["--dry-run"])).expect(0).stdout;
    assert!(rehearsed.contains("a second person would have to approve it"), "{rehearsed}");
    let asked = vendor.admin.get("/api/v1/approvals").send().ok();
    let ids: Vec<_> = asked["items"].as_array().expect("items").iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, [&first["approval"]["id"]], "asked for once");

    second.post(&format!("{address}/approve")).send().ok();
    assert_eq!(workspace.publish().expect(0).json()["outcome"], "unchanged");
    assert_eq!(release(&vendor)["state"], "published");
}
