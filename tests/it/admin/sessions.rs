//! Logins.

use serde_json::{Value, json};

use crate::harness::{
    Actor, Anonymous, Server, Vendor,
    actor::Line,
    eventually,
    server::{EMAIL, PASSWORD},
    vendor::log_in,
};

const ME: &str = "/api/v1/auth/me";

fn refresh(vendor: &Vendor, tokens: &Value) -> crate::harness::Answer {
    vendor.anonymous().post("/api/v1/auth/refresh").json(&json!({"refresh_token": tokens["refresh_token"]})).send()
}

#[test]
fn a_login_gives_a_session_and_a_logout_ends_it() {
    let vendor = Vendor::start();
    let tokens = log_in(&vendor.anonymous()).ok();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    let person = vendor.person(&tokens);
    let me = person.get(ME).send().ok();
    assert_eq!((&me["email"], &me["role"]), (&json!(EMAIL), &json!("owner")));
    person.post("/api/v1/auth/logout").send().no_content();
    person.get(ME).send().refused(401, "authorization_invalid");
    refresh(&vendor, &tokens).refused(401, "refresh_token_invalid");
    vendor.admin.get(ME).send().ok();
}

#[test]
fn a_wrong_password_and_an_unknown_address_are_refused_alike() {
    let vendor = Vendor::start();
    let attempt = |email: &str, password: &str| {
        vendor.anonymous().post("/api/v1/auth/login").json(&json!({"email": email, "password": password})).send()
    };
    let wrong = attempt(EMAIL, "wrong").refused(401, "login_failed");
    let unknown = attempt("nobody@vendor.example", PASSWORD).refused(401, "login_failed");
    assert_eq!(wrong.body, unknown.body);
    attempt(&EMAIL.to_uppercase(), PASSWORD).ok();
    attempt(&format!(" {EMAIL} "), PASSWORD).ok();
    attempt("", "").refused(401, "login_failed");
    attempt(EMAIL, &"x".repeat(100_000)).refused(401, "login_failed");
    let call = || vendor.anonymous().post("/api/v1/auth/login");
    call().json(&json!({"email": EMAIL})).send().refused(422, "body_invalid").names(&["password"]);
    call()
        .json(&json!({"email": EMAIL, "password": PASSWORD, "remember": true}))
        .send()
        .refused(422, "body_invalid")
        .names(&["remember"]);
    // Neither is in the log, whichever it was.
    assert!(!vendor.log().join("\n").contains(PASSWORD));
}

#[test]
fn a_refresh_token_is_good_once_and_its_reuse_ends_the_login() {
    let vendor = Vendor::start();
    let first = log_in(&vendor.anonymous()).ok();
    let elsewhere = log_in(&vendor.anonymous()).ok();
    let second = refresh(&vendor, &first).ok();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let third = refresh(&vendor, &second).ok();
    for tokens in [&first, &second, &third] {
        vendor.person(tokens).get(ME).send().ok();
    }
    // Somebody has a copy of an old one: whoever of the two it is, the login ends.
    refresh(&vendor, &first).refused(401, "refresh_token_invalid");
    refresh(&vendor, &third).refused(401, "refresh_token_invalid");
    for tokens in [&first, &second, &third] {
        vendor.person(tokens).get(ME).send().refused(401, "authorization_invalid");
    }
    vendor.person(&elsewhere).get(ME).send().ok();
    refresh(&vendor, &elsewhere).ok();
    refresh(&vendor, &json!({"refresh_token": "made up"})).refused(401, "refresh_token_invalid");
}

#[test]
fn an_access_token_ends_with_its_time_and_is_renewed() {
    let vendor = Vendor::with(&[("auth.session_ttl", "3s")]);
    let tokens = log_in(&vendor.anonymous()).ok();
    assert_eq!(tokens["expires_in"], 3);
    let refused = crate::harness::eventually(10, "the session to end", || {
        let answer = vendor.person(&tokens).get(ME).send();
        (answer.status == 401).then_some(answer)
    });
    refused.refused(401, "authorization_invalid");
    let renewed = refresh(&vendor, &tokens).ok();
    vendor.person(&renewed).get(ME).send().ok();
}

#[test]
fn a_session_that_was_altered_is_none() {
    let vendor = Vendor::start();
    let tokens = log_in(&vendor.anonymous()).ok();
    let token = tokens["access_token"].as_str().unwrap();
    let parts: Vec<_> = token.split('.').collect();
    let ask = |token: &str| vendor.anonymous().get(ME).header("authorization", &format!("Bearer {token}")).send();
    ask(token).ok();
    // `{"alg":"none"}` without and with the rest as it is.
    for altered in [
        format!("eyJhbGciOiJub25lIn0.{}.", parts[1]),
        format!("eyJhbGciOiJub25lIn0.{}.{}", parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], parts[2].chars().rev().collect::<String>()),
        format!("{}.{}", parts[0], parts[1]),
        format!("slk_{token}"),
        "x".to_owned(),
    ] {
        ask(&altered).refused(401, "authorization_invalid");
    }
    for value in ["Bearer", "Bearer ", token, "Basic YTpi", "License x"] {
        let answer = vendor.anonymous().get(ME).header("authorization", value).send();
        let refused = answer.expect(401).json();
        assert!(
            matches!(refused["code"].as_str(), Some("authorization_required" | "authorization_invalid")),
            "{refused}"
        );
    }
}

#[test]
fn sessions_outlive_a_restart_and_a_rotation_of_their_keys() {
    let mut vendor = Vendor::start();
    let rotate = |vendor: &mut Vendor| {
        vendor.stop();
        crate::harness::program::Ended::of(&mut vendor.command(&["keys", "rotate", "sessions"])).expect(0);
        vendor.run();
    };
    vendor.restart();
    vendor.admin.get(ME).send().ok();
    rotate(&mut vendor);
    vendor.admin.get(ME).send().ok();
    rotate(&mut vendor);
    vendor.admin.get(ME).send().refused(401, "authorization_invalid");
}

#[test]
fn the_first_administrator_is_made_by_a_link_that_works_once() {
    let mut server = Server::prepare(&[("auth.bootstrap_email", ""), ("auth.bootstrap_password", "")]);
    server.run();
    let nobody = Anonymous(Line::new(server.address()));
    // It is the last that the server says.
    let link = |server: &Server| {
        eventually(10, "a link", || {
            let said = server.output();
            let mut lines = said.lines().map(str::trim);
            lines.find(|line| line.starts_with("http") && line.contains("/setup?token=")).map(str::to_owned)
        })
    };
    let old = link(&server);
    server.restart();
    let link = link(&server);
    nobody.get(&old).send().refused(403, "setup_link_invalid");
    let page = nobody.get(&link).send().expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
    let token = link.split_once("token=").unwrap().1;
    let set_up = |token: &str, email: &str, password: &str| {
        let body = json!({"token": token, "email": email, "password": password});
        nobody.post("/api/v1/auth/setup").json(&body).send()
    };
    log_in(&nobody).refused(401, "login_failed");
    set_up("wrong", EMAIL, PASSWORD).refused(403, "setup_link_invalid");
    set_up(token, "anna", "short").refused(422, "body_invalid").names(&["email", "password"]);
    assert_eq!(set_up(token, EMAIL, PASSWORD).created()["email"], EMAIL);
    log_in(&nobody).ok();
    set_up(token, "other@vendor.example", PASSWORD).refused(403, "setup_link_invalid");
    nobody.get(&link).send().refused(403, "setup_link_invalid");
    server.restart();
    assert!(!server.output().contains("/setup"), "{}", server.output());
    assert!(!server.log().join("\n").contains(token));
}
