//! What is told of a release that was halted, of runs that are lost, and of a publication that was scheduled.

use serde_json::{Value, json};

use super::{is_emptied, messages, new_run, vendor, webhook};
use crate::harness::{Actor as _, eventually, hook::Hook, server::EMAIL, smtp::Smtp};

/// How many mails there are that tell of 13.0.0.
fn staff_mails(smtp: &Smtp) -> usize {
    smtp.received().iter().filter(|mail| mail.subject().contains("13.0.0")).count()
}

#[test]
fn staff_and_systems_are_told_once_of_a_halt_and_its_reason() {
    let (smtp, hook) = (Smtp::start(), Hook::start());
    let vendor = vendor(&smtp, &[("mail.staff", "anna@vendor.example,bruno@vendor.example")]);
    let (path, _) = webhook(&vendor, &hook, &["release.halted"]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let lost = |customer: &crate::harness::Customer| {
        let report = json!({"run": new_run(), "installation": new_run(), "product": "office-maker", "component": "standalone",
            "from_version": "12.0.0", "to_version": "13.0.0", "stage": "migrating",
            "error": {"class": "data_loss", "code": "x", "message": "the invoices are gone"}});
        customer.post("/api/v1/reports").json(&report).send().accepted();
    };
    lost(&office.sell("single_user").customer);
    let mails = smtp.wait_for(2);
    let mut told: Vec<_> = mails.iter().flat_map(|mail| mail.recipients.clone()).collect();
    told.sort();
    assert_eq!(told, ["anna@vendor.example", "bruno@vendor.example"]);
    for mail in &mails {
        assert!(mail.subject().contains("13.0.0"), "{}", mail.subject());
        assert!(mail.body().contains("1 site reported lost data"), "{}", mail.body());
        assert!(!mail.body().contains("invoices"), "what an updater says is told to nobody: {}", mail.body());
    }
    let message = hook.wait_for(1).remove(0);
    assert_eq!((message.kind().as_str(), &message.data()["version"]), ("release.halted", &json!("13.0.0")));
    // A second report tells nothing new; halted again after a person had resumed it, it is told again.
    lost(&office.sell("single_user").customer);
    office.is_judged();
    let of_this =
        |told: &Vec<crate::harness::hook::Told>| told.iter().filter(|told| told.data()["version"] == "13.0.0").count();
    is_emptied(&vendor, &path);
    assert_eq!(of_this(&hook.told()), 1);
    office.steer("13.0.0", "rollout/resume", &json!({"reason": "both had a broken disk"}));
    lost(&office.sell("single_user").customer);
    eventually(20, "it is told again", || (of_this(&hook.told()) == 2).then_some(()));
    eventually(20, "staff too", || (staff_mails(&smtp) == 4).then_some(()));
}

#[test]
fn a_user_limited_to_products_is_told_only_of_their_halts() {
    let smtp = Smtp::start();
    let vendor = vendor(&smtp, &[]);
    let office = vendor.product();
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    vendor.colleague_with(&json!({"role": "viewer", "products": ["library-maker", "office-maker"]}));
    vendor.colleague_with(&json!({"role": "support", "products": ["library-maker"]}));
    office.sell_with("single_user", &json!({"ends_on": "2030-03-09"}));
    office.release("13.0.0").publish();
    let customer = office.sell("single_user").customer;
    let report = json!({"run": new_run(), "installation": new_run(), "product": "office-maker", "component": "standalone",
        "from_version": "12.0.0", "to_version": "13.0.0", "stage": "migrating",
        "error": {"class": "data_loss", "code": "x", "message": "y"}});
    customer.post("/api/v1/reports").json(&report).send().accepted();
    let told = |count: usize| {
        let mut told: Vec<_> = smtp.wait_for(count).into_iter().flat_map(|mail| mail.recipients).collect();
        told.sort();
        told
    };
    assert_eq!(told(2), [EMAIL, "viewer@vendor.example"]);
    vendor.travel_to("2030-03-02T08:00:00Z");
    assert_eq!(told(3), [EMAIL, EMAIL, "viewer@vendor.example"], "subscriptions are those of all products");
}

#[test]
fn a_lost_run_is_announced_and_so_is_its_later_outcome() {
    let (smtp, hook) = (Smtp::start(), Hook::start());
    let vendor = vendor(&smtp, &[]);
    webhook(&vendor, &hook, &["run.failed"]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("single_user").customer;
    let run = new_run();
    let report = |stage: &str, outcome: Value| {
        let report = json!({"run": run, "installation": run, "product": "office-maker", "component": "standalone",
            "from_version": "12.0.0", "to_version": "13.0.0", "stage": stage, "outcome": outcome});
        customer.post("/api/v1/reports").json(&report).send().accepted();
    };
    report("installing", Value::Null);
    vendor.travel_to("2030-03-02T08:01:00Z");
    let told = hook.wait_for(1);
    assert_eq!((&told[0].data()["outcome"], &told[0].data()["run"]), (&json!("lost"), &json!(run)));
    let figures = || vendor.admin.get("/api/v1/admin/stats/rollouts/office-maker/13.0.0").send().ok()["total"].clone();
    assert_eq!(figures()["lost"], 1);
    // It is heard of again.
    report("ended", json!("rolled_back"));
    let told = hook.wait_for(2);
    assert_eq!(told[1].data()["outcome"], "rolled_back");
    assert_eq!(figures()["lost"], 0);
}

#[test]
fn a_publication_that_was_scheduled_is_told_of_on_time_and_once() {
    let (smtp, hook) = (Smtp::start(), Hook::start());
    let mut vendor = vendor(&smtp, &[]);
    let (path, _) = webhook(&vendor, &hook, &["release.published"]);
    let office = vendor.product();
    office.release("13.0.0").published_at("2030-03-02T06:00:00Z").publish();
    office.release("12.0.0").published_at("2030-03-01T07:00:00Z").publish();
    assert_eq!(hook.wait_for(1)[0].data()["version"], "12.0.0");
    vendor.travel_to("2030-03-02T05:59:00Z");
    office.release("12.1.0").publish();
    assert_eq!(hook.wait_for(2)[1].data()["version"], "12.1.0", "the other one is not out yet");
    vendor.travel_to("2030-03-02T06:00:00Z");
    let told = hook.wait_for(3);
    assert_eq!(told[2].data()["version"], "13.0.0");
    assert_eq!(told[2].data()["published_at"], "2030-03-02T06:00:00Z");
    // Started again, the server does not tell it again: what it tells next is something else.
    vendor.restart();
    let office = "/api/v1/products/office-maker/releases";
    let draft = json!({"version": "12.2.0"});
    vendor.admin.post(office).json(&draft).send().created();
    vendor.admin.post(&format!("{office}/12.2.0/publish")).send().ok();
    eventually(10, "the last message", || {
        hook.told().iter().any(|told| told.data()["version"] == "12.2.0").then_some(())
    });
    assert_eq!(messages(&vendor, &path, "").len(), 4);
}
