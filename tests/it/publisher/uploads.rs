//! Uploads: streamed, hashed, listed when they are safe, and nothing kept of those that fail.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write as _},
    net::TcpStream,
    thread,
};

use serde_json::{Value, json};

use crate::harness::{
    Actor, Answer, Vendor,
    bytes::{digest_header, noise, sha256},
    eventually,
};

const PLACE: &str = "component=standalone&platform=linux&arch=x86_64&kind=archive";

/// A vendor with a draft of version 13.0.0.
fn drafting(vendor: &Vendor) -> String {
    let office = vendor.product();
    office.release("13.0.0").draft();
    office.release_path("13.0.0")
}

fn put(vendor: &Vendor, path: &str, name: &str, content: &[u8]) -> Answer {
    vendor.admin.put(&format!("{path}/artifacts/{name}?{PLACE}")).body(content.to_vec()).send()
}

fn listed(vendor: &Vendor, path: &str) -> Vec<Value> {
    vendor.admin.get(path).send().ok()["artifacts"].as_array().unwrap().clone()
}

#[test]
fn the_same_bytes_change_nothing_others_replace_a_drafts_file() {
    let vendor = Vendor::start();
    let path = drafting(&vendor);
    let first = put(&vendor, &path, "office.tar.gz", b"first").created();
    assert_eq!(
        first,
        json!({"id": first["id"], "component": "standalone", "platform": "linux", "arch": "x86_64", "kind": "archive",
            "filename": "office.tar.gz", "size": 5, "sha256": sha256(b"first"), "signature": null})
    );
    let tag = vendor.admin.get(&path).send().header("etag").to_owned();
    assert_eq!(put(&vendor, &path, "office.tar.gz", b"first").ok(), first);
    assert_eq!(vendor.admin.get(&path).send().header("etag"), tag);
    let second = put(&vendor, &path, "office.tar.gz", b"second").created();
    assert_ne!((&second["id"], &second["sha256"]), (&first["id"], &first["sha256"]));
    assert_eq!(listed(&vendor, &path), [second]);
    // What was replaced is gone.
    vendor.keeps(&[sha256(b"second")]);
}

#[test]
fn a_content_of_two_releases_stays_until_neither_has_it() {
    let vendor = Vendor::start();
    let office = vendor.product();
    for version in ["13.0.0", "14.0.0"] {
        office.release(version).standalone("shared").draft();
    }
    assert_eq!(vendor.contents().len(), 1);
    vendor.admin.delete(&office.release_path("13.0.0")).send().no_content();
    assert_eq!(vendor.contents().len(), 1);
    vendor.admin.delete(&office.release_path("14.0.0")).send().no_content();
    vendor.keeps(&[]);
}

#[test]
fn a_place_is_taken_by_one_file() {
    let vendor = Vendor::start();
    let path = drafting(&vendor);
    put(&vendor, &path, "office.tar.gz", b"first").created();
    let refused = put(&vendor, &path, "other.tar.gz", b"second").refused(409, "artifact_exists");
    refused.says("office.tar.gz").says("standalone").says("archive");
    assert_eq!(vendor.contents(), BTreeSet::from([sha256(b"first")]));
    // The same name in another place moves the file there.
    let moved =
        vendor.admin.put(&format!("{path}/artifacts/office.tar.gz?component=server&platform=linux&arch=universal"));
    let moved = moved.body("first").send().ok();
    assert_eq!((&moved["component"], &moved["kind"]), (&json!("server"), &json!("installer")));
    assert_eq!(listed(&vendor, &path), [moved]);
}

