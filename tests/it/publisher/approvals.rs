//! The two-person rule: what one person asks for is done when a second one approves it, and not before.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Actor, Admin, Answer, Product, Vendor, eventually, pages, server::PASSWORD, vendor::log_in_as};

/// A vendor with a second owner, who may approve at once.
fn two_owners() -> (Vendor, Admin) {
    let vendor = Vendor::with(&[("approvals.new_approvers_wait", "1ms")]);
    let (second, _) = vendor.colleague_with(&json!({"role": "owner"}));
    (vendor, second)
}

fn rule(product: &Product<'_>, on: bool) -> Answer {
    product.vendor.admin.patch(&product.path).json(&json!({"two_person_rule": on})).send()
}

fn ask(actor: &impl Actor, path: &str, body: &Value) -> Value {
    let call = actor.post(path);
    let answer = if body.is_null() { call } else { call.json(body) }.send();
    is_asked(answer)
}

/// 202 with an approval that waits.
#[track_caller]
fn is_asked(answer: Answer) -> Value {
    let place = answer.header("location").to_owned();
    let approval = answer.accepted()["approval"].clone();
    assert_eq!(approval["status"], "pending", "{approval}");
    assert_eq!(place, path(&approval));
    approval
}

fn path(approval: &Value) -> String {
    format!("/api/v1/approvals/{}", approval["id"].as_str().expect("an id"))
}

fn approve(actor: &impl Actor, approval: &Value) -> Answer {
    actor.post(&format!("{}/approve", path(approval))).send()
}

fn reject(actor: &impl Actor, approval: &Value) -> Answer {
    actor.post(&format!("{}/reject", path(approval))).json(&json!({"reason": "not yet"})).send()
}

/// A draft with a file, and the approval of its publication, which the administrator asks for.
fn asked_publication(office: &Product<'_>, version: &str) -> Value {
    office.release(version).standalone(format!("the program, version {version}")).draft();
    ask(&office.vendor.admin, &format!("{}/publish", office.release_path(version)), &Value::Null)
}

fn state(office: &Product<'_>, version: &str) -> String {
    let release = office.vendor.admin.get(&office.release_path(version)).send().ok();
    release["state"].as_str().expect("a state").to_owned()
}

fn listed(vendor: &Vendor, query: &str) -> Vec<Value> {
    vendor.admin.get(&format!("/api/v1/approvals?{query}")).send().ok()["items"].as_array().expect("items").clone()
}

