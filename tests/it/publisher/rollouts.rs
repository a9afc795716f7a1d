//! Rollouts over time: stages, the clock they go by, and scheduled publication.

use serde_json::{Value, json};

use crate::harness::{
    Actor as _, Product, Vendor,
    body::{Rollout, Stage},
    eventually,
};

const VERSION: &str = "13.0.0";

/// A vendor at eight on the first of March 2030, UTC.
fn vendor() -> Vendor {
    Vendor::at("2030-03-01T08:00:00Z", &[])
}

fn publish(office: &Product<'_>, publication: &Value) -> Value {
    office.release(VERSION).standalone("the program").draft();
    office.steer(VERSION, "publish", publication)
}

fn rollout(office: &Product<'_>) -> Rollout {
    office.rollout(VERSION)
}

/// Waits until the release is open so far. Stages are looked for every half a second.
#[track_caller]
fn opens(office: &Product<'_>, percent: f64) {
    eventually(10, "the next stage", || (rollout(office).percent == percent).then_some(()));
}

/// The release stays open so far, also once the server has looked at it again.
#[track_caller]
fn stays(office: &Product<'_>, percent: f64) {
    // A witness that nobody sees: a later release, whose stage is due at once and opens in the same look or a later
    // one.
    let listed = office.vendor.admin.get(&format!("{}/releases", office.path)).send().ok();
    let witness = format!("99.0.{}", listed["items"].as_array().unwrap().len());
    office.release(&witness).with("channel", "alpha").standalone("x").draft();
    let at_once = json!({"rollout": {"percent": 1, "stages": [{"percent": 2, "after_hours": 0}]}});
    office.steer(&witness, "publish", &at_once);
    let path = format!("{}/rollout", office.release_path(&witness));
    eventually(10, "the witness", || (office.vendor.admin.get(&path).send().ok()["percent"] == 2).then_some(()));
    assert_eq!(rollout(office).percent, percent);
}

/// The stages of a rollout that was answered to a change.
fn stages(rollout: &Value) -> Vec<Stage> {
    serde_json::from_value(rollout["stages"].clone()).unwrap()
}

fn three_stages() -> Value {
    json!({"rollout": {"percent": 5, "stages": [
        {"percent": 25, "after_hours": 24}, {"percent": 50.5, "after_hours": 48}, {"percent": 100, "after_hours": 72.5}]}})
}

#[test]
fn a_release_that_is_scheduled_is_offered_from_its_time_on() {
    let vendor = vendor();
    let office = vendor.product();
    let customer = office.sell("single_user").customer;
    office.release("12.0.0").publish();
    office.release(VERSION).published_at("2030-03-02T06:00:00Z").publish();
    assert_eq!(customer.offered("office-maker", "11.0.0"), Some("12.0.0".to_owned()));
    vendor.travel_to("2030-03-02T05:59:30Z");
    assert_eq!(customer.offered("office-maker", "11.0.0"), Some("12.0.0".to_owned()));
    vendor.travel_to("2030-03-02T06:00:00Z");
    assert_eq!(customer.offered("office-maker", "11.0.0"), Some(VERSION.to_owned()));
}

#[test]
fn stages_open_by_themselves_one_after_the_other() {
    let vendor = vendor();
    let office = vendor.product();
    let published = publish(&office, &three_stages());
    let stages = stages(&published["rollout"]);
    assert!(!stages[0].opened && stages[0].opens("2030-03-02T08:0"), "{stages:?}");
    assert_eq!((stages[1].percent, stages[2].after_hours), (50.5, 72.5));
    let sites: Vec<_> = (0..40).map(|_| office.sell("single_user").customer).collect();
    let inside = || sites.iter().map(|site| site.offered("office-maker", "12.0.0").is_some()).collect::<Vec<_>>();
    let mut before = inside();
    vendor.travel_to("2030-03-02T07:59:00Z");
    stays(&office, 5.0);
    for (time, percent) in
        [("2030-03-02T08:01:00Z", 25.0), ("2030-03-03T08:01:00Z", 50.5), ("2030-03-04T08:31:00Z", 100.0)]
    {
        vendor.travel_to(time);
        opens(&office, percent);
        let now = inside();
        assert!(before.iter().zip(&now).all(|(before, now)| !before || *now), "a stage takes nobody out");
        before = now;
    }
    assert!(before.iter().all(|inside| *inside));
    let done = rollout(&office).stages;
    assert!(done.iter().all(|stage| stage.opened && stage.opens_at.is_none()), "{done:?}");
}

#[test]
fn stages_of_a_scheduled_release_count_from_its_publication() {
    let vendor = vendor();
    let office = vendor.product();
    let mut publication = three_stages();
    publication["published_at"] = json!("2030-03-10T06:00:00Z");
    publish(&office, &publication);
    vendor.travel_to("2030-03-11T05:59:00Z");
    stays(&office, 5.0);
    vendor.travel_to("2030-03-11T06:01:00Z");
    opens(&office, 25.0);
    // History that is imported: from the call, not from long ago.
    office.release("12.0.0").standalone("old").draft();
    let history = json!({"published_at": "2029-01-01T00:00:00Z", "rollout": {"percent": 1, "stages": [{"percent": 2, "after_hours": 1}]}});
    let published = office.steer("12.0.0", "publish", &history);
    assert!(stages(&published["rollout"])[0].opens("2030-03-11T07:0"), "{published}");
}

