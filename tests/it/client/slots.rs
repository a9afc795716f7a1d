//! Hosting groups that limit how many of their sites are updated at once (contract, rule 9 and `max_concurrent`).

use std::{collections::BTreeSet, thread};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{
    Actor as _, Vendor,
    body::CheckAnswer,
    vendor::{Product, Sold},
};

const SITES: usize = 40;

/// A product with a hosted version and a newer one, and `sites` sites of a group whose nights begin at one o'clock in
/// Rome.
pub fn nights<'v>(vendor: &'v Vendor, window: &Value, limit: u32, sites: usize) -> (Product<'v>, Vec<Sold>) {
    let office = vendor.product();
    for version in ["12.0.0", "13.0.0"] {
        office.release(version).file("server", "linux", "x86_64", version).publish();
    }
    let group = json!({"slug": "nights", "name": "Nights", "timezone": "Europe/Rome", "window": window, "max_concurrent": limit});
    vendor.admin.post("/api/v1/admin/hosting-groups").json(&group).send().created();
    let sites = (0..sites).map(|_| office.sell_with("cloud", &json!({"hosting_group": "nights"}))).collect();
    (office, sites)
}

/// From `start` on every night, or every day, for so many minutes.
pub fn window(start: &str, minutes: u32) -> Value {
    json!({"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": start, "duration_minutes": minutes})
}

/// What the server of a site is answered.
pub fn ask(site: &Sold) -> CheckAnswer {
    site.customer.checked("office-maker", "12.0.0", &[("component", "server"), ("trigger", "scheduled")])
}

