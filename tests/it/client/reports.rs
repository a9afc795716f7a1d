//! `POST /api/v1/reports`, and what staff see of them.

use std::thread;

use serde_json::{Value, json};

use crate::harness::{Actor, Customer, Vendor};

const RUN: &str = "0199a0de-0000-4000-8000-0000000000f1";

fn report(stage: &str) -> Value {
    json!({"run": RUN, "installation": "0199a0de-0000-4000-8000-0000000000e1", "product": "office-maker",
        "component": "standalone", "from_version": "12.4.0", "to_version": "13.0.0", "stage": stage})
}

fn with(mut report: Value, name: &str, value: Value) -> Value {
    report[name] = value;
    report
}

fn send(customer: &Customer, report: &Value) -> Value {
    customer.post("/api/v1/reports").json(report).send().accepted()
}

fn runs(vendor: &Vendor) -> Vec<Value> {
    vendor.admin.get("/api/v1/admin/runs").send().ok()["items"].as_array().unwrap().clone()
}

#[test]
fn a_run_is_followed_from_schedule_to_end() {
    let vendor = Vendor::start();
    let sold = vendor.product().sell("single_user");
    let scheduled = with(report("scheduled"), "scheduled_for", json!("2030-01-01T03:00:00Z"));
    let scheduled = with(scheduled, "notify_email", json!("anna@example.com"));
    assert_eq!(send(&sold.customer, &scheduled), json!({"run": RUN, "stage": "scheduled"}));
    for stage in ["downloading", "downloaded", "backing_up", "draining", "installing", "migrating"] {
        assert_eq!(send(&sold.customer, &report(stage))["stage"], stage);
    }
    let failed = with(report("ended"), "outcome", json!("rolled_back"));
    let error = json!({"class": "migration", "code": "E-42", "message": "no such table: invoice"});
    let answer = send(&sold.customer, &with(failed, "error", error.clone()));
    assert_eq!(answer, json!({"run": RUN, "stage": "ended", "help_url": "https://vendor.example/help"}));

    let runs = runs(&vendor);
    assert_eq!(runs.len(), 1);
    let run = &runs[0];
    assert_eq!((&run["stage"], &run["outcome"], &run["error"]), (&json!("ended"), &json!("rolled_back"), &error));
    assert_eq!(
        (&run["scheduled_for"], &run["notify_email"]),
        (&json!("2030-01-01T03:00:00Z"), &json!("anna@example.com"))
    );
    assert_eq!((&run["subscription_id"], &run["product"]), (&json!(sold.id), &json!("office-maker")));
}

#[test]
fn repeated_and_late_reports_change_nothing_that_is_further_on() {
    let vendor = Vendor::start();
    let customer = vendor.product().sell("single_user").customer;
    let ended = with(report("ended"), "outcome", json!("succeeded"));
    for _ in 0..3 {
        assert_eq!(send(&customer, &ended)["stage"], "ended");
    }
    let before = runs(&vendor);
    assert_eq!(send(&customer, &report("downloading"))["stage"], "ended");
    let other = with(report("ended"), "outcome", json!("failed"));
    let other = with(other, "error", json!({"class": "network", "code": "x", "message": "y"}));
    send(&customer, &other);
    let mut after = runs(&vendor);
    after[0]["last_reported_at"] = before[0]["last_reported_at"].clone();
    assert_eq!(after, before);
    // What only an earlier report knows is taken in even when it comes late.
    send(&customer, &with(report("scheduled"), "notify_email", json!("anna@example.com")));
    assert_eq!(runs(&vendor)[0]["notify_email"], "anna@example.com");
}

#[test]
fn reports_of_one_run_that_come_all_at_once_make_one_run() {
    let vendor = Vendor::start();
    let customer = vendor.product().sell("single_user").customer;
    thread::scope(|scope| {
        for stage in ["scheduled", "downloading", "downloaded", "backing_up", "installing", "migrating", "ended"] {
            let customer = &customer;
            scope.spawn(move || {
                let outcome = if stage == "ended" { json!("succeeded") } else { Value::Null };
                send(customer, &with(report(stage), "outcome", outcome));
            });
        }
    });
    let runs = runs(&vendor);
    assert_eq!((runs.len(), &runs[0]["stage"], &runs[0]["outcome"]), (1, &json!("ended"), &json!("succeeded")));
}

#[test]
fn a_report_is_durable_when_it_is_answered() {
    let mut vendor = Vendor::start();
    let customer = vendor.product().sell("single_user").customer;
    for stage in ["downloading", "installing"] {
        send(&customer, &report(stage));
        vendor.kill();
        vendor.run();
        assert_eq!(runs(&vendor)[0]["stage"], stage);
    }
}

#[test]
fn runs_belong_to_the_subscription_that_reports_them() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let library = vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    let (one, other, foreign) = (office.sell("single_user"), office.sell("single_user"), library.sell("single_user"));
    send(&one.customer, &with(report("ended"), "outcome", json!("succeeded")));
    // The same id under another key is another run: nobody can end somebody else's.
    assert_eq!(send(&other.customer, &report("downloading"))["stage"], "downloading");
    foreign.customer.post("/api/v1/reports").json(&report("ended")).send().refused(422, "body_invalid");
    foreign.customer.post("/api/v1/reports").json(&report("installing")).send().refused(403, "wrong_product");
    // Somebody without a key can only have been given what is for everyone.
    let anonymously = || vendor.anonymous().post("/api/v1/reports").json(&report("installing")).send();
    anonymously().refused(401, "license_key_required");
    office.release("12.0.0").with("access", "everyone").publish();
    anonymously().accepted();
    vendor
        .customer("wrong")
        .post("/api/v1/reports")
        .json(&report("installing"))
        .send()
        .refused(401, "license_key_unknown");
    assert_eq!(runs(&vendor).len(), 3);
    let filtered = |query: &str| {
        let listed = vendor.admin.get(&format!("/api/v1/admin/runs?{query}")).send().ok();
        listed["items"].as_array().unwrap().len()
    };
    assert_eq!(filtered(&format!("subscription={}", one.id)), 1);
    assert_eq!((filtered("outcome=succeeded"), filtered("outcome=failed")), (1, 0));
    assert_eq!((filtered("product=office-maker"), filtered("product=library-maker")), (3, 0));
}
