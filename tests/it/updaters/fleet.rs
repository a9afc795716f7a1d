//! A fleet of 500 simulated sites (`examples/fleet`) takes a bad release, and is halted.

use std::{fs, process::Command};

use serde_json::{Value, json};

use super::site::binary;
use crate::harness::{Actor as _, Product, Vendor, program::Ended};

const SITES: u64 = 500;

/// A product with the version that the fleet has and one that may be bad, and a subscription for each site. The keys
/// are in a file.
fn fleet(vendor: &Vendor) -> Product<'_> {
    let office = vendor.product();
    office.release("12.0.0").publish();
    office.release("13.0.0").standalone("a release that may be bad").draft();
    let halt = json!({"failure_rate": 0.1, "min_reports": 5});
    office.steer("13.0.0", "publish", &json!({"rollout": {"percent": 100, "halt": halt}}));
    let mut keys = String::new();
    let mut csv = String::from("customer,product,deployment,starts_on,ends_on,license_key\n");
    for number in 0..SITES {
        keys += &format!("FLEET-KEY-{number:016}\n");
        csv += &format!("Customer {number},office-maker,single_user,2026-01-01,,FLEET-KEY-{number:016}\n");
    }
    let import = vendor.admin.post("/api/v1/admin/subscriptions/import").header("content-type", "text/csv");
    import.body(csv).send().created();
    fs::write(vendor.home().join("keys.txt"), keys).unwrap();
    office
}

/// Lets the fleet live, whose sites ask at moments spread over this time; returns what it counted, and how the rollout
/// stands afterwards.
fn live(failure_rate: &str, over: &str) -> (Value, Value) {
    let vendor = Vendor::start();
    let office = fleet(&vendor);
    let counted = Ended::of(
        Command::new(binary("fleet"))
            .env("NO_PROXY", "*")
            .args(["--server", &vendor.url(), "--product", "office-maker", "--from", "12.0.0", "--keys"])
            .arg(vendor.home().join("keys.txt"))
            .args(["--failure-rate", failure_rate, "--seed", "7", "--over", over, "--pause", "40ms", "--json"]),
    );
    let counted = counted.expect(0).json();
    let rollout = vendor.admin.get(&format!("{}/rollout", office.release_path("13.0.0"))).send().ok();
    println!("failure rate {failure_rate}: {counted:#}\n{rollout:#}");
    let count = |name: &str| counted[name].as_u64().unwrap();
    let held_back: u64 = counted["held_back"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!((count("checked"), count("unsent")), (SITES, 0));
    assert_eq!(count("offered") + held_back, SITES);
    assert_eq!((count("took"), count("succeeded") + count("failed")), (count("offered"), count("offered")));
    (counted, rollout)
}

/// The bad release was halted when few had taken it: those whose reports it took, and those who were at it just then.
fn is_halted_early(failure_rate: &str) {
    // Slowly, so that not many more come while a busy machine judges the first outcomes.
    let (counted, rollout) = live(failure_rate, "16s");
    assert_eq!(rollout["state"], "halted");
    assert!(counted["halt"]["took"].as_u64().unwrap() < 100, "{counted}");
    assert!(counted["took"].as_u64().unwrap() < 120, "{counted}");
    assert!(counted["held_back"]["rollout_halted"].as_u64().unwrap() > 380, "{counted}");
}

#[test]
fn a_release_failing_everywhere_is_halted_at_few_of_500_sites() {
    is_halted_early("1");
}

#[test]
fn a_release_failing_at_30_of_100_sites_is_halted_at_few_of_500() {
    is_halted_early("0.3");
}

/// Just at the limit it is for chance to say whether it is halted, and when. Not later than this, though: of the 50
/// that fail no more than 50 can have, and 50 of 402 are few enough.
#[test]
fn a_release_failing_at_its_limit_reaches_all_or_is_halted() {
    let (counted, rollout) = live("0.1", "8s");
    if rollout["state"] == "halted" {
        let reason = rollout["reason"].as_str().unwrap();
        let (failed, others) = reason.split_once(" of ").unwrap();
        let outcomes = others.split_once(" updates failed").unwrap().0;
        let (failed, outcomes): (u64, u64) = (failed.parse().unwrap(), outcomes.parse().unwrap());
        assert!(failed <= 50 && outcomes <= 401, "{reason}");
    } else {
        let all = (&json!(450), &json!(50), &Value::Null);
        assert_eq!((&counted["succeeded"], &counted["failed"], &counted["halt"]), all);
        assert_eq!(rollout["votes"], json!({"succeeded": 450, "failed": 50, "data_loss": 0}));
    }
}

#[test]
fn a_release_failing_at_2_of_100_sites_reaches_all_sites() {
    let (counted, rollout) = live("0.02", "8s");
    assert_eq!(rollout["state"], "running");
    assert_eq!((&counted["succeeded"], &counted["failed"], &counted["halt"]), (&json!(490), &json!(10), &Value::Null));
    assert_eq!(rollout["votes"], json!({"succeeded": 490, "failed": 10, "data_loss": 0}));
}
