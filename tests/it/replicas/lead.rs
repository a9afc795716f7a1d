//! One replica does the background work, and another when that one dies.

use super::two;
use crate::harness::{Vendor, eventually};

fn leads(vendor: &Vendor) -> bool {
    vendor.log().iter().any(|line| line.contains("does the background work now"))
}

#[test]
fn the_other_replica_leads_within_ten_seconds_of_a_kill() {
    let (first, second) = two();
    let first_leads = eventually(10, "one that leads", || match (leads(&first), leads(&second)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (true, true) => panic!("both lead"),
        (false, false) => None,
    });
    let (mut dies, stays) = if first_leads { (first, second) } else { (second, first) };
    dies.kill();
    eventually(10, "the other one to lead", || leads(&stays).then_some(()));
}
