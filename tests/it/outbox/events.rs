//! What webhooks are told of.

use serde_json::{Value, json};

use super::{is_emptied, messages, new_run, report, webhook};
use crate::harness::{Actor as _, Vendor, eventually, hook::Hook};

const EVENTS: [&str; 5] =
    ["release.published", "release.yanked", "release.halted", "run.failed", "subscription.changed"];

/// The kinds of what was told, in the order in which it happened.
fn kinds(vendor: &Vendor, webhook: &str) -> Vec<String> {
    let mut all = messages(vendor, webhook, "limit=200");
    all.reverse();
    all.iter().map(|message| message["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn releases_are_told_of_when_they_come_and_go() {
    let (vendor, hook) = (Vendor::at("2030-03-01T08:00:00Z", &[]), Hook::start());
    let (path, _) = webhook(&vendor, &hook, &EVENTS);
    let office = vendor.product();
    office.release("12.0.0").draft();
    office.release("13.0.0").publish();
    let told = hook.wait_for(1);
    assert_eq!(told[0].kind(), "release.published");
    let data = told[0].data();
    assert_eq!((&data["product"], &data["version"]), (&json!("office-maker"), &json!("13.0.0")));
    assert_eq!((&data["channel"], &data["reason"]), (&json!("stable"), &Value::Null));
    assert!(told[0].json()["timestamp"].as_str().unwrap().starts_with("2030-03-01T08:"), "{:?}", told[0].json());
    office.steer("13.0.0", "yank", &json!({"reason": "it loses pages"}));
    let told = hook.wait_for(2);
    assert_eq!((told[1].kind().as_str(), &told[1].data()["reason"]), ("release.yanked", &json!("it loses pages")));
    office.steer("13.0.0", "restore", &Value::Null);
    // One that is to be out later is told of then, and notes and stages are nobody's business.
    office.release("14.0.0").published_at("2030-04-01T08:00:00Z").publish();
    office.steer("13.0.0", "rollout/pause", &json!({"reason": "lunch"}));
    hook.wait_for(3);
    assert_eq!(kinds(&vendor, &path), ["release.published", "release.yanked", "release.published"]);
}

#[test]
fn subscriptions_are_told_of_whatever_becomes_of_them() {
    let (vendor, hook) = (Vendor::start(), Hook::start());
    let (path, _) = webhook(&vendor, &hook, &EVENTS);
    let office = vendor.product();
    let sold = office.sell("single_user");
    let act = |verb: &str, body: Value| {
        let call = vendor.admin.post(&format!("{}/{verb}", sold.path));
        if body.is_null() { call } else { call.json(&body) }.send().ok();
    };
    vendor.admin.patch(&sold.path).json(&json!({"grace_days": 7})).send().ok();
    // What changes nothing is nothing to tell of, and neither are license keys.
    vendor.admin.patch(&sold.path).json(&json!({"grace_days": 7})).send().ok();
    vendor.admin.post(&format!("{}/keys", sold.path)).send().created();
    act("renew", json!({"ends_on": "2098-12-31"}));
    act("suspend", Value::Null);
    act("resume", Value::Null);
    act("cancel", json!({"at": "now"}));
    let mut told: Vec<_> = hook.wait_for(6).iter().map(crate::harness::hook::Told::data).collect();
    told.sort_by_key(|data| data["revision"].as_i64());
    assert_eq!(told.iter().map(|data| data["revision"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!((&told[1]["grace_days"], &told[2]["ends_on"]), (&json!(7), &json!("2098-12-31")));
    let states: Vec<_> = told.iter().map(|data| data["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["active", "active", "active", "suspended", "active", "cancelled"]);
    assert!(told.iter().all(|data| data["id"] == sold.id.as_str() && !data.to_string().contains(&sold.key)));
    assert_eq!(kinds(&vendor, &path).len(), 6);
}

#[test]
fn an_import_is_told_of_line_by_line() {
    let (vendor, hook) = (Vendor::start(), Hook::start());
    let (path, _) = webhook(&vendor, &hook, &["subscription.changed"]);
    vendor.product();
    // More than goes into one statement, and than is sent at once.
    let lines: String = (0..1200).map(|number| format!("C{number},office-maker,single_user,2020-01-01,\n")).collect();
    let file = format!("customer,product,deployment,starts_on,ends_on\n{lines}");
    let import = vendor.admin.post("/api/v1/admin/subscriptions/import").header("content-type", "text/csv");
    import.body(file).send().created();
    eventually(60, "every line is told of", || (hook.told().len() >= 1200).then_some(()));
    eventually(10, "none is left", || messages(&vendor, &path, "state=queued").is_empty().then_some(()));
    let told: std::collections::HashSet<_> = hook.told().iter().map(|told| told.id.clone()).collect();
    assert_eq!((told.len(), hook.told().len()), (1200, 1200));
}

#[test]
fn runs_that_did_not_work_are_told_of_with_what_went_wrong() {
    let (vendor, hook) = (Vendor::start(), Hook::start());
    let (path, _) = webhook(&vendor, &hook, &["run.failed"]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let sold = office.sell("multi_user");
    report(&sold.customer, &new_run(), "anna@example.com", &json!({}));
    report(&sold.customer, &new_run(), "anna@example.com", &json!({"outcome": "cancelled"}));
    let run = new_run();
    let error = json!({"class": "migration", "code": "E-42", "message": "no such table: invoice"});
    for _ in 0..3 {
        let failed = json!({"outcome": "rolled_back", "error": error, "notify_email": null});
        report(&sold.customer, &run, "anna@example.com", &failed);
    }
    is_emptied(&vendor, &path);
    let told = hook.wait_for(1);
    let data = told[0].data();
    assert_eq!((told[0].kind().as_str(), &data["run"], &data["error"]), ("run.failed", &json!(run), &error));
    assert_eq!((&data["subscription_id"], &data["outcome"]), (&json!(sold.id), &json!("rolled_back")));
}

#[test]
fn webhooks_get_a_limited_number_of_runs_a_subscription_a_day() {
    let settings = [("webhooks.runs_per_subscription_per_day", "3")];
    let (vendor, hook) = (Vendor::at("2030-03-01T08:00:00Z", &settings), Hook::start());
    let (path, _) = webhook(&vendor, &hook, &["run.failed"]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let (one, other) = (office.sell("multi_user"), office.sell("multi_user"));
    let fails = |customer: &crate::harness::Customer, run: &str, more: &Value| {
        let mut failed = json!({"outcome": "failed", "notify_email": null,
            "error": {"class": "internal", "code": "x", "message": "long ".repeat(300)}});
        failed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        report(customer, run, "", &failed);
    };
    let first = new_run();
    fails(&one.customer, &first, &json!({}));
    for _ in 0..4 {
        fails(&one.customer, &new_run(), &json!({}));
    }
    fails(&other.customer, &new_run(), &json!({}));
    // What was told is told no more, and no other limit is reached by it; a release that is none is nothing to tell of.
    fails(&one.customer, &first, &json!({}));
    fails(&other.customer, &new_run(), &json!({"to_version": "77.0.0"}));
    is_emptied(&vendor, &path);
    let told = hook.wait_for(4);
    assert!(told.iter().all(|told| told.data()["error"]["message"].as_str().unwrap().len() == 500), "{told:?}");
    assert_eq!(told.iter().filter(|told| told.data()["subscription_id"] == one.id.as_str()).count(), 3);
    let warned = || vendor.log().into_iter().filter(|line| line.contains("its limit of messages")).collect::<Vec<_>>();
    let warned = eventually(10, "warnings in the log", || Some(warned()).filter(|warned| warned.len() >= 2));
    assert!(warned.len() == 2 && warned.iter().all(|line| line.contains(&one.id)), "{warned:?}");
    vendor.travel_to("2030-03-02T08:05:00Z");
    fails(&one.customer, &new_run(), &json!({}));
    hook.wait_for(5);
}

#[test]
fn a_webhook_is_told_of_its_product_and_its_events_only() {
    let (vendor, hook, other) = (Vendor::start(), Hook::start(), Hook::start());
    let office = vendor.product();
    let library = vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    let new = json!({"url": hook.url(), "events": ["release.published"], "product": "library-maker"});
    vendor.admin.post("/api/v1/admin/webhooks").json(&new).send().created();
    webhook(&vendor, &other, &["release.yanked"]);
    office.release("13.0.0").publish();
    library.release("1.0.0").publish();
    library.steer("1.0.0", "yank", &json!({"reason": "x"}));
    assert_eq!(hook.wait_for(1)[0].data()["product"], "library-maker");
    assert_eq!(other.wait_for(1)[0].kind(), "release.yanked");
}

#[test]
fn what_waits_for_a_second_person_is_told_of_once() {
    let (vendor, hook) = (Vendor::start(), Hook::start());
    let (path, _) = webhook(&vendor, &hook, &["approval.requested"]);
    vendor.colleague_with(&json!({"role": "owner"}));
    let office = vendor.product_with(&json!({"two_person_rule": true}));
    office.release("13.0.0").standalone("the program").draft();
    let publish = || vendor.admin.post(&format!("{}/publish", office.release_path("13.0.0"))).send().accepted();
    let asked = publish();
    assert_eq!(publish(), asked);
    let told = hook.wait_for(1);
    let data = told[0].data();
    assert_eq!((&data["id"], &data["deed"]), (&asked["approval"]["id"], &json!("publish")));
    assert_eq!((&data["version"], &data["requested_by"]), (&json!("13.0.0"), &json!("admin@vendor.example")));
    assert_eq!(kinds(&vendor, &path), ["approval.requested"]);
}
