//! A release whose updates fail is halted by itself, and goes on only when a person says so and why.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Actor as _, Customer, Product, Vendor, body::Votes, eventually};

const VERSION: &str = "13.0.0";

fn halting() -> Value {
    json!({"rollout": {"percent": 100, "halt": {"failure_rate": 0.1, "min_reports": 5}}})
}

fn publish(office: &Product<'_>, publication: &Value) {
    office.release(VERSION).standalone("the program").draft();
    office.steer(VERSION, "publish", publication);
}

fn sites(office: &Product<'_>, many: usize) -> Vec<Customer> {
    (0..many).map(|_| office.sell("single_user").customer).collect()
}

fn report(run: Uuid, stage: &str) -> Value {
    json!({"run": run, "installation": run, "product": "office-maker", "component": "standalone",
        "from_version": "12.0.0", "to_version": VERSION, "stage": stage})
}

/// A run of the customer that ends so, with an error of this class.
fn ends(customer: &Customer, outcome: &str, class: Option<&str>) {
    let run = Uuid::new_v4();
    customer.post("/api/v1/reports").json(&report(run, "installing")).send().accepted();
    let mut ended = report(run, "ended");
    ended["outcome"] = json!(outcome);
    if let Some(class) = class {
        ended["error"] = json!({"class": class, "code": "x", "message": "y"});
    }
    customer.post("/api/v1/reports").json(&ended).send().accepted();
}

#[track_caller]
fn is_halted(office: &Product<'_>, reason: &str) {
    let halted =
        eventually(10, "the halt", || Some(office.rollout(VERSION)).filter(|rollout| rollout.state == "halted"));
    assert_eq!(halted.reason.as_deref(), Some(reason));
}

/// These are the votes, and the release is not halted by them.
#[track_caller]
fn goes_on(office: &Product<'_>, succeeded: u32, failed: u32) {
    office.is_judged();
    let votes = Votes { succeeded, failed, data_loss: 0 };
    let now = office.rollout(VERSION);
    assert_eq!((now.votes, now.state.as_str()), (Some(votes), "running"));
}

#[test]
fn a_release_is_halted_when_too_many_updates_fail_not_before() {
    let vendor = Vendor::start();
    let office = vendor.product();
    publish(&office, &halting());
    let sites = sites(&office, 11);
    for site in &sites[..8] {
        ends(site, "succeeded", None);
    }
    ends(&sites[8], "failed", Some("migration"));
    ends(&sites[9], "rolled_back", Some("service_start"));
    goes_on(&office, 8, 2);
    assert_eq!(sites[10].offered("office-maker", "12.0.0").as_deref(), Some(VERSION));
    // The third of ten: somebody for whom it had worked.
    ends(&sites[0], "failed", None);
    is_halted(
        &office,
        "3 of 10 updates failed: with 95 % confidence the failure rate is at least 12.7 %, above the limit of 10 %",
    );
    let answer = sites[10].checked("office-maker", "12.0.0", &[("trigger", "manual")]);
    assert_eq!(answer.verdict(), ("up_to_date", Some("rollout_halted")));
}

#[test]
fn two_of_five_are_enough_and_four_are_too_few_to_be_judged() {
    let vendor = Vendor::start();
    let office = vendor.product();
    publish(&office, &halting());
    let sites = sites(&office, 5);
    for site in &sites[..2] {
        ends(site, "failed", Some("installer"));
    }
    for site in &sites[2..4] {
        ends(site, "succeeded", None);
    }
    goes_on(&office, 2, 2);
    ends(&sites[4], "succeeded", None);
    is_halted(
        &office,
        "2 of 5 updates failed: with 95 % confidence the failure rate is at least 14.3 %, above the limit of 10 %",
    );
}

#[test]
fn what_says_nothing_of_the_release_has_no_vote() {
    let vendor = Vendor::start();
    let office = vendor.product();
    publish(&office, &halting());
    let sites = sites(&office, 6);
    for (site, (outcome, class)) in sites.iter().zip([
        ("failed", Some("environment")),
        ("rolled_back", Some("network")),
        ("failed", Some("users_connected")),
        ("cancelled", None),
        ("cancelled", Some("internal")),
    ]) {
        ends(site, outcome, class);
    }
    goes_on(&office, 0, 0);
    // One subscription has one vote, whatever it makes up: its last one.
    for _ in 0..20 {
        ends(&sites[5], "failed", Some("migration"));
    }
    goes_on(&office, 0, 1);
    ends(&sites[5], "succeeded", None);
    ends(&sites[5], "failed", Some("environment"));
    goes_on(&office, 1, 0);
}