#[test]
fn a_publication_waits_for_a_second_persons_approval() {
    let (vendor, second) = two_owners();
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    let customer = office.sell("single_user").customer;
    office.release("13.0.0").standalone("the program").draft();
    let publish = format!("{}/publish", office.release_path("13.0.0"));
    let body = json!({"rollout": {"percent": 100, "stages": []}});
    let approval = ask(&vendor.admin, &publish, &body);
    assert_eq!((&approval["deed"], &approval["version"]), (&json!("publish"), &json!("13.0.0")));
    assert_eq!((&approval["product"], &approval["request"]), (&json!("office-maker"), &body));
    assert_eq!(approval["requested_by"]["name"], "admin@vendor.example");
    assert_eq!(approval["decision"], Value::Null);
    assert_eq!(state(&office, "13.0.0"), "draft");
    assert_eq!(customer.offered("office-maker", "12.0.0"), None);
    // Asked for again it is the same; asked for otherwise, another one.
    assert_eq!(ask(&vendor.admin, &publish, &body), approval);
    assert_eq!(ask(&second, &publish, &body), approval);
    let other = ask(&vendor.admin, &publish, &json!({"rollout": {"percent": 5}}));
    assert_ne!(other["id"], approval["id"]);
    assert_eq!(listed(&vendor, "product=office-maker&status=pending"), [other.clone(), approval.clone()]);

    approve(&vendor.admin, &approval).refused(403, "approver_is_requester");
    assert_eq!(state(&office, "13.0.0"), "draft");
    let call = second.post(&format!("{}/approve", path(&approval)));
    let approved = call.json(&json!({"note": "tried at home"})).send().ok();
    assert_eq!((&approved["status"], &approved["id"]), (&json!("approved"), &approval["id"]));
    let decision = &approved["decision"];
    assert_eq!((&decision["name"], &decision["note"]), (&json!("owner@vendor.example"), &json!("tried at home")));
    assert_eq!(second.get(&path(&approval)).send().ok(), approved);
    let release = vendor.admin.get(&office.release_path("13.0.0")).send().ok();
    assert_eq!((&release["state"], &release["manifest_revision"]), (&json!("published"), &json!(1)));
    let moment = |value: &Value| value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).expect("a time");
    assert!(moment(&release["published_at"]) > moment(&approval["requested_at"]), "out since the approval");
    assert_eq!(customer.offered("office-maker", "12.0.0").as_deref(), Some("13.0.0"));

    approve(&second, &approval).refused(409, "approval_decided").says("owner@vendor.example");
    reject(&second, &approval).refused(409, "approval_decided");
    approve(&second, &other).refused(409, "approval_void").says("release.publish");
    assert_eq!(listed(&vendor, "status=approved"), [approved]);
    assert_eq!(listed(&vendor, "status=void")[0]["id"], other["id"]);
    assert_eq!(listed(&vendor, "status=pending"), [] as [Value; 0]);
    assert_eq!(pages::all(&vendor.admin, "/api/v1/approvals", 1).len(), 2);

    let entries = vendor.admin.get("/api/v1/admin/audit?limit=200").send().ok()["items"].clone();
    let entry = |action: &str| {
        let entries = entries.as_array().expect("entries");
        entries.iter().find(|entry| entry["action"] == action).unwrap_or_else(|| panic!("{action}: {entries:?}"))
    };
    assert_eq!(entry("release.publish")["actor"]["name"], "owner@vendor.example");
    let origin = json!({"id": approval["id"], "requested_by": "admin@vendor.example"});
    assert_eq!(entry("release.publish")["details"]["approval"], origin);
    assert_eq!(entry("approval.request")["actor"]["name"], "admin@vendor.example");
    let decided = &entry("approval.approve")["details"]["after"];
    assert_eq!(decided["requested_by"], "admin@vendor.example");
    assert_eq!((&decided["decided_by"], &decided["note"]), (&json!("owner@vendor.example"), &json!("tried at home")));
}

