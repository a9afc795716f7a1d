//! Several replicas on one database. These run in every run of the suite, whatever `SLUICE_TEST_STORES` says.

mod drill;
mod keys;
mod lead;
mod start;
mod steps;

use crate::harness::{Server, Vendor, stores::Stores};

/// A vendor, and another replica of the same server.
fn two() -> (Vendor, Vendor) {
    let first = Server::on(Stores::shared(), &[]);
    let second = first.replica();
    let running = |mut server: Server| {
        server.run();
        Vendor::of(server)
    };
    (running(first), running(second))
}