#[test]
fn what_arrives_must_be_what_was_announced() {
    let vendor = Vendor::start();
    let path = drafting(&vendor);
    let content = noise(300_000, "announced");
    let upload = |digest: &str| {
        let call = vendor.admin.put(&format!("{path}/artifacts/office.tar.gz?{PLACE}"));
        call.header("content-digest", digest).body(content.clone()).send()
    };
    let wrong = digest_header(b"something else");
    upload(&wrong).refused(422, "digest_mismatch").says(&sha256(&content)).says(&sha256(b"something else"));
    upload(&format!("sha-512=:AAAA:, {wrong}")).refused(422, "digest_mismatch");
    for garbled in ["sha-256=:not base64:", "sha-256=abc", "sha-256", "sha-256=:AAAA:", "x", ""] {
        upload(garbled).refused(400, "header_invalid").says("Content-Digest");
    }
    assert_eq!(
        (listed(&vendor, &path), vendor.contents(), vendor.incoming()),
        (vec![], BTreeSet::new(), BTreeSet::new())
    );
    upload(&digest_header(&content)).created();
    // Algorithms that are not known are passed over (RFC 9530, section 2).
    upload(&format!("md5=:AAAA:, {}", digest_header(&content))).ok();
    upload("sha-512=:AAAA:").ok();
}

#[test]
fn a_signature_is_handed_on_as_it_is() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").draft();
    let path = office.release_path("13.0.0");
    let upload = |signature: &str| {
        let call = vendor.admin.put(&format!("{path}/artifacts/office.tar.gz?{PLACE}"));
        call.header("x-signature", signature).body("content").send()
    };
    for wrong in ["", &"x".repeat(4097)] {
        upload(wrong).refused(400, "header_invalid").says("X-Signature");
    }
    assert_eq!(upload("minisign:RWQ=").created()["signature"], "minisign:RWQ=");
    // Another signature of the same bytes takes the place of the first.
    assert_eq!(upload("minisign:RWR=").ok()["signature"], "minisign:RWR=");
    office.steer("13.0.0", "publish", &json!({}));
    let answer = office.sell("single_user").customer.checked("office-maker", "12.0.0", &[]);
    assert_eq!(answer.offer().artifact.as_ref().unwrap().signature.as_deref(), Some("minisign:RWR="));
}

#[test]
fn a_published_release_refuses_files_before_they_are_sent() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").standalone("x").publish();
    let path = office.release_path("13.0.0");
    // Large enough that the answer comes while the client is still sending.
    let large = noise(32 << 20, "late");
    put(&vendor, &path, "other.tar.gz", &large).refused(409, "release_published");
    put(&vendor, &path, "standalone-13.0.0-linux-x86_64.tar.gz", b"x").refused(409, "release_published");
    put(&vendor, &office.release_path("14.0.0"), "a.tar.gz", &large).refused(404, "release_not_found");
    put(&vendor, "/api/v1/products/nothing/releases/1.0.0", "a.tar.gz", b"x").refused(404, "product_not_found");
    let nobody = vendor.anonymous().put(&format!("{path}/artifacts/x.zip?{PLACE}")).body(large).send();
    nobody.refused(401, "authorization_required");
    assert_eq!(vendor.incoming(), BTreeSet::new());
}