#[test]
fn what_would_be_refused_is_refused_at_once() {
    let (vendor, _) = two_owners();
    let required = json!([{"component": "server", "platform": "linux", "arch": "x86_64"}]);
    let office = vendor.product_with(&json!({"required_artifacts": required}));
    let forced = json!({"force": {"reason": "the server follows"}});
    office.release("12.0.0").standalone("the program").draft();
    office.steer("12.0.0", "publish", &forced);
    rule(&office, true).ok();
    office.release("13.0.0").standalone("the program").draft();
    let post = |version: &str, verb: &str, body: &Value| {
        vendor.admin.post(&format!("{}/{verb}", office.release_path(version))).json(body).send()
    };
    post("13.0.0", "publish", &json!({})).refused(422, "release_incomplete");
    post("13.0.0", "publish", &json!({"force": {"reason": ""}})).refused(422, "body_invalid");
    post(
        "13.0.0",
        "publish",
        &json!({"rollout": {"percent": 10, "stages": [{"percent": 5, "after_hours": 1}]}, "force": {"reason": "x"}}),
    )
    .refused(422, "body_invalid");
    post("14.0.0", "publish", &json!({})).refused(404, "release_not_found");
    post("12.0.0", "publish", &forced).refused(409, "release_published");
    post("12.0.0", "restore", &json!({})).refused(409, "release_not_yanked");
    post("12.0.0", "promote", &json!({"channel": "stable"})).refused(422, "body_invalid");
    let publish = format!("{}/publish", office.release_path("13.0.0"));
    vendor.admin.post(&publish).header("if-match", "\"99\"").json(&forced).send().refused(412, "precondition_failed");
    vendor.admin.delete(&format!("{}/stop", office.path)).send().refused(404, "stop_not_found");
    assert_eq!(listed(&vendor, ""), [] as [Value; 0]);
    // What was only tried has left no trace, and a reason overrides here as elsewhere.
    assert_eq!(state(&office, "13.0.0"), "draft");
    let entries = vendor.admin.get("/api/v1/admin/audit?action=release.publish").send().ok();
    assert_eq!(entries["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(ask(&vendor.admin, &publish, &forced)["request"], forced);
}

#[test]
fn whatever_else_brings_a_release_to_customers_waits_too() {
    let (vendor, second) = two_owners();
    let office = vendor.product();
    let customer = office.sell("single_user").customer;
    let offered = || customer.offered("office-maker", "12.0.0");
    office.release("13.0.0").publish();
    rule(&office, true).ok();
    let waits = |approval: &Value, deed: &str, before: Option<&str>| {
        assert_eq!(approval["deed"], deed);
        assert_eq!(offered().as_deref(), before, "{deed} was asked for");
        approve(&vendor.admin, approval).refused(403, "approver_is_requester");
        assert_eq!(approve(&second, approval).ok()["status"], "approved");
        assert_eq!(offered().as_deref(), Some("13.0.0"), "{deed} was approved");
    };

    office.steer("13.0.0", "yank", &json!({"reason": "it loses files"}));
    let restore = format!("{}/restore", office.release_path("13.0.0"));
    waits(&ask(&vendor.admin, &restore, &Value::Null), "restore", None);

    office.stop(None);
    office.stop(Some("beta"));
    let stop = format!("{}/stop", office.path);
    let lifting = is_asked(vendor.admin.delete(&stop).send());
    assert_eq!(lifting["request"], json!({"channel": null}));
    let beta = is_asked(vendor.admin.delete(&format!("{stop}?channel=beta")).send());
    assert_ne!(lifting["id"], beta["id"]);
    waits(&lifting, "lift_stop", None);
    assert_eq!(vendor.admin.get(&stop).send().ok()["items"][0]["channel"], "beta", "the other stop is still on");
    waits(&beta, "lift_stop", Some("13.0.0"));

    let run = Uuid::new_v4();
    let report = json!({"run": run, "installation": run, "product": "office-maker", "component": "standalone",
        "from_version": "12.0.0", "to_version": "13.0.0", "stage": "migrating",
        "error": {"class": "data_loss", "code": "x", "message": "y"}});
    customer.post("/api/v1/reports").json(&report).send().accepted();
    let rollout = format!("{}/rollout", office.release_path("13.0.0"));
    eventually(10, "the halt", || (vendor.admin.get(&rollout).send().ok()["state"] == "halted").then_some(()));
    let resume = format!("{rollout}/resume");
    vendor.admin.post(&resume).json(&json!({})).send().refused(422, "body_invalid").names(&["reason"]);
    let ci = vendor.ci(&["releases:publish"]);
    ci.post(&resume).json(&json!({"reason": "x"})).send().refused(403, "scope_insufficient");
    let going_on = ask(&vendor.admin, &resume, &json!({"reason": "the report was about something else"}));
    waits(&going_on, "resume_halt", None);
    let now = vendor.admin.get(&rollout).send().ok();
    assert_eq!((&now["state"], &now["votes"]["data_loss"]), (&json!("running"), &json!(0)), "counted anew");

    let promotion = asked_promotion(&office, &second);
    assert_eq!(approve(&second, &promotion).ok()["status"], "approved");
    assert_eq!(offered().as_deref(), Some("14.0.0"));
}

/// A release on the beta channel whose promotion the administrator has asked for.
fn asked_promotion(office: &Product<'_>, second: &Admin) -> Value {
    let admin = &office.vendor.admin;
    office.release("14.0.0").with("channel", "beta").standalone("the next one").draft();
    let publication = ask(admin, &format!("{}/publish", office.release_path("14.0.0")), &json!({}));
    approve(second, &publication).ok();
    ask(admin, &format!("{}/promote", office.release_path("14.0.0")), &json!({"channel": "stable"}))
}

#[test]
fn what_makes_things_safer_is_done_at_once() {
    let (vendor, second) = two_owners();
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    approve(&second, &asked_publication(&office, "13.0.0")).ok();
    let rollout = format!("{}/rollout", office.release_path("13.0.0"));
    assert_eq!(office.steer("13.0.0", "rollout/pause", &json!({}))["state"], "paused");
    assert_eq!(office.steer("13.0.0", "rollout/resume", &Value::Null)["state"], "running");
    assert_eq!(vendor.admin.put(&rollout).json(&json!({"percent": 5})).send().ok()["percent"], 5);
    vendor.admin.patch(&office.release_path("13.0.0")).json(&json!({"notes": {"en": "Better words."}})).send().ok();
    vendor
        .admin
        .patch(&office.path)
        .json(&json!({"name": "Office", "channels": ["stable", "beta", "alpha", "nightly"]}))
        .send()
        .ok();
    office.stop(None);
    assert_eq!(office.steer("13.0.0", "yank", &json!({"reason": "x"}))["state"], "yanked");
    assert_eq!(listed(&vendor, "").len(), 1);
}

#[test]
fn what_a_token_asks_for_counts_as_asked_by_who_made_it() {
    let (vendor, second) = two_owners();
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    let (pipeline, made) =
        vendor.ci_with(&json!({"name": "pipeline", "scopes": ["releases:write", "releases:publish"]}));
    let admin_id = vendor.admin.get("/api/v1/auth/me").send().ok()["id"].clone();
    assert_eq!(made["created_by"], admin_id);
    office.release("13.0.0").standalone("the program").draft();
    let publish = format!("{}/publish", office.release_path("13.0.0"));
    let approval = ask(&pipeline, &publish, &Value::Null);
    let asker = &approval["requested_by"];
    assert_eq!((&asker["kind"], &asker["name"], &asker["id"]), (&json!("machine"), &json!("pipeline"), &made["id"]));
    assert_eq!(pipeline.get(&path(&approval)).send().ok()["status"], "pending", "a pipeline may look");
    approve(&pipeline, &approval).refused(403, "scope_insufficient");
    approve(&vendor.admin, &approval).refused(403, "approver_is_requester");
    // Also when the token is gone.
    let token = format!("/api/v1/admin/tokens/{}", made["id"].as_str().expect("an id"));
    vendor.admin.delete(&token).send().no_content();
    approve(&vendor.admin, &approval).refused(403, "approver_is_requester");
    approve(&second, &approval).ok();
    assert_eq!(state(&office, "13.0.0"), "published");

    // Nor does it help to delete it while it asks.
    let (_, made) = vendor.ci_with(&json!({"name": "short", "scopes": ["releases:publish"]}));
    office.release("13.1.0").standalone("the program").draft();
    let mut stream =
        TcpStream::connect(vendor.address().lock().expect("an address").to_string()).expect("a connection");
    let publish = format!("{}/publish", office.release_path("13.1.0"));
    let bearer = made["token"].as_str().expect("a token");
    let head = format!(
        "POST {publish} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {bearer}\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).expect("half a request");
    let token = |made: &Value| {
        let all = vendor.admin.get("/api/v1/admin/tokens?limit=200").send().ok()["items"].as_array()?.clone();
        all.into_iter().find(|token| token["id"] == made["id"])
    };
    eventually(5, "the token to be recognised", || token(&made).filter(|token| !token["last_used_at"].is_null()));
    let deleted = format!("/api/v1/admin/tokens/{}", made["id"].as_str().expect("an id"));
    vendor.admin.delete(&deleted).send().no_content();
    stream.write_all(b"}").expect("the rest");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("an answer");
    assert!(said.starts_with("HTTP/1.1 401 "), "{said}");
    assert_eq!(listed(&vendor, "status=pending"), Vec::<Value>::new());

    // Whoever made it is gone: any other person is a second one.
    let third = json!({"email": "third@vendor.example", "password": PASSWORD, "role": "owner"});
    let third = vendor.admin.post("/api/v1/admin/users").json(&third).send().created();
    let session = vendor.person(&log_in_as(&vendor.anonymous(), &json!({"email": "third@vendor.example"})).ok());
    office.release("14.0.0").standalone("the program").draft();
    let approval = ask(&session, &format!("{}/publish", office.release_path("14.0.0")), &Value::Null);
    vendor.admin.delete(&format!("/api/v1/admin/users/{}", third["id"].as_str().expect("an id"))).send().no_content();
    approve(&vendor.admin, &approval).ok();
    assert_eq!(state(&office, "14.0.0"), "published");
}

#[test]
fn users_without_access_to_a_product_do_not_see_its_approvals() {
    let (vendor, _) = two_owners();
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    let approval = asked_publication(&office, "13.0.0");
    let manager = |email: &str, product: &str| {
        vendor.colleague_with(&json!({"role": "release_manager", "email": email, "products": [product]})).0
    };
    let librarian = manager("librarian@vendor.example", "library-maker");
    librarian.get(&path(&approval)).send().refused(404, "approval_not_found");
    approve(&librarian, &approval).refused(404, "approval_not_found");
    reject(&librarian, &approval).refused(404, "approval_not_found");
    assert_eq!(librarian.get("/api/v1/approvals").send().ok()["items"], json!([]));
    librarian.get("/api/v1/approvals?product=office-maker").send().refused(404, "product_not_found");
    let colleague = manager("office@vendor.example", "office-maker");
    assert_eq!(colleague.get("/api/v1/approvals").send().ok()["items"][0]["id"], approval["id"]);
    approve(&colleague, &approval).ok();
    assert_eq!(state(&office, "13.0.0"), "published");
}

#[test]
fn a_request_is_void_once_what_it_is_about_has_changed() {
    let (vendor, second) = two_owners();
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    let is_void = |approval: &Value, by: &str| {
        assert_eq!(vendor.admin.get(&path(approval)).send().ok()["status"], "void", "{by}");
        approve(&second, approval).refused(409, "approval_void").says(&format!("`{by}` by `admin@vendor.example`"));
    };
    let release = |version: &str| office.release_path(version);

    let approval = asked_publication(&office, "13.0.0");
    vendor.admin.patch(&release("13.0.0")).json(&json!({"notes": {"en": "Other words."}})).send().ok();
    is_void(&approval, "release.change");
    let publish = format!("{}/publish", release("13.0.0"));
    let approval = ask(&vendor.admin, &publish, &Value::Null);
    let place = "component=standalone&platform=windows&arch=x86_64";
    let upload = format!("{}/artifacts/other.exe?{place}", release("13.0.0"));
    vendor.admin.put(&upload).body("another file").send().created();
    is_void(&approval, "release.upload");
    let approval = ask(&vendor.admin, &publish, &Value::Null);
    vendor.admin.put(&upload).body("other bytes").send().created();
    is_void(&approval, "release.upload");
    let approval = ask(&vendor.admin, &publish, &Value::Null);
    vendor.admin.delete(&release("13.0.0")).send().no_content();
    is_void(&approval, "release.delete");
    // Another draft of the same version is another release.
    let again = asked_publication(&office, "13.0.0");
    is_void(&approval, "release.delete");
    assert_eq!(listed(&vendor, "status=void").len(), 4);
    approve(&second, &again).ok();

    office.steer("13.0.0", "yank", &json!({"reason": "x"}));
    let stop = format!("{}/stop", office.path);
    office.stop(None);
    let lifting = is_asked(vendor.admin.delete(&stop).send());
    office.stop(Some("beta"));
    assert_eq!(vendor.admin.get(&path(&lifting)).send().ok()["status"], "pending", "another stop is another thing");
    office.stop(None);
    is_void(&lifting, "stop.set");

    let off = is_asked(rule(&office, false));
    vendor.admin.patch(&office.path).json(&json!({"name": "Office"})).send().ok();
    is_void(&off, "product.change");
    assert_eq!(vendor.admin.get(&office.path).send().ok()["two_person_rule"], true);

    let promotion = asked_promotion(&office, &second);
    office.steer("14.0.0", "rollout/pause", &json!({}));
    is_void(&promotion, "rollout.pause");
    // Whoever has seen enough of it takes it off the list.
    assert_eq!(reject(&second, &promotion).ok()["status"], "rejected");
    approve(&second, &promotion).refused(409, "approval_decided");
    reject(&second, &promotion).refused(409, "approval_decided");
}

#[test]
fn void_and_unrelated_requests_prevent_no_new_request() {
    let (vendor, second) = two_owners();
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    let stop = format!("{}/stop", office.path);
    let lift = || vendor.admin.delete(&stop).send();
    for _ in 0..20 {
        office.stop(None);
        is_asked(lift());
    }
    office.stop(None);
    assert_eq!(listed(&vendor, "status=void&limit=200").len(), 20);

    let change =
        |name: &str| vendor.admin.patch(&office.path).json(&json!({"two_person_rule": false, "name": name})).send();
    for number in 0..20 {
        is_asked(change(&format!("Office {number}")));
    }
    change("one too many").refused(409, "conflict").says("20 requests");
    // Asked for again it is the same; and each that is rejected makes room.
    reject(&second, &is_asked(change("Office 7"))).ok();
    is_asked(change("one too many"));
    assert_eq!(listed(&vendor, "status=pending&limit=200").len(), 20);
    approve(&second, &is_asked(lift())).ok();
    assert_eq!(vendor.admin.get(&stop).send().ok()["items"], json!([]));

    asked_publication(&office, "13.0.0");
    for number in 0..20 {
        let notes = json!({"notes": {"en": format!("Words, number {number}.")}});
        vendor.admin.patch(&office.release_path("13.0.0")).json(&notes).send().ok();
        ask(&vendor.admin, &format!("{}/publish", office.release_path("13.0.0")), &Value::Null);
    }
}

#[test]
fn a_promotion_is_void_once_its_channel_is_replaced() {
    let (vendor, second) = two_owners();
    let office = vendor.product_with(&json!({"channels": ["stable", "beta", "alpha"]}));
    office.release("13.0.0-rc.1").with("channel", "alpha").standalone("the program").publish();
    rule(&office, true).ok();
    let promote = format!("{}/promote", office.release_path("13.0.0-rc.1"));
    let approval = ask(&vendor.admin, &promote, &json!({"channel": "beta"}));
    for channels in [json!(["stable", "alpha"]), json!(["beta", "stable", "alpha"])] {
        vendor.admin.patch(&office.path).json(&json!({"channels": channels})).send().ok();
    }
    approve(&second, &approval).refused(409, "approval_void");
}

#[test]
fn an_expired_request_and_a_self_made_approver_are_refused() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let (second, made) = vendor.colleague_with(&json!({"role": "owner"}));
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    let approval = asked_publication(&office, "13.0.0");
    let waits = |approval: &Value, action: &str, until: &str| {
        approve(&second, approval).refused(403, "approver_not_independent").says(action).says(until);
    };
    waits(&approval, "user.add", "2030-03-02T08:");
    vendor.travel_to("2030-03-02T09:00:00Z");
    let account = format!("/api/v1/admin/users/{}", made["id"].as_str().expect("an id"));
    vendor.admin.patch(&account).json(&json!({"email": "second@vendor.example"})).send().ok();
    waits(&approval, "user.change", "2030-03-03T09:");
    // What they change themselves is their own business.
    vendor.travel_to("2030-03-03T10:00:00Z");
    let change = json!({"current_password": PASSWORD, "password": "another-password"});
    second.patch("/api/v1/auth/me").json(&change).send().no_content();
    let credentials = json!({"email": "second@vendor.example", "password": "another-password"});
    let second = vendor.person(&log_in_as(&vendor.anonymous(), &credentials).ok());
    let later = asked_publication(&office, "13.1.0");
    vendor.travel_to("2030-03-04T08:30:00Z");
    approve(&second, &approval).refused(409, "approval_expired").says("2030-03-04T08:");
    reject(&second, &approval).refused(409, "approval_expired");
    assert_eq!(listed(&vendor, "status=expired")[0]["id"], approval["id"]);
    assert_eq!(listed(&vendor, "status=pending")[0]["id"], later["id"]);
    approve(&second, &later).ok();
    // Asked for again it is a new one.
    let publish = format!("{}/publish", office.release_path("13.0.0"));
    let anew = ask(&vendor.admin, &publish, &Value::Null);
    assert_ne!(anew["id"], approval["id"]);
    approve(&second, &anew).ok();
    assert_eq!(state(&office, "13.0.0"), "published");
}

#[test]
fn a_publication_for_later_is_approved_now_and_comes_by_itself() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[("approvals.new_approvers_wait", "1ms")]);
    let (second, _) = vendor.colleague_with(&json!({"role": "release_manager"}));
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    let customer = office.sell("single_user").customer;
    let ask_for = |version: &str, body: Value| {
        office.release(version).standalone(version).draft();
        ask(&vendor.admin, &format!("{}/publish", office.release_path(version)), &body)
    };
    let later = ask_for("14.0.0", json!({"published_at": "2030-03-05T08:00:00Z"}));
    let stages = json!({"percent": 0, "stages": [{"percent": 100, "after_hours": 2}]});
    let staged = ask_for("13.0.0", json!({"published_at": "2030-02-01T08:00:00Z", "rollout": stages}));
    vendor.travel_to("2030-03-02T08:00:00Z");
    approve(&second, &later).ok();
    approve(&second, &staged).ok();
    let release = vendor.admin.get(&office.release_path("13.0.0")).send().ok();
    assert_eq!(release["published_at"], "2030-02-01T08:00:00Z");
    let opens_at = release["rollout"]["stages"][0]["opens_at"].as_str().expect("a time");
    assert!(opens_at.starts_with("2030-03-02T10:00"), "two hours from the approval: {opens_at}");
    assert_eq!(customer.offered("office-maker", "12.0.0"), None);
    vendor.travel_to("2030-03-05T08:00:01Z");
    assert_eq!(customer.offered("office-maker", "12.0.0").as_deref(), Some("14.0.0"));
}

