//! The slots of a hosting group are the same for all replicas.

use std::thread;

use super::{in_step, two};
use crate::{
    client::slots::{ask, ask_at_once, nights, report, window},
    harness::{Actor as _, vendor::Sold},
};

#[test]
fn replicas_asked_at_once_together_keep_to_a_groups_limit() {
    const SITES: usize = 48;
    const LIMIT: usize = 5;
    let (first, second) = two();
    let (_, sites) = nights(&first, &window("00:00", 1440), LIMIT as u32, SITES);
    let there: Vec<Sold> = sites
        .iter()
        .map(|site| Sold {
            customer: second.customer(&site.key),
            path: site.path.clone(),
            id: site.id.clone(),
            key: site.key.clone(),
            made: site.made.clone(),
        })
        .collect();
    in_step("the last site", || {
        let client = there[SITES - 1].customer.check("office-maker", "12.0.0", &[("component", "client")]);
        client.status == 200 && client.ok()["status"] == "managed"
    });
    // Every other site asks the other replica.
    let mixed: Vec<&Sold> =
        (0..SITES).map(|place| if place % 2 == 0 { &sites[place] } else { &there[place] }).collect();
    let admitted = ask_at_once(&mixed);
    assert_eq!(admitted.len(), LIMIT, "{admitted:?}");
    // All ask the one, and then all the other.
    for side in [&sites, &there] {
        assert_eq!(ask_at_once(&side.iter().collect::<Vec<_>>()), admitted);
    }
    // What ends on one replica makes room on both, for one more in all.
    report(&sites[admitted[0]], 1, "ended");
    let waiting: Vec<&Sold> = (0..SITES).filter(|place| !admitted.contains(place)).map(|place| mixed[place]).collect();
    assert_eq!(ask_at_once(&waiting).len(), 1);
    // Many come to an end while many ask.
    let ending = &admitted[1..];
    let more = thread::scope(|scope| {
        for (number, place) in (2..).zip(ending) {
            let site = mixed[*place];
            scope.spawn(move || report(site, number, "ended"));
        }
        ask_at_once(&waiting)
    });
    assert!(more.len() <= LIMIT, "{more:?}");
    let now: usize = waiting.iter().filter(|site| ask(site).status == "update_available").count();
    assert_eq!(now, LIMIT);
}
