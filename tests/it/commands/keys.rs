//! `sluice keys`: what the keys are encrypted with is exchanged, and who did is remembered.

use serde_json::{Value, json};

use crate::harness::{
    Actor as _, Server, Vendor, log_in, pages,
    program::Ended,
    stores::{ENCRYPTION_KEY, Stores},
};

const ANOTHER: &str = "YW5vdGhlciBhbm90aGVyIGFub3RoZXIgYW5vdGhlciE=";

fn keys(vendor: &Vendor, command: &str) -> Ended {
    Ended::of(&mut vendor.command(&["keys", command]))
}

#[test]
fn the_encryption_key_is_exchanged_and_nothing_else_changes() {
    let mut vendor = Vendor::start();
    let office = vendor.product();
    let sold = office.sell("single_user");
    let session = vendor.person(&log_in(&vendor.anonymous()).ok());
    let public = vendor.anonymous().get("/.well-known/jwks.json").send().ok();

    // Both are known for a while.
    vendor.stop();
    vendor.set("keys.encryption_key", ANOTHER);
    assert!(keys(&vendor, "encrypt").expect(1).stderr.contains("keys.encryption_key"));
    vendor.set("keys.previous_encryption_key", ENCRYPTION_KEY);
    vendor.run();
    let is_reminded = |vendor: &Vendor| vendor.log().iter().any(|line| line.contains("sluice keys encrypt"));
    assert!(is_reminded(&vendor));
    vendor.stop();
    assert!(keys(&vendor, "encrypt").expect(0).stdout.contains("are encrypted"));

    vendor.set("keys.previous_encryption_key", "");
    vendor.run();
    assert!(!is_reminded(&vendor));
    assert_eq!(vendor.anonymous().get("/.well-known/jwks.json").send().ok(), public);
    sold.customer.check("office-maker", "12.0.0", &[]).ok();
    session.get("/api/v1/auth/me").send().ok();
    vendor.stop();
    vendor.set("keys.encryption_key", ENCRYPTION_KEY);
    assert!(keys(&vendor, "list").expect(1).stderr.contains("keys.encryption_key"));
    vendor.set("keys.encryption_key", ANOTHER);
    vendor.run();
}

#[test]
fn where_no_server_ever_was_these_commands_leave_nothing_behind() {
    let server = Server::on(Stores::embedded(), &[("data.folder", "data"), ("keys.encryption_key", ANOTHER)]);
    for command in
        [["keys", "list"].as_slice(), &["keys", "encrypt"], &["keys", "rotate", "links"], &["audit", "verify"]]
    {
        let ended = Ended::of(&mut server.command(command)).expect(1);
        assert!(ended.stderr.contains("there are no keys at"), "{command:?}: {ended:?}");
        assert!(!server.data().exists(), "{command:?} made something");
    }
}

#[test]
fn what_is_done_on_the_machine_itself_is_in_the_audit_log() {
    let mut vendor = Vendor::start();
    let who = Ended::of(std::process::Command::new("id").arg("-un")).expect(0).stdout.trim().to_owned();
    let add = ["admin", "create", "--email", "anna@vendor.example"];
    Ended::of(&mut vendor.command(&add)).expect(0);
    let reset = ["admin", "reset-password", "--email", "anna@vendor.example", "--remove-second-factor"];
    let password = Ended::of(&mut vendor.command(&reset)).expect(0).stdout;
    let password = password.lines().find_map(|line| line.strip_prefix("password: ")).expect("a password");
    vendor.stop();
    Ended::of(&mut vendor.command(&["keys", "rotate", "links"])).expect(0);
    keys(&vendor, "encrypt").expect(0);
    vendor.run();
    let entries = pages::all(&vendor.admin, "/api/v1/admin/audit", 100);
    let done: Vec<(&str, &Value)> = entries
        .iter()
        .rev()
        .filter(|entry| entry["actor"]["kind"] == "operator")
        .map(|entry| (entry["action"].as_str().expect("an action"), &entry["actor"]["name"]))
        .collect();
    let who = json!(who);
    let expected = ["user.add", "user.password", "user.change", "keys.rotate", "keys.encrypt"];
    assert_eq!(done, expected.map(|action| (action, &who)));
    assert!(!json!(entries).to_string().contains(password));
    Ended::of(&mut vendor.command(&["audit", "verify"])).expect(0);
}