#[test]
fn the_clock_of_a_rollout_stands_still_while_nothing_is_offered() {
    let vendor = vendor();
    let office = vendor.product();
    publish(&office, &three_stages());
    let why = json!({"reason": "we look into it"});
    let stop = format!("{}/stop", office.path);
    // Six hours of the clock, then a day in which it stands still, four times: the first stage is due after 24 hours of
    // it.
    let mut now: jiff::Timestamp = "2030-03-01T08:00:00Z".parse().unwrap();
    let mut after = |hours: i64| {
        now = now.checked_add(jiff::SignedDuration::from_hours(hours)).unwrap();
        vendor.travel_to(&now.to_string());
    };
    for kind in ["pause", "yank", "stop"] {
        after(6);
        match kind {
            "pause" => drop(office.steer(VERSION, "rollout/pause", &why)),
            "yank" => drop(office.steer(VERSION, "yank", &why)),
            _ => drop(office.stop(None)),
        }
        assert_eq!(rollout(&office).stages[0].opens_at, None, "{kind}");
        after(24);
        match kind {
            "pause" => drop(office.steer(VERSION, "rollout/resume", &why)),
            "yank" => drop(office.steer(VERSION, "restore", &Value::Null)),
            _ => vendor.admin.delete(&stop).send().no_content(),
        }
    }
    stays(&office, 5.0);
    after(5);
    stays(&office, 5.0);
    after(2);
    opens(&office, 25.0);
}

/// A site loses its data.
fn lose_data(office: &Product<'_>) {
    let run = "0199a0de-0000-4000-8000-0000000000f1";
    let report = json!({"run": run, "installation": run, "product": "office-maker", "component": "standalone",
        "from_version": "12.0.0", "to_version": VERSION, "stage": "migrating",
        "error": {"class": "data_loss", "code": "x", "message": "y"}});
    office.sell("single_user").customer.post("/api/v1/reports").json(&report).send().accepted();
}

#[test]
fn the_clock_of_a_rollout_stands_still_while_it_is_halted() {
    let vendor = vendor();
    let office = vendor.product();
    publish(&office, &three_stages());
    vendor.travel_to("2030-03-01T14:00:00Z");
    lose_data(&office);
    eventually(10, "the halt", || (rollout(&office).state == "halted").then_some(()));
    assert_eq!(rollout(&office).stages[0].opens_at, None);
    vendor.travel_to("2030-03-03T14:00:00Z");
    stays(&office, 5.0);
    let resumed = office.steer(VERSION, "rollout/resume", &json!({"reason": "it was a broken disk"}));
    assert!(stages(&resumed)[0].opens("2030-03-04T0"), "{resumed}");
    // Six hours of its clock had passed: eighteen are left.
    vendor.travel_to("2030-03-04T07:50:00Z");
    stays(&office, 5.0);
    vendor.travel_to("2030-03-04T08:10:00Z");
    opens(&office, 25.0);
}

#[test]
fn a_due_stage_does_not_open_on_a_failing_release() {
    let mut vendor = vendor();
    let office = vendor.product();
    let mut publication = three_stages();
    publication["rollout"]["halt"] = json!({"data_loss_reports": 0});
    publish(&office, &publication);
    lose_data(&office);
    // As if the server had died before it judged this, and nobody else were to: only the stage itself looks at the
    // votes.
    vendor.kill();
    vendor.execute(
        "UPDATE releases SET rollout_plan = REPLACE(rollout_plan, '\"data_loss_reports\":0', '\"data_loss_reports\":1')",
    );
    vendor.execute("UPDATE votes SET changed_at = -1");
    vendor.travel_to("2030-03-02T08:10:00Z");
    vendor.run();
    let path = format!("/api/v1/products/office-maker/releases/{VERSION}/rollout");
    let settled = |rollout: &Value| rollout["state"] == "halted" || rollout["percent"] != 5;
    let rollout = eventually(20, "the stage", || Some(vendor.admin.get(&path).send().ok()).filter(settled));
    assert_eq!((&rollout["state"], &rollout["percent"]), (&json!("halted"), &json!(5)));
}

#[test]
fn a_percentage_set_by_hand_leaves_stages_and_halt_alone() {
    let vendor = vendor();
    let office = vendor.product();
    let mut publication = three_stages();
    publication["rollout"]["halt"] = json!({"failure_rate": 0.1, "min_reports": 5});
    publish(&office, &publication);
    let path = format!("{}/rollout", office.release_path(VERSION));
    let put = |body: Value| vendor.admin.put(&path).json(&body).send();
    let halt = json!({"failure_rate": 0.1, "min_reports": 5, "data_loss_reports": 1});
    let changed = put(json!({"percent": 30})).ok();
    assert_eq!((&changed["percent"], &changed["halt"]), (&json!(30), &halt));
    vendor.travel_to("2030-03-02T08:01:00Z");
    eventually(10, "the first stage", || rollout(&office).stages[0].opened.then_some(()));
    assert_eq!(rollout(&office).percent, 30.0, "a stage takes nobody out");
    // New stages go by a clock that starts anew.
    let changed = put(json!({"stages": [{"percent": 60, "after_hours": 0.5}]})).ok();
    assert!(stages(&changed)[0].opens("2030-03-02T08:31"), "{changed}");
    let cleared = put(json!({"stages": [], "halt": null})).ok();
    assert_eq!((&cleared["stages"], &cleared["halt"]), (&json!([]), &json!({"data_loss_reports": 1})));
    vendor.travel_to("2030-04-02T08:00:00Z");
    stays(&office, 30.0);
    assert_eq!(office.steer(VERSION, "rollout/complete", &Value::Null)["percent"], 100);
}