#[test]
fn who_the_release_was_not_open_to_has_no_vote() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("12.0.0").with("access", "everyone").publish();
    office.release(VERSION).with("channel", "beta").standalone("the program").draft();
    let everyone = json!({"rollout": {"percent": 100, "halt": {"failure_rate": 0.1, "min_reports": 1}}});
    office.steer(VERSION, "publish", &everyone);
    // Another channel, a pin, a subscription that ended, and one that was suspended.
    let beta = json!({"channels": ["beta"]});
    let with = |fields: Value| {
        let mut all = beta.clone();
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        office.sell_with("single_user", &all)
    };
    ends(&office.sell("single_user").customer, "failed", None);
    ends(&with(json!({"version_req": "<13"})).customer, "failed", None);
    ends(&with(json!({"starts_on": "2020-01-01", "ends_on": "2020-12-31"})).customer, "failed", None);
    let suspended = with(json!({}));
    vendor.admin.post(&format!("{}/suspend", suspended.path)).json(&json!({})).send().ok();
    ends(&suspended.customer, "failed", None);
    // Nobody at all.
    let run = Uuid::new_v4();
    for (stage, outcome) in [("installing", Value::Null), ("ended", json!("failed"))] {
        let mut report = report(run, stage);
        report["outcome"] = outcome;
        report["error"] = json!({"class": "data_loss", "code": "x", "message": "y"});
        vendor.anonymous().post("/api/v1/reports").json(&report).send().accepted();
    }
    // While it is paused, stopped, or open to nobody.
    let customer = with(json!({})).customer;
    office.steer(VERSION, "rollout/pause", &json!({}));
    ends(&customer, "failed", None);
    office.steer(VERSION, "rollout/resume", &json!({}));
    office.stop(Some("beta"));
    ends(&customer, "failed", None);
    vendor.admin.delete(&format!("{}/stop", office.path)).query(&[("channel", "beta")]).send().no_content();
    let path = format!("{}/rollout", office.release_path(VERSION));
    vendor.admin.put(&path).json(&json!({"percent": 0})).send().ok();
    ends(&customer, "failed", None);
    vendor.admin.put(&path).json(&json!({"percent": 100})).send().ok();
    goes_on(&office, 0, 0);
    ends(&customer, "failed", None);
    is_halted(
        &office,
        "1 of 1 updates failed: with 95 % confidence the failure rate is at least 27.0 %, above the limit of 10 %",
    );
}

#[test]
fn lost_data_halts_at_once_however_well_all_others_do() {
    let vendor = Vendor::start();
    let office = vendor.product();
    publish(&office, &Value::Null);
    let sites = sites(&office, 3);
    ends(&sites[0], "succeeded", None);
    // Before the run has ended.
    let mut lost = report(Uuid::new_v4(), "migrating");
    lost["error"] = json!({"class": "data_loss", "code": "x", "message": "the table of invoices is empty"});
    sites[1].post("/api/v1/reports").json(&lost).send().accepted();
    is_halted(&office, "1 site reported lost data");
    assert_eq!(sites[2].offered("office-maker", "12.0.0"), None);
}

#[test]
fn as_many_sites_must_have_lost_data_as_the_vendor_says() {
    let vendor = Vendor::start();
    let office = vendor.product();
    publish(&office, &json!({"rollout": {"halt": {"data_loss_reports": 2}}}));
    let sites = sites(&office, 2);
    for _ in 0..3 {
        ends(&sites[0], "rolled_back", Some("data_loss"));
    }
    office.is_judged();
    assert_eq!(office.rollout(VERSION).state, "running");
    ends(&sites[1], "rolled_back", Some("data_loss"));
    is_halted(&office, "2 sites reported lost data");
}

#[test]
fn a_resumption_needs_a_person_and_a_reason_and_counts_anew() {
    let vendor = Vendor::start();
    let office = vendor.product();
    publish(&office, &halting());
    let sites = sites(&office, 12);
    for site in &sites[..5] {
        ends(site, "failed", Some("migration"));
    }
    is_halted(
        &office,
        "5 of 5 updates failed: with 95 % confidence the failure rate is at least 64.9 %, above the limit of 10 %",
    );
    let call = |verb: &str| format!("{}/rollout/{verb}", office.release_path(VERSION));
    let why = json!({"reason": "the five had a manipulated database"});
    let machine = vendor.ci(&["releases:publish", "stops:lift"]);
    machine.post(&call("resume")).json(&why).send().refused(403, "scope_insufficient").says("person");
    vendor.admin.post(&call("resume")).send().refused(422, "body_invalid").names(&["reason"]);
    vendor.admin.post(&call("complete")).send().refused(409, "rollout_halted");
    // Neither a pause nor a percentage lifts it, nor does what comes in late.
    office.steer(VERSION, "rollout/pause", &json!({"reason": "x"}));
    vendor.admin.put(&format!("{}/rollout", office.release_path(VERSION))).json(&json!({"percent": 50})).send().ok();
    ends(&sites[0], "succeeded", None);
    assert_eq!(office.rollout(VERSION).state, "halted");

    let resumed = office.steer(VERSION, "rollout/resume", &why);
    assert_eq!((&resumed["state"], &resumed["reason"]), (&json!("running"), &why["reason"]));
    office.steer(VERSION, "rollout/complete", &Value::Null);
    goes_on(&office, 0, 0);
    assert_eq!(sites[11].offered("office-maker", "12.0.0").as_deref(), Some(VERSION));
    for site in &sites[5..9] {
        ends(site, "succeeded", None);
    }
    goes_on(&office, 4, 0);
    ends(&sites[9], "failed", Some("migration"));
    ends(&sites[10], "failed", Some("migration"));
    is_halted(
        &office,
        "2 of 6 updates failed: with 95 % confidence the failure rate is at least 11.7 %, above the limit of 10 %",
    );
}

