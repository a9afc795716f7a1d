//! Emergencies: whatever replica is told, within two seconds none offers what was stopped, yanked or halted, and no
//! link that was given before leads to it any more (contract, end of section 3).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{in_step, two};
use crate::harness::{Actor as _, Customer, Vendor, body::CheckAnswer, vendor::Sold};

/// What a program is told, on both replicas.
fn both<'v>(vendors: &'v [Vendor; 2], key: &str) -> Vec<(&'v Vendor, Customer)> {
    vendors.iter().map(|vendor| (vendor, vendor.customer(key))).collect()
}

fn check(customer: &Customer) -> CheckAnswer {
    customer.checked("office-maker", "12.0.0", &[])
}

/// Where a program was told to download the update.
fn link(customer: &Customer) -> String {
    check(customer).link().to_owned()
}

/// Whether the server itself still gives out the file.
fn leads_somewhere(customer: &Customer, link: &str) -> bool {
    let answer = customer.get(link).send();
    match answer.status {
        200 | 307 => true,
        403 => {
            answer.refused(403, "url_withdrawn");
            false
        }
        other => panic!("a download was answered with {other}"),
    }
}

/// Pulls the cord on the first replica, and watches both until neither offers the release nor gives it out.
fn pull(vendors: &[Vendor; 2], sold: &Sold, what: &str, cord: impl FnOnce()) -> Duration {
    let programs = both(vendors, &sold.key);
    let links: Vec<String> = programs.iter().map(|(_, customer)| link(customer)).collect();
    cord();
    let pulled = Instant::now();
    // On the replica that was told it holds at once.
    assert_ne!(check(&programs[0].1).status, "update_available", "{what}, on the replica that was told");
    assert!(!leads_somewhere(&programs[0].1, &links[0]), "{what}, on the replica that was told");
    let other = &programs[1].1;
    in_step(what, || check(other).status != "update_available" && !leads_somewhere(other, &links[1]));
    let took = pulled.elapsed();
    // From then on for good, whoever of the two gave the link.
    for (customer, link) in programs.iter().map(|(_, customer)| customer).zip(links.iter().rev()) {
        for _ in 0..20 {
            assert_ne!(check(customer).status, "update_available", "{what}");
            assert!(!leads_somewhere(customer, link), "{what}");
        }
    }
    took
}

fn offered_again(vendors: &[Vendor; 2], sold: &Sold) {
    for (_, customer) in both(vendors, &sold.key) {
        in_step("the end of it", || check(&customer).status == "update_available");
    }
}

#[test]
fn a_stop_a_yank_and_a_halt_reach_every_replica_in_time() {
    let (first, second) = two();
    let vendors = [first, second];
    let office = vendors[0].product();
    let sold = office.sell("single_user");
    office.release("13.0.0").standalone("the program").publish();
    offered_again(&vendors, &sold);

    let stop = format!("{}/stop", office.path);
    let stopped = pull(&vendors, &sold, "a stop", || drop(office.stop(None)));
    let said = check(&vendors[1].customer(&sold.key));
    assert_eq!(said.verdict(), ("blocked", Some("stopped")));
    vendors[0].admin.delete(&stop).send().no_content();
    offered_again(&vendors, &sold);

    let yanked =
        pull(&vendors, &sold, "a yank", || drop(office.steer("13.0.0", "yank", &json!({"reason": "it loses files"}))));
    office.steer("13.0.0", "restore", &Value::Null);
    offered_again(&vendors, &sold);

    // Told to one, judged by it, and found on the other.
    let report = json!({"run": uuid::Uuid::new_v4(), "installation": uuid::Uuid::new_v4(), "product": "office-maker",
        "component": "standalone", "from_version": "12.0.0", "to_version": "13.0.0", "stage": "ended", "outcome": "failed",
        "error": {"class": "data_loss", "code": "x", "message": "y"}});
    let halted = pull_later(&vendors, &sold, || {
        drop(vendors[0].customer(&sold.key).post("/api/v1/reports").json(&report).send())
    });
    eprintln!("both replicas held to it after: stop {stopped:?}, yank {yanked:?}, halt {halted:?}");
}

/// The same for what is judged after the answer: it holds within the time on both.
fn pull_later(vendors: &[Vendor; 2], sold: &Sold, cord: impl FnOnce()) -> Duration {
    let programs = both(vendors, &sold.key);
    let links: Vec<String> = programs.iter().map(|(_, customer)| link(customer)).collect();
    cord();
    let pulled = Instant::now();
    in_step("a halt", || {
        let halted = |customer, link| {
            check(customer).reason.as_deref() == Some("rollout_halted") && !leads_somewhere(customer, link)
        };
        programs.iter().zip(&links).all(|((_, customer), link)| halted(customer, link))
    });
    pulled.elapsed()
}
