//! The audit log: who changed what, and whether it is whole.

use serde_json::{Value, json};

use crate::harness::{
    Actor as _, Vendor, pages,
    stores::{Kind, stores},
};

fn entries(vendor: &Vendor, query: &str) -> Vec<Value> {
    vendor.admin.get(&format!("/api/v1/admin/audit?{query}")).send().ok()["items"].as_array().unwrap().clone()
}

/// What `sluice audit verify` says, and whether it is content.
fn verify(vendor: &Vendor, more: &[&str]) -> (bool, String) {
    let output = vendor.command(&[&["audit", "verify"], more].concat()).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.success(), said)
}

#[test]
fn an_audit_entry_has_the_actor_and_the_state_before_and_after() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let sold = office.sell("single_user");
    vendor.admin.post(&format!("{}/suspend", sold.path)).json(&json!({})).send().ok();
    let (machine, token) =
        vendor.ci_with(&json!({"name": "pipeline", "scopes": ["releases:write", "releases:publish"]}));
    office.release("13.0.0").publish();
    let yank = json!({"reason": "it loses pages"});
    machine.post(&format!("{}/yank", office.release_path("13.0.0"))).json(&yank).send().ok();
    office.stop(Some("beta"));
    vendor
        .anonymous()
        .post("/api/v1/auth/login")
        .json(&json!({"email": "x@y.example", "password": "wrong-password"}))
        .send();

    let all = pages::all(&vendor.admin, "/api/v1/admin/audit", 3);
    let actions: Vec<_> = all.iter().rev().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        [
            "user.add",
            "product.add",
            "customer.add",
            "subscription.add",
            "license_key.add",
            "subscription.suspend",
            "token.add",
            "release.draft",
            "release.upload",
            "release.publish",
            "release.yank",
            "stop.set"
        ]
    );
    let numbers: Vec<_> = all.iter().rev().map(|entry| entry["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>(), "none is left out, and decisions and logins are none");
    let of = |action: &str| all.iter().find(|entry| entry["action"] == action).unwrap();
    let suspended = of("subscription.suspend");
    assert_eq!(suspended["subject"], format!("subscription:{}", sold.id));
    assert_eq!(suspended["details"]["before"]["coverage"]["state"], "active");
    assert_eq!(suspended["details"]["after"]["coverage"]["state"], "suspended");
    let person = &suspended["actor"];
    assert_eq!((&person["kind"], &person["name"]), (&json!("person"), &json!("admin@vendor.example")));
    assert_eq!(person["address"], "127.0.0.1");
    let yanked = of("release.yank");
    assert_eq!((&yanked["actor"]["kind"], &yanked["actor"]["name"]), (&json!("machine"), &json!("pipeline")));
    assert_eq!(yanked["actor"]["id"], token["id"]);
    assert_eq!(yanked["details"]["after"]["yank_reason"], "it loses pages");
    assert_eq!(of("user.add")["actor"]["kind"], "server");
    // Whoever asked for it is named, also where the work goes on when they have gone away.
    for (action, kind) in [("release.draft", "person"), ("release.upload", "person"), ("release.publish", "person")] {
        assert_eq!(of(action)["actor"]["kind"], kind, "{action}");
    }
    // No secret is in it.
    let text = Value::from(all.clone()).to_string();
    for secret in [sold.key.as_str(), token["token"].as_str().unwrap(), "argon2", "correct-horse"] {
        assert!(!text.contains(secret), "{secret}");
    }

    assert_eq!(entries(&vendor, "action=release.").len(), 4);
    assert_eq!(entries(&vendor, "action=release.yank").len(), 1);
    assert_eq!(entries(&vendor, "actor=pipeline").len(), 1);
    assert_eq!(entries(&vendor, &format!("subject=subscription:{}", sold.id)).len(), 2);
    assert_eq!(entries(&vendor, "product=office-maker&action=stop.set").len(), 1);
    assert_eq!(entries(&vendor, "to=2020-01-01T00:00:00Z").len(), 0);
}

#[test]
fn the_log_can_be_taken_away_as_lines_and_as_a_table() {
    let vendor = Vendor::start();
    vendor.product_with(&json!({"name": "=cmd|' /C calc'!A0"}));
    let get = |query: &str| vendor.admin.get(&format!("/api/v1/admin/audit?{query}")).send();
    let lines = get("format=jsonl");
    let read: Vec<Value> = lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::from(read), get("").ok()["items"]);
    let table = get("format=csv&limit=1");
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!((table.header("cache-control"), lines.header("cache-control")), ("no-store", "no-store"));
    assert_eq!(table.header("link"), "<?format=csv&limit=1&after=2>; rel=\"next\"");
    let next = get("format=csv&limit=1&after=2");
    assert!(next.text().lines().nth(1).is_some_and(|line| line.starts_with("1,")), "{}", next.text());
    assert_eq!(get("actor=%00&subject=%00&action=%00").ok()["items"], json!([]));
    assert!(table.text().starts_with("number,at,actor_kind,"), "{}", table.text());
    assert_eq!(table.text().lines().count(), 2);
    get("format=pdf").refused(422, "parameter_invalid");
}

#[test]
fn what_was_altered_or_removed_is_found() {
    let mut vendor = Vendor::start();
    let office = vendor.product();
    for _ in 0..3 {
        office.sell("single_user");
    }
    let (whole, said) = verify(&vendor, &[]);
    assert!(whole, "{said}");
    let head = said.lines().find_map(|line| line.strip_prefix("head ")).unwrap().to_owned();
    assert!(head.starts_with("11:"), "{said}");
    vendor.product_with(&json!({"slug": "library-maker"}));
    assert!(verify(&vendor, &["--head", &head]).0, "the log may grow");
    let another = format!("11:{}", "0".repeat(64));
    let (whole, said) = verify(&vendor, &["--head", &another]);
    assert!(!whole && said.contains("rewritten"), "{said}");

    // An honest statement is refused. Somebody who owns the database can do without the trigger.
    vendor.stop();
    match stores() {
        Kind::SqliteAndFiles => {
            assert!(vendor.file().execute("DELETE FROM audit_log WHERE number = 12", []).is_err());
            vendor.execute("DROP TRIGGER audit_log_keeps");
            vendor.execute("DROP TRIGGER audit_log_stays");
        }
        Kind::PostgresqlAndS3 => vendor.execute("DROP TRIGGER audit_log_stays ON audit_log"),
    }
    vendor.execute("DELETE FROM audit_log WHERE number = 12");
    let (whole, said) = verify(&vendor, &[]);
    assert!(!whole && said.contains("ends with entry 11, and should with 12"), "{said}");
    // What is written afterwards does not make it good.
    vendor.announce_errors("the audit log is not as this server left it");
    vendor.run();
    vendor.product_with(&json!({"slug": "map-maker"}));
    assert_eq!(entries(&vendor, "")[0]["number"], 12);
    assert!(!verify(&vendor, &[]).0);
    vendor.stop();
    vendor.execute("DELETE FROM audit_log WHERE number = 5");
    let (whole, said) = verify(&vendor, &[]);
    assert!(!whole && said.contains("entry 5 is missing"), "{said}");
    vendor.execute("UPDATE audit_log SET actor_name = 'somebody else' WHERE number = 3");
    let (whole, said) = verify(&vendor, &[]);
    assert!(!whole && said.contains("entry 3 does not match"), "{said}");
    vendor.execute("UPDATE audit_log SET address = 'nowhere' WHERE number = 1 AND address IS NULL");
    let (whole, said) = verify(&vendor, &[]);
    assert!(!whole && said.contains("entry 1 does not match"), "{said}");
    vendor.run();
}
