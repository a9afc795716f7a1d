//! A stop signal: what is under way comes to its end, what was gathered is written down.

use std::{
    io::Read as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use nix::sys::signal::{Signal, kill};

use crate::harness::{Actor as _, Vendor, bytes::noise, eventually};

const SIZE: usize = 40_000_000;
const INSTALLATION: &str = "0199a0de-0000-4000-8000-0000000000c1";

/// A vendor whose program is being downloaded: the answer, and a first piece of it.
fn downloading(settings: &[(&str, &str)]) -> (Vendor, reqwest::blocking::Response, Vec<u8>) {
    let vendor = Vendor::with(settings);
    let office = vendor.product();
    office.release("13.0.0").standalone(noise(SIZE, "under way")).publish();
    let customer = office.sell("single_user").customer;
    let answer = customer.checked("office-maker", "12.0.0", &[("installation", INSTALLATION)]);
    let url = answer.link().to_owned();
    let mut download = customer.get(&url).open();
    let mut received = vec![0; 1000];
    download.read_exact(&mut received).expect("a first piece");
    (vendor, download, received)
}

#[test]
fn a_shutdown_ends_downloads_admits_nobody_and_writes_its_queue() {
    let (mut vendor, mut download, mut received) =
        downloading(&[("server.shutdown_timeout", "30s"), ("checks.sightings_every", "1h")]);
    let address = *vendor.address().lock().expect("a lock");
    kill(vendor.pid(), Signal::SIGTERM).expect("a signal");
    eventually(10, "the door to be shut", || TcpStream::connect(address).err());
    download.read_to_end(&mut received).expect("the rest");
    assert!(received == noise(SIZE, "under way"), "{} bytes", received.len());
    vendor.restart();
    let seen = vendor.admin.get("/api/v1/admin/installations").send().ok();
    assert_eq!(seen["items"][0]["id"], INSTALLATION, "{seen}");
}

#[test]
fn an_unread_download_delays_the_end_no_longer_than_configured() {
    let (mut vendor, download, _) = downloading(&[("server.shutdown_timeout", "1s")]);
    let began = Instant::now();
    vendor.stop();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    drop(download);
    vendor.run();
}
