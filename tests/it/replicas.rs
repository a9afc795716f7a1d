//! Several replicas on one database. These run in every run of the suite, whatever `SLUICE_TEST_STORES` says.

mod approvals;
mod drill;
mod emergency;
mod keys;
mod lead;
mod outbox;
mod people;
mod slots;
mod start;
mod steps;
mod trusted;

use std::time::{Duration, Instant};

use crate::harness::{Server, Vendor, stores::Stores};

/// How far behind a replica may be that reaches the database (contract, end of section 3).
const IN_STEP: Duration = Duration::from_secs(2);

/// Waits until `is_so`, and fails when that takes longer than the contract allows.
fn in_step(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < IN_STEP, "{what} did not reach the other replica");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A vendor, and another replica of the same server.
fn two() -> (Vendor, Vendor) {
    two_with(&[])
}

/// The same with settings.
fn two_with(settings: &[(&str, &str)]) -> (Vendor, Vendor) {
    let first = Server::on(Stores::shared(), settings);
    let second = first.replica();
    let running = |mut server: Server| {
        server.run();
        Vendor::of(server)
    };
    (running(first), running(second))
}