#[test]
fn the_rule_is_turned_on_with_two_people_and_off_by_two() {
    let vendor = Vendor::with(&[("approvals.new_approvers_wait", "1ms")]);
    let office = vendor.product();
    vendor.colleague_with(&json!({"role": "support"}));
    let library = json!({"slug": "library-maker", "name": "Library Maker"});
    vendor.admin.post("/api/v1/products").json(&library).send().created();
    vendor.colleague_with(
        &json!({"role": "release_manager", "email": "x@vendor.example", "products": ["library-maker"]}),
    );
    rule(&office, true).refused(409, "second_person_missing");
    let photo = json!({"slug": "photo-maker", "name": "Photo Maker", "two_person_rule": true});
    vendor.admin.post("/api/v1/products").json(&photo).send().refused(409, "second_person_missing");
    let (manager, _) = vendor.colleague_with(&json!({"role": "release_manager"}));
    assert_eq!(rule(&office, true).ok()["two_person_rule"], true);
    vendor.admin.post("/api/v1/products").json(&photo).send().created();

    let off = is_asked(rule(&office, false));
    assert_eq!((&off["deed"], &off["request"]), (&json!("change_product"), &json!({"two_person_rule": false})));
    approve(&vendor.admin, &off).refused(403, "approver_is_requester");
    approve(&manager, &off).refused(403, "role_insufficient").says("`owner`");
    // In another order of the channels what was beta would be stable.
    let change = json!({"name": "Office", "channels": ["beta", "stable", "alpha"]});
    let reordered = is_asked(vendor.admin.patch(&office.path).json(&change).send());
    let (owner, _) = vendor.colleague_with(&json!({"role": "owner"}));
    assert_eq!(vendor.admin.get(&office.path).send().ok()["channels"], json!(["stable", "beta", "alpha"]));
    approve(&owner, &reordered).ok();
    let changed = vendor.admin.get(&office.path).send().ok();
    assert_eq!((&changed["name"], &changed["channels"]), (&change["name"], &change["channels"]));
    approve(&owner, &off).refused(409, "approval_void");
    let off = is_asked(rule(&office, false));
    approve(&owner, &off).ok();
    assert_eq!(vendor.admin.get(&office.path).send().ok()["two_person_rule"], false);
    office.release("13.0.0").publish();
}

