//! Every operation's example, sent to a really started demo.

use crate::harness::stores::Folder;
use reqwest::blocking::Client;
use serde_json::Value;

use super::{
    Operation, document,
    example::{Known, request},
    operations,
};
use crate::demo::server::Server;

fn id<'a>(operation: &Operation<'a>) -> &'a str {
    operation.2["operationId"].as_str().expect("an id")
}

/// The order in which the examples do not spoil each other: what reads, makes, changes, steers, takes away.
fn turn(operation: &Operation<'_>) -> usize {
    // A life of each thing, where it matters; the last ends the session that all of them are sent in.
    const LATER: [&str; 23] = [
        "put_artifact",
        "publish_release",
        "restore_release",
        "promote_release",
        "yank_release",
        "put_rollout",
        "pause_rollout",
        "resume_rollout",
        "complete_rollout",
        "put_stop",
        "renew_subscription",
        "suspend_subscription",
        "resume_subscription",
        "cancel_subscription",
        "delete_stop",
        "delete_release",
        "revoke_license_key",
        "delete_known_problem",
        "delete_token",
        "delete_user",
        "log_in",
        "refresh_session",
        "log_out",
    ];
    let first = ["get", "head", "post", "patch"].iter().position(|method| *method == operation.1).unwrap_or(4);
    LATER.iter().position(|later| *later == id(operation)).map_or(first, |place| 10 + place)
}

/// Sends the example, and expects one of the successes that are described.
fn play(http: &Client, known: &Known<'_>, operation: Operation<'_>) -> String {
    let answer = request(http, known, operation).send().expect("an answer");
    let status = answer.status();
    let body = String::from_utf8_lossy(&answer.bytes().expect("a body")).into_owned();
    let described = operation.2["responses"].get(status.as_str()).is_some();
    assert!(status.is_success() && described, "{}: {status} {body}", id(&operation));
    body
}

fn read(text: &str, pointer: &str) -> String {
    let value: Value = serde_json::from_str(text).expect("JSON");
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {text}")).to_owned()
}

fn client() -> Client {
    Client::builder().no_proxy().build().expect("a client")
}

#[test]
fn every_example_works_against_the_demo() {
    let folder = Folder::new();
    let server = Server::start(&["--demo"], &folder);
    let (http, document) = (client(), document());
    let mut known = Known { address: &server.address, ..Known::default() };
    // The one-time link is only good where there is no administrator; a new password ends the session; the codes of a
    // device and the tokens of an issuer are not for an example to know; and the demo has no identity provider
    // (`admin/single_sign_on.rs` has one).
    let elsewhere = [
        "show_setup",
        "set_up",
        "change_own_password",
        "confirm_second_factor",
        "remove_second_factor",
        "begin_single_sign_on",
        "complete_single_sign_on",
        "exchange_identity",
    ];
    let mut walk: Vec<_> = operations(&document).into_iter().filter(|one| !elsewhere.contains(&id(one))).collect();
    walk.sort_by_key(turn);

    let of = |name: &str| *walk.iter().find(|operation| id(operation) == name).expect(name);
    let login = play(&http, &known, of("log_in"));
    known.access_token = read(&login, "/access_token");
    known.refresh_token = read(&login, "/refresh_token");
    let check = play(&http, &known, of("check_update"));
    let link = read(&check, "/update/artifact/url");
    known.token = link.split_once("?token=").expect("a token").1.to_owned();
    for operation in &walk {
        play(&http, &known, *operation);
    }
    assert!(walk.len() > 60, "{} operations", walk.len());

    let login = play(&http, &known, of("log_in"));
    known.access_token = read(&login, "/access_token");
    let change = operations(&document).into_iter().find(|one| id(one) == "change_own_password").expect("it");
    play(&http, &known, change);
}

#[test]
fn the_one_time_links_examples_work_without_an_administrator() {
    let folder = Folder::new();
    let mut server = Server::start(&[], &folder);
    let link = server.wait_for("/setup?token=");
    let token = link.split_once("?token=").expect("a token").1.to_owned();
    let (http, document) = (client(), document());
    let known = Known { address: &server.address, token, ..Known::default() };
    for name in ["show_setup", "set_up"] {
        let found = operations(&document).into_iter().find(|operation| id(operation) == name);
        play(&http, &known, found.expect(name));
    }
}