/// Asks for all of these at once; returns which of them are offered the update, by their places.
pub fn ask_at_once(sites: &[&Sold]) -> Vec<usize> {
    let answers: Vec<CheckAnswer> = thread::scope(|scope| {
        let asking: Vec<_> = sites.iter().map(|site| scope.spawn(|| ask(site))).collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for answer in &answers {
        let expected = [("update_available", None), ("deferred", Some("group_busy"))];
        assert!(expected.contains(&answer.verdict()), "{answer:?}");
    }
    (0..sites.len()).filter(|place| answers[*place].status == "update_available").collect()
}

/// Reports how far the update of a site has come.
pub fn report(site: &Sold, run: u32, stage: &str) {
    report_planned(site, run, stage, None);
}

/// The same, of an update for which a time was set.
fn report_planned(site: &Sold, run: u32, stage: &str, scheduled_for: Option<&str>) {
    let outcome = if stage == "ended" { json!("succeeded") } else { Value::Null };
    let run = format!("0199a0de-0000-4000-8000-{run:012}");
    let report = json!({"run": run, "installation": run, "product": "office-maker", "component": "server",
        "from_version": "12.0.0", "to_version": "13.0.0", "stage": stage, "outcome": outcome,
        "scheduled_for": scheduled_for});
    site.customer.post("/api/v1/reports").json(&report).send().accepted();
}

fn explained(vendor: &Vendor, site: &Sold) -> Value {
    let asked = json!({"product": "office-maker", "component": "server", "version": "12.0.0", "platform": "linux",
        "arch": "x86_64", "subscription_id": site.id});
    vendor.admin.post("/api/v1/admin/explain").json(&asked).send().ok()
}

fn slots(vendor: &Vendor) -> usize {
    vendor.select("SELECT CAST(free_at AS TEXT) AS value FROM group_slots").len()
}

#[test]
fn a_group_that_asks_at_once_gets_no_more_offers_than_its_limit() {
    let vendor = Vendor::at("2030-03-30T22:00:00Z", &[]);
    let (_, sites) = nights(&vendor, &window("01:00", 240), 3, SITES);
    let all: Vec<&Sold> = sites.iter().collect();

    // The evening before: each is told its own moment of the night, on which the clocks change.
    let opens: Timestamp = "2030-03-31T00:00:00Z".parse().unwrap();
    let turns: BTreeSet<Timestamp> = sites
        .iter()
        .map(|site| {
            let answer = ask(site);
            assert_eq!(answer.verdict(), ("deferred", Some("outside_maintenance_window")));
            answer.next_window_at.unwrap()
        })
        .collect();
    assert!(turns.iter().all(|turn| *turn >= opens && *turn < opens + SignedDuration::from_mins(15)), "{turns:?}");
    assert!(turns.len() > SITES / 2, "{turns:?}");
    assert_eq!(slots(&vendor), 0);

    // The window opens, and all of them come at once.
    vendor.travel_to("2030-03-31T00:00:01Z");
    assert_eq!(explained(&vendor, &sites[0])["decision"]["status"], "update_available");
    assert_eq!(slots(&vendor), 0, "who only wants to know takes nothing");
    let first = ask_at_once(&all);
    assert_eq!(first.len(), 3, "{first:?}");
    assert_eq!(ask_at_once(&all), first, "who has a slot keeps it");
    let waiting = (0..SITES).find(|place| !first.contains(place)).unwrap();
    let answer = ask(all[waiting]);
    assert_eq!(answer.next_window_at, None);
    assert!(answer.message.contains("its turn"), "{answer:?}");
    let explanation = explained(&vendor, all[waiting]);
    assert_eq!(explanation["decision"]["reason"], "group_busy");
    assert_eq!(explanation["trace"], json!([{"version": "13.0.0", "component": "server", "verdict": "group_busy"}]));
    assert_eq!(explained(&vendor, all[first[0]])["decision"]["status"], "update_available");
    let pauses: BTreeSet<i64> =
        (0..SITES).filter(|place| !first.contains(place)).map(|place| ask(all[place]).next_check_after).collect();
    assert!(pauses.iter().all(|pause| (60..=300).contains(pause)) && pauses.len() > 20, "{pauses:?}");
}

#[test]
fn a_slot_is_freed_when_its_run_ends_or_falls_silent() {
    let vendor = Vendor::at("2030-03-31T00:00:01Z", &[]);
    let (_, sites) = nights(&vendor, &window("01:00", 240), 3, 8);
    let all: Vec<&Sold> = sites.iter().collect();
    let &[ended, busy, idle, ref others @ ..] = all.as_slice() else { panic!("too few sites") };
    assert_eq!(ask_at_once(&[ended, busy, idle]).len(), 3);
    assert_eq!(ask_at_once(others), Vec::<usize>::new());

    // One ends, and one of the others gets in. A report of the end that comes twice does not free the slot of the next
    // run.
    for stage in ["downloading", "downloaded", "installing", "ended"] {
        report(ended, 1, stage);
    }
    report(busy, 2, "downloading");
    let next = ask_at_once(others);
    assert_eq!(next.len(), 1);
    report(others[next[0]], 3, "ended");
    assert_eq!(ask_at_once(&[others[next[0]]]).len(), 1, "it is free, and taken for another run");
    report(others[next[0]], 3, "ended");
    report(others[next[0]], 3, "downloading");
    assert_eq!(ask_at_once(&[ended]), Vec::<usize>::new());

    // A quarter of an hour later offers that nobody took up are free, and a download that goes on is not.
    vendor.travel_to("2030-03-31T00:16:00Z");
    let rest: Vec<&Sold> = (0..others.len()).filter(|place| !next.contains(place)).map(|place| others[place]).collect();
    let second = ask_at_once(&rest);
    assert_eq!(second.len(), 2);
    assert_eq!(ask_at_once(&[idle, ended]), Vec::<usize>::new(), "they came too late");
    assert_eq!(ask_at_once(&[busy]).len(), 1);

    // What has begun to install holds its slot into the next night, until it counts as lost.
    report(busy, 2, "installing");
    vendor.travel_to("2030-03-31T23:30:00Z");
    assert_eq!(ask_at_once(&rest).len(), 2);
    vendor.travel_to("2030-04-01T00:17:00Z");
    assert_eq!(ask_at_once(&rest).len(), 3);
    assert_eq!(ask_at_once(&[busy]), Vec::<usize>::new());
}

#[test]
fn a_plan_takes_no_slot_and_leaves_the_one_of_an_offer_as_it_is() {
    let vendor = Vendor::at("2030-03-31T00:00:01Z", &[]);
    let (_, sites) = nights(&vendor, &window("01:00", 240), 1, 2);
    let (planning, other) = (&sites[0], &sites[1]);
    report_planned(planning, 1, "scheduled", Some("2030-03-31T01:00:00Z"));
    assert_eq!(slots(&vendor), 0);
    assert_eq!(ask_at_once(&[planning]).len(), 1);
    report_planned(planning, 1, "scheduled", Some("2030-03-31T01:00:00Z"));
    assert_eq!(ask_at_once(&[other]).len(), 0, "from the offer on there is time to begin");
    vendor.travel_to("2030-03-31T00:16:00Z");
    assert_eq!(ask_at_once(&[other]).len(), 1, "a quarter of an hour, not an hour from the report on");
}

#[test]
fn a_clock_years_ahead_holds_a_slot_no_longer_than_a_right_one() {
    let vendor = Vendor::at("2030-03-31T00:00:01Z", &[]);
    let (_, sites) = nights(&vendor, &window("01:00", 240), 1, 2);
    let (ahead, other) = (&sites[0], &sites[1]);
    report_planned(ahead, 1, "installing", Some("2099-01-01T00:00:00Z"));
    assert_eq!(ask_at_once(&[other]).len(), 0);
    // A day after its last report (`runs.lost_after`).
    vendor.travel_to("2030-03-31T23:50:00Z");
    assert_eq!(ask_at_once(&[other]).len(), 0);
    vendor.travel_to("2030-04-01T00:01:00Z");
    assert_eq!(ask_at_once(&[other]).len(), 1);
}

#[test]
fn a_groups_limit_changes_at_once_and_binds_only_its_servers() {
    let vendor = Vendor::start();
    let (office, sites) = nights(&vendor, &window("00:00", 1440), 1, 5);
    let all: Vec<&Sold> = sites.iter().collect();
    assert_eq!(ask_at_once(&all).len(), 1);
    let change = |limit: Value| {
        let change = json!({"max_concurrent": limit});
        vendor.admin.patch("/api/v1/admin/hosting-groups/nights").json(&change).send().ok();
    };
    change(json!(3));
    assert_eq!(ask_at_once(&all).len(), 3);
    // Who was let in stays in.
    change(json!(1));
    assert_eq!(ask_at_once(&all).len(), 3);
    // A check that is offered nothing takes nothing.
    let free = all.iter().find(|site| ask(site).status == "deferred").unwrap();
    let newest = free.customer.checked("office-maker", "13.0.0", &[("component", "server")]);
    assert_eq!(newest.status, "up_to_date");
    let client = free.customer.checked("office-maker", "12.0.0", &[("component", "client")]);
    assert_eq!(client.status, "managed");
    change(Value::Null);
    assert_eq!(ask_at_once(&all).len(), 5);
    assert_eq!(slots(&vendor), 3);
    office.stop(None);
    assert_eq!(ask(all[0]).status, "blocked");
}
