//! Uploads to a bucket: in parts, hashed on the way, and nothing kept of those that fail.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::json;

use super::{PLACE, drafting, listed, put};
use crate::harness::{
    Actor, S3, Vendor,
    bytes::{digest_header, noise, sha256},
    eventually,
};

const PART: usize = 8 << 20;

#[test]
fn contents_of_every_size_come_to_lie_under_their_hashes() {
    let s3 = S3::start();
    let vendor = s3.vendor(&[]);
    let path = drafting(&vendor);
    let mut there = BTreeSet::new();
    for size in [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 5_000_000] {
        for announced in [false, true] {
            let content = noise(size, &format!("{announced}"));
            let digest = digest_header(&content);
            let stored = put(&vendor, &path, &content, announced.then_some(digest.as_str()));
            // Nothing is of no seed.
            let stored = if size == 0 && announced { stored.ok() } else { stored.created() };
            assert_eq!((&stored["size"], &stored["sha256"]), (&json!(size), &json!(sha256(&content))));
            there.insert(sha256(&content));
            assert!(fs::read(s3.content(&sha256(&content))).unwrap() == content, "{size} {announced}");
            assert_eq!(s3.incoming(), BTreeSet::new(), "{size} {announced}");
        }
    }
    // What was replaced stays until the sweep: another replica may be putting the same there just now.
    assert_eq!(s3.contents(), there);
    assert_eq!(listed(&vendor, &path).len(), 1);
}

#[test]
fn what_is_not_what_was_announced_is_not_kept() {
    let s3 = S3::start();
    let vendor = s3.vendor(&[]);
    let path = drafting(&vendor);
    let other = digest_header(b"something else");
    for size in [1000, 2 * PART + 1] {
        let refused = put(&vendor, &path, &noise(size, "wrong"), Some(&other)).refused(422, "digest_mismatch");
        refused.says(&sha256(&noise(size, "wrong"))).says(&sha256(b"something else"));
        assert_eq!((s3.contents(), s3.incoming()), (BTreeSet::new(), BTreeSet::new()));
    }
    assert_eq!(listed(&vendor, &path).len(), 0);
}

#[test]
fn an_upload_that_breaks_off_is_aborted() {
    let s3 = S3::start();
    let vendor = s3.vendor(&[]);
    let path = drafting(&vendor);
    let ci = vendor.ci_with(&json!({"name": "x", "scopes": ["releases:write"]})).1;
    let token = ci["token"].as_str().unwrap();
    let content = noise(2 * PART + 100, "broken");
    for digest in ["", &format!("content-digest: {}\r\n", digest_header(b"x"))] {
        let mut line = TcpStream::connect(vendor.url().trim_start_matches("http://")).unwrap();
        let head = format!(
            "PUT {path}/artifacts/office.tar.gz?{PLACE} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{digest}content-length: 90000000\r\n\r\n"
        );
        line.write_all(head.as_bytes()).unwrap();
        line.write_all(&content).unwrap();
        eventually(20, "parts to come in", || s3.uploads().iter().any(|name| name.contains("part-")).then_some(()));
        drop(line);
        eventually(20, "the upload to be aborted", || s3.incoming().is_empty().then_some(()));
    }
    assert_eq!((listed(&vendor, &path).len(), s3.contents()), (0, BTreeSet::new()));
}

#[test]
fn an_upload_too_large_to_copy_is_refused_unless_announced() {
    let s3 = S3::start();
    let vendor = s3.vendor(&[]);
    let path = drafting(&vendor);
    let ci = vendor.ci_with(&json!({"name": "x", "scopes": ["releases:write"]})).1;
    let token = ci["token"].as_str().unwrap();
    let mut line = TcpStream::connect(vendor.url().trim_start_matches("http://")).unwrap();
    let head = format!(
        "PUT {path}/artifacts/office.tar.gz?{PLACE} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-length: 6000000000\r\n\r\n"
    );
    line.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("Content-Digest"), "{answer}");
}

#[test]
fn the_same_bytes_again_stay_where_they_are() {
    let s3 = S3::start();
    let mut vendor = Vendor::start();
    let path = drafting(&vendor);
    let first = put(&vendor, &path, b"content", None).created();
    vendor.stop();
    s3.settings().iter().for_each(|(key, value)| vendor.set(key, value));
    vendor.run();
    assert_eq!(put(&vendor, &path, b"content", None).ok(), first);
    assert_eq!(vendor.admin.get(&path).send().ok()["artifacts"][0], first);
}

/// The most memory that the server has had, in MiB.
fn peak(vendor: &Vendor) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", vendor.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[test]
fn a_large_file_goes_to_and_from_the_bucket_in_constant_memory() {
    const SIZE: u64 = 300 << 20;
    let s3 = S3::start();
    let vendor = s3.vendor(&[("downloads.mode", "proxy")]);
    let path = drafting(&vendor);
    let before = peak(&vendor);
    let body = reqwest::blocking::Body::sized(std::io::repeat(b'x').take(SIZE), SIZE);
    let stored = vendor.admin.put(&format!("{path}/artifacts/large.tar.gz?{PLACE}")).body(body).send().created();
    assert_eq!(stored["size"], SIZE);
    vendor.admin.post(&format!("{path}/publish")).json(&json!({})).send().ok();
    let sold = json!({"customer_id": vendor.buyer(), "product": "office-maker", "deployment": "single_user",
        "starts_on": "2020-01-01", "ends_on": null});
    let sold = vendor.admin.post("/api/v1/admin/subscriptions").json(&sold).send().created();
    let customer = vendor.customer(sold["license_key"].as_str().unwrap());
    // Read slowly at first: what the server takes in ahead of the client is bounded.
    let mut response = customer.get(&super::link(&customer, "12.0.0")).open();
    let (mut piece, mut received) = (vec![0; 1 << 20], 0);
    std::thread::sleep(std::time::Duration::from_secs(2));
    loop {
        let read = response.read(&mut piece).unwrap();
        if read == 0 {
            break;
        }
        received += u64::try_from(read).unwrap();
    }
    assert_eq!(received, SIZE);
    let grown = peak(&vendor) - before;
    assert!(grown < 100, "the server's memory grew by {grown} MiB");
}
