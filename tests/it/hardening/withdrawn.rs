//! Those whose credentials are taken away while their request is on its way: a body can be held back for long.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::json;

use super::slow::{connect, rest};
use crate::harness::{Actor as _, Vendor, eventually, log_in, vendor::log_in_as};

/// A request all of whose body but the last byte was sent, to a server that has begun to answer it.
fn begin(vendor: &Vendor, line: &str, token: &str, body: &str) -> TcpStream {
    let mut stream = connect(vendor);
    let head = format!(
        "{line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
        content-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("a head");
    let mut said = [0; 25];
    stream.read_exact(&mut said).expect("a beginning of an answer");
    assert_eq!(&said, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&body.as_bytes()[..body.len() - 1]).expect("nearly all of it");
    stream
}

/// Sends the last byte.
fn end(mut stream: TcpStream, body: &str) -> String {
    stream.write_all(&body.as_bytes()[body.len() - 1..]).expect("the rest");
    rest(stream).0
}

#[track_caller]
fn assert_refused(said: &str) {
    assert!(said.starts_with("HTTP/1.1 401 ") && said.contains("\"authorization_invalid\""), "{said}");
    assert!(said.contains("nothing was changed"), "it was refused before it began: {said}");
}

#[test]
fn a_login_that_ends_meanwhile_changes_nothing_any_more() {
    let vendor = Vendor::start();
    let stolen = log_in(&vendor.anonymous()).ok();
    let token = stolen["access_token"].as_str().unwrap();
    let body = json!({"email": "thief@elsewhere.example", "password": "a password of a thief", "role": "owner"});
    let body = body.to_string();
    let held_back = begin(&vendor, "POST /api/v1/admin/users", token, &body);
    vendor.person(&stolen).post("/api/v1/auth/logout").send().no_content();
    assert_refused(&end(held_back, &body));
    let users = vendor.admin.get("/api/v1/admin/users").send().ok();
    assert!(!users.to_string().contains("thief"), "{users}");
}

#[test]
fn a_role_taken_away_during_a_request_is_no_longer_used() {
    let vendor = Vendor::start();
    vendor.product();
    let (_, made) = vendor.colleague_with(&json!({"email": "bob@vendor.example", "role": "owner"}));
    let tokens = log_in_as(&vendor.anonymous(), &json!({"email": "bob@vendor.example"})).ok();
    let body = json!({"name": "kept for later", "scopes": ["releases:publish"]}).to_string();
    let held_back = begin(&vendor, "POST /api/v1/admin/tokens", tokens["access_token"].as_str().unwrap(), &body);
    let path = format!("/api/v1/admin/users/{}", made["id"].as_str().unwrap());
    vendor.admin.patch(&path).json(&json!({"role": "viewer"})).send().ok();
    assert_refused(&end(held_back, &body));
    assert_eq!(vendor.admin.get("/api/v1/admin/tokens").send().ok()["items"], json!([]));
}

/// An upload with a pipeline's token, all but its end, of which the server knows; and the file.
fn begin_upload(vendor: &Vendor, path: &str, token: &str) -> (TcpStream, String) {
    let file = "#".repeat(100_000);
    let line = format!("PUT {path}/artifacts/setup.zip?component=standalone&platform=linux&arch=x86_64");
    let held_back = begin(vendor, &line, token, &file);
    let tokens = || vendor.admin.get("/api/v1/admin/tokens").send().ok();
    eventually(10, "the token is in use", || tokens()["items"][0]["last_used_at"].is_string().then_some(()));
    (held_back, file)
}

#[test]
fn an_upload_whose_token_expires_meanwhile_is_finished() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let office = vendor.product();
    office.release("13.0.0").draft();
    let token = json!({"name": "pipeline", "scopes": ["releases:write"], "expires_in_days": 1});
    let (machine, made) = vendor.ci_with(&token);
    let (held_back, file) = begin_upload(&vendor, &office.release_path("13.0.0"), made["token"].as_str().unwrap());
    vendor.travel_to("2030-03-02T09:00:00Z");
    machine.get("/api/v1/products").send().refused(401, "authorization_invalid");
    let said = end(held_back, &file);
    assert!(said.starts_with("HTTP/1.1 201 "), "{said}");
}

#[test]
fn an_upload_whose_token_is_deleted_meanwhile_is_none() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").draft();
    let (_, made) = vendor.ci_with(&json!({"name": "pipeline", "scopes": ["releases:write"]}));
    let (held_back, file) = begin_upload(&vendor, &office.release_path("13.0.0"), made["token"].as_str().unwrap());
    vendor.admin.delete(&format!("/api/v1/admin/tokens/{}", made["id"].as_str().unwrap())).send().no_content();
    assert_refused(&end(held_back, &file));
    let release = vendor.admin.get(&office.release_path("13.0.0")).send().ok();
    assert_eq!(release["artifacts"].as_array().map(Vec::len), Some(0), "{release}");
    eventually(10, "nothing is left of it", || vendor.incoming().is_empty().then_some(()));
}