#[test]
fn a_run_that_falls_silent_while_it_installs_counts_as_lost() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[("runs.lost_after", "6h")]);
    let office = vendor.product();
    publish(&office, &json!({"rollout": {"halt": {"failure_rate": 0.4, "min_reports": 2}}}));
    let sites = sites(&office, 6);
    let send = |site: usize, run: Uuid, stage: &str, scheduled_for: Option<&str>| {
        let mut report = report(run, stage);
        report["scheduled_for"] = json!(scheduled_for);
        sites[site].post("/api/v1/reports").json(&report).send().accepted();
    };
    let ids: Vec<Uuid> = (0..6).map(|_| Uuid::new_v4()).collect();
    send(0, ids[0], "installing", None);
    send(1, ids[1], "migrating", None);
    // It has simply not happened.
    send(2, ids[2], "draining", None);
    // From the later of the last report and the time it was scheduled for.
    send(3, ids[3], "installing", Some("2030-03-01T20:00:00Z"));
    let runs = |many: usize| {
        let listed = vendor.admin.get("/api/v1/admin/runs").send().ok();
        let lost = |id: &Uuid| {
            let run = listed["items"].as_array().unwrap().iter().find(|run| run["id"] == id.to_string()).unwrap();
            !run["lost_at"].is_null()
        };
        ids[..many].iter().map(lost).collect::<Vec<_>>()
    };
    vendor.travel_to("2030-03-01T13:50:00Z");
    send(1, ids[1], "migrating", None);
    vendor.travel_to("2030-03-01T14:01:00Z");
    eventually(20, "the first is lost", || (runs(4) == [true, false, false, false]).then_some(()));
    vendor.travel_to("2030-03-01T19:51:00Z");
    eventually(20, "the second is lost", || (runs(4) == [true, true, false, false]).then_some(()));
    is_halted(
        &office,
        "2 of 2 updates failed: with 95 % confidence the failure rate is at least 42.5 %, above the limit of 40 %",
    );
    // Six hours after eight in the evening, and not a few minutes before, when a witness is.
    send(4, ids[4], "installing", None);
    vendor.travel_to("2030-03-02T01:55:00Z");
    eventually(20, "the witness is lost", || runs(5)[4].then_some(()));
    assert_eq!(runs(5), [true, true, false, false, true]);
    vendor.travel_to("2030-03-02T02:01:00Z");
    eventually(20, "the scheduled one is lost", || (runs(5) == [true, true, false, true, true]).then_some(()));
}

/// A run of the customer, so far, with an error of this class; its id.
fn goes_wrong(customer: &Customer, run: Uuid, stage: &str, class: &str) {
    let mut report = report(run, stage);
    report["error"] = json!({"class": class, "code": "x", "message": "y"});
    if stage == "ended" {
        report["outcome"] = json!("failed");
    }
    customer.post("/api/v1/reports").json(&report).send().accepted();
}

#[test]
fn data_loss_is_announced_whatever_else_a_run_or_its_site_says() {
    let vendor = Vendor::start();
    let office = vendor.product();
    publish(&office, &Value::Null);
    let site = &sites(&office, 1)[0];
    let resume = || drop(office.steer(VERSION, "rollout/resume", &json!({"reason": "it was a broken disk"})));
    // After another error at the same stage, and with another one after it.
    let run = Uuid::new_v4();
    goes_wrong(site, run, "migrating", "migration");
    goes_wrong(site, run, "migrating", "data_loss");
    goes_wrong(site, run, "ended", "migration");
    is_halted(&office, "1 site reported lost data");
    resume();
    // A repetition of what a person has judged is no news.
    goes_wrong(site, run, "migrating", "data_loss");
    office.is_judged();
    assert_eq!(office.rollout(VERSION).state, "running");
    goes_wrong(site, Uuid::new_v4(), "migrating", "data_loss");
    is_halted(&office, "1 site reported lost data");
}

