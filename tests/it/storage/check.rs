//! `sluice config check`, and the same lines when the server starts.

use serde_json::json;

use crate::harness::{
    S3, Server,
    port::Port,
    program::Ended,
    s3::{BUCKET, SECRET_KEY},
};

fn prepared(s3: &S3, more: &[(&str, &str)]) -> Server {
    let own = s3.settings();
    let own = own.iter().map(|(key, value)| (*key, value.as_str()));
    Server::prepare(&own.chain(more.iter().copied()).collect::<Vec<_>>())
}

/// What is wrong, in one line that has all of this and no secret; `serve` says the same, and ends.
#[track_caller]
fn finds(s3: &S3, more: &[(&str, &str)], said: &[&str]) {
    let server = prepared(s3, more);
    let ended = Ended::of(&mut server.command(&["config", "check"])).expect(1);
    let problems: Vec<_> = ended.stdout.lines().filter(|line| line.starts_with("PROBLEM")).collect();
    assert_eq!(problems.len(), 1, "{ended:?}");
    for text in said {
        assert!(problems[0].contains(text), "{text}: {}", problems[0]);
    }
    let started = Ended::of(&mut server.command(&["serve"])).expect(1);
    let last = started.stderr.lines().last().unwrap();
    assert!(last.starts_with("sluice: ") && said.iter().all(|text| last.contains(text)), "{started:?}");
    for ended in [&ended, &started] {
        assert!(!ended.stdout.contains(SECRET_KEY) && !ended.stderr.contains(SECRET_KEY), "{ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    }
}

#[test]
fn the_check_reports_each_step_before_and_while_serving() {
    let s3 = S3::start();
    let mut server = prepared(&s3, &[]);
    let before = Ended::of(&mut server.command(&["config", "check"])).expect(0);
    assert!(before.stdout.contains("does not exist yet"), "{before:?}");
    assert!(!server.data().exists(), "nothing was made");
    assert_eq!(s3.incoming().len(), 0, "the probe is gone");
    server.run();
    let beside = Ended::of(&mut server.command(&["config", "check", "--json"])).expect(0).json();
    assert_eq!(beside["works"], json!(true));
    assert!(beside["checked"].as_array().unwrap().len() >= 6, "{beside}");
    assert!(beside["checked"][0]["what"].as_str().unwrap().contains("is up to date"), "{beside}");
    // On the embedded stores too.
    let mut files = Server::start(&[]);
    let beside = Ended::of(&mut files.command(&["config", "check"])).expect(0);
    assert!(beside.stdout.contains("artifact") && !beside.stdout.contains("PROBLEM"), "{beside:?}");
    files.stop();
}

#[test]
fn a_login_that_is_refused() {
    let s3 = S3::start();
    finds(
        &s3,
        &[("storage.secret_access_key", "wrong")],
        &["SignatureDoesNotMatch", "storage.secret_access_key", BUCKET],
    );
    finds(&s3, &[("storage.access_key_id", "nobody")], &["refuses the login", "storage.access_key_id", &s3.endpoint()]);
}

#[test]
fn a_bucket_that_is_not_there() {
    let s3 = S3::start();
    finds(&s3, &[("storage.url", "s3://nowhere/files")], &["NoSuchBucket", "`nowhere`", "storage.url"]);
}

#[test]
fn a_bucket_that_cannot_be_written() {
    let s3 = S3::start();
    s3.set_read_only(true);
    finds(&s3, &[], &[BUCKET, "can be read but not written"]);
}

#[test]
fn a_clock_that_is_wrong() {
    let mut s3 = S3::start();
    s3.turn_the_clock();
    finds(&s3, &[], &["RequestTimeTooSkewed", "clock"]);
}

#[test]
fn an_unreachable_store_is_found_and_sluice_starts_all_the_same() {
    let port = Port::reserve();
    let nobody = port.address();
    let s3 = S3::start();
    let server = prepared(&s3, &[("storage.endpoint", &format!("http://{nobody}"))]);
    let ended = Ended::of(&mut server.command(&["config", "check"])).expect(1);
    assert!(ended.stdout.contains("cannot be reached") && ended.stdout.contains(&nobody.to_string()), "{ended:?}");
}

#[test]
fn a_public_address_at_which_links_are_not_served() {
    let port = Port::reserve();
    let nobody = port.address();
    let s3 = S3::start();
    let server = prepared(&s3, &[("storage.public_endpoint", &format!("http://{nobody}"))]);
    let ended = Ended::of(&mut server.command(&["config", "check"])).expect(1);
    let problems: Vec<_> = ended.stdout.lines().filter(|line| line.starts_with("PROBLEM")).collect();
    assert_eq!(problems.len(), 1, "{ended:?}");
    assert!(problems[0].contains(&nobody.to_string()) && problems[0].contains("storage.public_endpoint"), "{ended:?}");
    assert!(!problems[0].contains("Signature="), "the link is not shown: {ended:?}");
    assert_eq!(s3.incoming().len(), 0, "the probe is gone");
}

#[test]
fn a_configuration_that_is_none_is_named_with_its_key() {
    let s3 = S3::start();
    for (key, value) in [
        ("storage.endpoint", "ftp://key:hunter2@x"),
        ("storage.endpoint", "http://key:hunter2@x"),
        ("storage.public_endpoint", "s3.example.com"),
        ("storage.access_key_id", ""),
        ("storage.region", ""),
        ("storage.url", "s3://Not_A_Bucket"),
    ] {
        let server = prepared(&s3, &[(key, value)]);
        let ended = Ended::of(&mut server.command(&["config", "check"])).expect(2);
        assert!(ended.stderr.contains(key) && !ended.stderr.contains("hunter2"), "{ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    }
}