#[test]
fn trusting_a_pipeline_takes_two_owners_and_distrusting_it_one() {
    let (vendor, second) = two_owners();
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    let publishers = format!("{}/trusted-publishers", office.path);
    let new = json!({"preset": "github", "repository": "vendor/office-maker", "workflow": "release.yml",
        "ref": "refs/tags/v*", "scopes": ["releases:write"]});
    let wrong =
        json!({"preset": "github", "repository": "no path", "workflow": "release.yml", "scopes": ["releases:write"]});
    vendor.admin.post(&publishers).json(&wrong).send().refused(422, "body_invalid").names(&["repository"]);
    let approval = ask(&vendor.admin, &publishers, &new);
    let trusted = || vendor.admin.get(&publishers).send().ok()["items"].as_array().expect("items").clone();
    assert_eq!((&approval["deed"], trusted().len()), (&json!("trust"), 0));
    approve(&vendor.admin, &approval).refused(403, "approver_is_requester");
    let manager = vendor.colleague_with(&json!({"role": "release_manager"})).0;
    approve(&manager, &approval).refused(403, "role_insufficient");
    // What happens to the product meanwhile makes it no other pipeline.
    office.stop(None);
    approve(&second, &approval).ok();
    let [publisher] = &trusted()[..] else { panic!("one is trusted") };
    assert_eq!(publisher["claims"]["repository"], "vendor/office-maker");
    let path = format!("{publishers}/{}", publisher["id"].as_str().expect("an id"));
    vendor.admin.delete(&path).send().no_content();
    assert_eq!(trusted().len(), 0);
}