#[test]
fn wrong_places_and_names_are_named() {
    let vendor = Vendor::start();
    let path = drafting(&vendor);
    let upload =
        |name: &str, query: &str| vendor.admin.put(&format!("{path}/artifacts/{name}?{query}")).body("x").send();
    for (query, name) in [
        ("component=printer&platform=linux&arch=x86_64", "component"),
        ("component=server&platform=beos&arch=x86_64", "platform"),
        ("component=server&platform=linux&arch=z80", "arch"),
        ("component=server&platform=linux&arch=x86_64&kind=zip", "kind"),
    ] {
        upload("a.zip", query).refused(422, "parameter_invalid").says(&format!("`{name}`"));
    }
    upload("a.zip", "platform=linux&arch=x86_64").refused(400, "parameter_missing").says("`component`");
    upload("a.zip", &format!("{PLACE}&size=1")).refused(400, "parameter_unknown").says("`size`");
    for name in [".hidden", "a%20b.zip", "%2E%2E%2Fescape", "a%00b", "caf%C3%A9.zip", &"x".repeat(201)] {
        let answer = upload(name, PLACE);
        assert!(matches!(answer.status, 404 | 422), "{name}: {answer:?}");
    }
    vendor
        .admin
        .put(&format!("/api/v1/products/office-maker/releases/newest/artifacts/a.zip?{PLACE}"))
        .body("x")
        .send()
        .refused(422, "version_invalid")
        .says("`newest`");
    assert_eq!(listed(&vendor, &path), Vec::<Value>::new());
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let vendor = Vendor::start();
    let path = drafting(&vendor);
    let ci = vendor.ci_with(&json!({"name": "x", "scopes": ["releases:write"]})).1;
    let token = ci["token"].as_str().unwrap();
    let content = noise(9 << 20, "broken");
    // A length that is not kept, and a chunked body without its end.
    for (framing, piece) in [("content-length: 20000000", ""), ("transfer-encoding: chunked", "900000\r\n")] {
        let mut line = TcpStream::connect(vendor.url().trim_start_matches("http://")).unwrap();
        let head = format!(
            "PUT {path}/artifacts/office.tar.gz?{PLACE} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{framing}\r\n\r\n{piece}"
        );
        line.write_all(head.as_bytes()).unwrap();
        line.write_all(&content).unwrap();
        eventually(10, "the upload to come in", || (!vendor.incoming().is_empty()).then_some(()));
        drop(line);
        eventually(10, "what came in to be thrown away", || vendor.incoming().is_empty().then_some(()));
    }
    assert_eq!((listed(&vendor, &path), vendor.contents()), (vec![], BTreeSet::new()));
    put(&vendor, &path, "office.tar.gz", &content).created();
}

#[test]
fn uploads_of_one_file_at_once_leave_one_of_them() {
    let vendor = Vendor::start();
    let path = drafting(&vendor);
    let all: Vec<_> = (0..8).map(|number| noise(1 << 20, &format!("upload {number}"))).collect();
    thread::scope(|scope| {
        for content in &all {
            let (vendor, path) = (&vendor, &path);
            scope.spawn(move || put(vendor, path, "office.tar.gz", content).created());
        }
    });
    let left = listed(&vendor, &path);
    assert_eq!(left.len(), 1);
    vendor.keeps(&[left[0]["sha256"].as_str().unwrap().to_owned()]);
    assert_eq!(vendor.incoming(), BTreeSet::new());
}

/// The most memory that the server has had, in MiB.
fn peak(vendor: &Vendor) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", vendor.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[test]
fn a_large_file_comes_in_and_goes_out_in_constant_memory() {
    const SIZE: u64 = 400 << 20;
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").draft();
    let before = peak(&vendor);
    let body = reqwest::blocking::Body::sized(std::io::repeat(b'x').take(SIZE), SIZE);
    let path = office.release_path("13.0.0");
    let stored = vendor.admin.put(&format!("{path}/artifacts/large.tar.gz?{PLACE}")).body(body).send().created();
    assert_eq!(stored["size"], SIZE);
    office.steer("13.0.0", "publish", &json!({}));
    let customer = office.sell("single_user").customer;
    let url = customer.checked("office-maker", "12.0.0", &[]).link().to_owned();
    let mut response = customer.get(&url).open();
    let (mut piece, mut received) = (vec![0; 1 << 20], 0);
    loop {
        let read = response.read(&mut piece).unwrap();
        if read == 0 {
            break;
        }
        assert!(piece[..read].iter().all(|byte| *byte == b'x'));
        received += u64::try_from(read).unwrap();
    }
    assert_eq!(received, SIZE);
    let last = customer.get(&url).header("range", "bytes=-1").send().expect(206);
    assert_eq!(last.header("content-range"), format!("bytes {}-{}/{SIZE}", SIZE - 1, SIZE - 1));
    let grown = peak(&vendor) - before;
    assert!(grown < 100, "the server's memory grew by {grown} MiB");
}