#[test]
fn a_stricter_rule_and_the_end_of_a_yank_judge_existing_votes() {
    let vendor = Vendor::start();
    let office = vendor.product();
    publish(&office, &json!({"rollout": {"halt": {"failure_rate": 0.9, "min_reports": 5}}}));
    let sites = sites(&office, 5);
    for site in &sites {
        ends(site, "failed", Some("migration"));
    }
    goes_on(&office, 0, 5);
    let path = format!("{}/rollout", office.release_path(VERSION));
    office.steer(VERSION, "yank", &json!({"reason": "we look into it"}));
    let strict = json!({"halt": {"failure_rate": 0.1, "min_reports": 5}});
    vendor.admin.put(&path).json(&strict).send().refused(409, "release_yanked");
    office.steer(VERSION, "restore", &Value::Null);
    goes_on(&office, 0, 5);
    vendor.admin.put(&path).json(&strict).send().ok();
    is_halted(
        &office,
        "5 of 5 updates failed: with 95 % confidence the failure rate is at least 64.9 %, above the limit of 10 %",
    );
}

#[test]
fn lost_runs_that_report_a_failure_after_a_halt_count_anew() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[("runs.lost_after", "6h")]);
    let office = vendor.product();
    publish(&office, &json!({"rollout": {"halt": {"failure_rate": 0.4, "min_reports": 2}}}));
    let sites = sites(&office, 2);
    let runs = [Uuid::new_v4(), Uuid::new_v4()];
    for (site, run) in sites.iter().zip(runs) {
        site.post("/api/v1/reports").json(&report(run, "installing")).send().accepted();
    }
    vendor.travel_to("2030-03-01T14:01:00Z");
    let reason =
        "2 of 2 updates failed: with 95 % confidence the failure rate is at least 42.5 %, above the limit of 40 %";
    is_halted(&office, reason);
    office.steer(VERSION, "rollout/resume", &json!({"reason": "they were switched off over the weekend"}));
    for (site, run) in sites.iter().zip(runs) {
        goes_wrong(site, run, "ended", "migration");
    }
    is_halted(&office, reason);
}

#[test]
fn a_vote_that_is_taken_back_gives_its_place_to_the_one_before() {
    let vendor = Vendor::start();
    let office = vendor.product();
    publish(&office, &halting());
    let site = &sites(&office, 1)[0];
    ends(site, "succeeded", None);
    let run = Uuid::new_v4();
    let mut ended = report(run, "ended");
    ended["outcome"] = json!("failed");
    site.post("/api/v1/reports").json(&ended).send().accepted();
    goes_on(&office, 0, 1);
    // The reason comes later, and says that it was nothing of the release's.
    ended["error"] = json!({"class": "environment", "code": "disk_full", "message": "y"});
    site.post("/api/v1/reports").json(&ended).send().accepted();
    goes_on(&office, 1, 0);
}

#[test]
fn a_failure_counts_although_an_earlier_error_was_overcome() {
    let vendor = Vendor::start();
    let office = vendor.product();
    publish(&office, &halting());
    let sites = sites(&office, 2);
    let bare = |site: &Customer, run: Uuid, stage: &str| {
        let mut bare = report(run, stage);
        bare["outcome"] = if stage == "ended" { json!("failed") } else { Value::Null };
        site.post("/api/v1/reports").json(&bare).send().accepted();
    };
    // The network came back; it broke when it was installed.
    let run = Uuid::new_v4();
    goes_wrong(&sites[0], run, "downloading", "network");
    bare(&sites[0], run, "installing");
    bare(&sites[0], run, "ended");
    goes_on(&office, 0, 1);
    // The same in whatever order, each report taken in by itself.
    let run = Uuid::new_v4();
    bare(&sites[1], run, "ended");
    goes_on(&office, 0, 2);
    goes_wrong(&sites[1], run, "downloading", "network");
    goes_on(&office, 0, 1);
    bare(&sites[1], run, "installing");
    goes_on(&office, 0, 2);
}

#[test]
fn a_vote_unjudged_before_a_kill_is_judged_after_any_downtime() {
    let mut vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let office = vendor.product();
    publish(&office, &json!({"rollout": {"halt": {"data_loss_reports": 0}}}));
    let site = sites(&office, 1).remove(0);
    goes_wrong(&site, Uuid::new_v4(), "migrating", "data_loss");
    office.is_judged();
    // As if the server had died after the answer and before it judged.
    vendor.kill();
    vendor.execute("UPDATE releases SET rollout_plan = '{}' WHERE version = '13.0.0'");
    vendor.travel_to("2030-03-02T08:00:00Z");
    vendor.run();
    let path = "/api/v1/products/office-maker/releases/13.0.0/rollout";
    eventually(20, "the halt", || (vendor.admin.get(path).send().ok()["state"] == "halted").then_some(()));
}