#[test]
fn what_was_rejected_or_withdrawn_is_not_done() {
    let (vendor, second) = two_owners();
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    let approval = asked_publication(&office, "13.0.0");
    second
        .post(&format!("{}/reject", path(&approval)))
        .json(&json!({}))
        .send()
        .refused(422, "body_invalid")
        .names(&["reason"]);
    let rejected = reject(&second, &approval).ok();
    assert_eq!((&rejected["status"], &rejected["decision"]["note"]), (&json!("rejected"), &json!("not yet")));
    approve(&second, &approval).refused(409, "approval_decided").says("rejected");
    let again = ask(&vendor.admin, &format!("{}/publish", office.release_path("13.0.0")), &Value::Null);
    assert_ne!(again["id"], approval["id"]);
    assert_eq!(reject(&vendor.admin, &again).ok()["decision"]["name"], "admin@vendor.example");
    approve(&second, &again).refused(409, "approval_decided");
    assert_eq!(state(&office, "13.0.0"), "draft");
    assert_eq!(listed(&vendor, "status=rejected").len(), 2);
    second.get(&path(&json!({"id": Uuid::new_v4()}))).send().refused(404, "approval_not_found");
    vendor.admin.get("/api/v1/approvals?status=maybe").send().refused(422, "parameter_invalid");
}

