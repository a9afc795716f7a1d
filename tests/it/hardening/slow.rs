//! Those who begin to say something and do not go on.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::harness::{Vendor, eventually};

const SOON: Duration = Duration::from_secs(30);

pub(super) fn connect(vendor: &Vendor) -> TcpStream {
    let stream = TcpStream::connect(*vendor.address().lock().unwrap()).expect("a connection");
    stream.set_read_timeout(Some(SOON)).expect("a time-out");
    stream
}

/// All that the server says until it ends the connection, and how long that took.
#[track_caller]
pub(super) fn rest(mut stream: TcpStream) -> (String, Duration) {
    let (began, mut said) = (Instant::now(), Vec::new());
    // A reset is an end too: not all that was sent has been read.
    if let Err(error) = stream.read_to_end(&mut said) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{}", String::from_utf8_lossy(&said));
    }
    (String::from_utf8_lossy(&said).into_owned(), began.elapsed())
}

#[test]
fn a_body_that_comes_to_a_standstill_is_given_up() {
    let vendor = Vendor::with(&[("server.body_timeout", "1s")]);
    let mut stream = connect(&vendor);
    let head =
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).expect("a beginning");
    let (said, took) = rest(stream);
    assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("\"body_stalled\""), "{said}");
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_body_that_comes_letter_by_letter_is_given_up_as_well() {
    let vendor = Vendor::with(&[("server.body_timeout", "1s")]);
    let mut stream = connect(&vendor);
    let head =
        "POST /api/v1/reports HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("a head");
    let began = Instant::now();
    while stream.write_all(b" ").is_ok() {
        assert!(began.elapsed() < SOON, "it goes on and on");
        thread::sleep(Duration::from_millis(100));
    }
    assert!(began.elapsed() > Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn a_stalled_upload_is_given_up_and_leaves_nothing() {
    let vendor = Vendor::with(&[("server.body_timeout", "3s")]);
    let office = vendor.product();
    office.release("13.0.0").draft();
    let (_, made) = vendor.ci_with(&json!({"name": "pipeline", "scopes": ["releases:write"]}));
    let head = |length: usize| {
        format!(
            "PUT {}/artifacts/a.zip?component=standalone&platform=linux&arch=x86_64 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n",
            office.release_path("13.0.0"),
            made["token"].as_str().unwrap(),
        )
    };
    let mut stream = connect(&vendor);
    stream.write_all(head(10_000_000).as_bytes()).expect("a head");
    stream.write_all(&[7; 5_000_000]).expect("half of it");
    let (said, _) = rest(stream);
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    eventually(10, "nothing is left of it", || vendor.incoming().is_empty().then_some(()));
    assert!(vendor.contents().is_empty());

    // A line that is slow is no standstill.
    let mut stream = connect(&vendor);
    stream.write_all(head(10).as_bytes()).expect("a head");
    for _ in 0..10 {
        thread::sleep(Duration::from_millis(400));
        stream.write_all(b"x").expect("one more");
    }
    let (said, _) = rest(stream);
    assert!(said.starts_with("HTTP/1.1 201 "), "{said}");
}

#[test]
fn unfinished_heads_and_idle_connections_are_closed() {
    let vendor = Vendor::start();
    let mut slow = connect(&vendor);
    slow.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n").expect("half a head");
    let silent = connect(&vendor);
    let mut idle = connect(&vendor);
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").expect("a request");
    let (said, _) = rest(slow);
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
    assert!(rest(idle).0.starts_with("HTTP/1.1 200 "));
    let (said, _) = rest(silent);
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
}