#[test]
fn somebody_who_was_added_on_the_machine_may_approve_at_once() {
    let vendor = Vendor::start();
    vendor.colleague_with(&json!({"role": "release_manager"}));
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    let approval = asked_publication(&office, "13.0.0");
    let made = vendor.command(&["admin", "create", "--email", "anna@vendor.example"]).output().expect("an end");
    let said = String::from_utf8(made.stdout).expect("text");
    let password = said.lines().find_map(|line| line.strip_prefix("password: ")).expect("a password");
    let credentials = json!({"email": "anna@vendor.example", "password": password});
    let anna = vendor.person(&log_in_as(&vendor.anonymous(), &credentials).ok());
    assert_eq!(approve(&anna, &approval).ok()["decision"]["name"], "anna@vendor.example");
    assert_eq!(state(&office, "13.0.0"), "published");
}

/// How many lines of the log say this.
fn logged(vendor: &Vendor, words: &str) -> usize {
    vendor.log().iter().filter(|line| line.contains(words)).count()
}

#[test]
fn the_log_says_what_was_approved_once_it_is_done() {
    let (vendor, second) = two_owners();
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    let says = |words: &str, count: usize| {
        eventually(10, words, || (logged(&vendor, words) == count).then_some(()));
    };
    let publication = asked_publication(&office, "13.0.0");
    says("a second person is asked for", 1);
    assert_eq!(logged(&vendor, "release published"), 0);
    approve(&second, &publication).ok();
    says("release published", 1);
    says("a request was decided", 1);
    office.stop(None);
    says("stop set", 1);
    let lifting = is_asked(vendor.admin.delete(&format!("{}/stop", office.path)).send());
    says("a second person is asked for", 2);
    assert_eq!(logged(&vendor, "stop lifted"), 0);
    approve(&second, &lifting).ok();
    says("stop lifted", 1);
    office.steer("13.0.0", "yank", &json!({"reason": "it loses pages"}));
    says("release steered", 1);
    let restoring = ask(&vendor.admin, &format!("{}/restore", office.release_path("13.0.0")), &Value::Null);
    says("a second person is asked for", 3);
    assert_eq!(logged(&vendor, "release steered"), 1);
    approve(&second, &restoring).ok();
    says("release steered", 2);
    assert_eq!(logged(&vendor, "release published"), 1);
}
