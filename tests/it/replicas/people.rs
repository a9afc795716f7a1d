//! What an owner does to people holds on every replica.

use serde_json::json;

use super::{in_step, two, two_with};
use crate::harness::{
    Actor as _,
    openid::{Browser, OpenIdProvider},
    vendor::log_in_as,
};

#[test]
fn a_session_ended_at_one_replica_is_ended_at_the_other() {
    let (first, second) = two();
    let (_, made) = first.colleague_with(&json!({"role": "support"}));
    let path = format!("/api/v1/admin/users/{}", made["id"].as_str().unwrap());
    let ended = |what: &str, end: &dyn Fn(&crate::harness::Admin)| {
        let tokens = log_in_as(&first.anonymous(), &json!({"email": "support@vendor.example"})).ok();
        let there = second.person(&tokens);
        there.get("/api/v1/auth/me").send().ok();
        end(&first.person(&tokens));
        in_step(what, || there.get("/api/v1/auth/me").send().status == 401);
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        second.anonymous().post("/api/v1/auth/refresh").json(&refresh).send().refused(401, "refresh_token_invalid");
    };
    ended("a logout", &|person| person.post("/api/v1/auth/logout").send().no_content());
    ended("another role", &|_| drop(first.admin.patch(&path).json(&json!({"role": "viewer"})).send().ok()));
    let password = crate::harness::server::PASSWORD;
    let change = json!({"current_password": password, "password": password});
    ended("a password", &|person| person.patch("/api/v1/auth/me").json(&change).send().no_content());
    ended("a removal", &|_| first.admin.delete(&path).send().no_content());
}

#[test]
fn a_token_deleted_at_one_replica_is_refused_at_the_other() {
    let (first, second) = two();
    let (_, made) = first.ci_with(&json!({"name": "pipeline", "scopes": ["releases:read"]}));
    let there = crate::harness::Ci(second.anonymous().0.with(format!("Bearer {}", made["token"].as_str().unwrap())));
    there.get("/api/v1/products").send().ok();
    first.admin.delete(&format!("/api/v1/admin/tokens/{}", made["id"].as_str().unwrap())).send().no_content();
    there.get("/api/v1/products").send().refused(401, "authorization_invalid");
}

#[test]
fn a_reused_refresh_token_ends_the_login_at_every_replica() {
    let (first, second) = two();
    let tokens = crate::harness::log_in(&first.anonymous()).ok();
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let next = first.anonymous().post("/api/v1/auth/refresh").json(&refresh).send().ok();
    first.person(&next).get("/api/v1/auth/me").send().ok();
    second.anonymous().post("/api/v1/auth/refresh").json(&refresh).send().refused(401, "refresh_token_invalid");
    in_step("the end of the login", || first.person(&next).get("/api/v1/auth/me").send().status == 401);
}

#[test]
fn no_session_outlives_a_new_password_by_being_prolonged() {
    let (first, second) = two();
    let (_, made) = first.colleague_with(&json!({"role": "support"}));
    let path = format!("/api/v1/admin/users/{}", made["id"].as_str().unwrap());
    for _ in 0..5 {
        let prolonged = std::thread::scope(|scope| {
            let chains: Vec<_> = [&first, &second, &first, &second]
                .into_iter()
                .map(|vendor| {
                    let mut tokens = log_in_as(&vendor.anonymous(), &json!({"email": "support@vendor.example"})).ok();
                    scope.spawn(move || {
                        // Until it is told that the login has ended.
                        loop {
                            let refresh = json!({"refresh_token": tokens["refresh_token"]});
                            let next = vendor.anonymous().post("/api/v1/auth/refresh").json(&refresh).send();
                            match next.status {
                                200 => tokens = next.ok(),
                                _ => return tokens,
                            }
                        }
                    })
                })
                .collect();
            std::thread::sleep(std::time::Duration::from_millis(200));
            let change = json!({"password": crate::harness::server::PASSWORD});
            first.admin.patch(&path).json(&change).send().ok();
            chains.into_iter().map(|chain| chain.join().expect("a chain")).collect::<Vec<_>>()
        });
        for (vendor, tokens) in [&second, &first, &second, &first].into_iter().zip(&prolonged) {
            vendor.person(tokens).get("/api/v1/auth/me").send().refused(401, "authorization_invalid");
        }
    }
}

#[test]
fn a_login_that_was_begun_at_one_replica_ends_at_the_other() {
    let anna = json!({"anna": {"email": "anna@vendor.example", "email_verified": true, "groups": ["sluice-managers"]}});
    let provider = OpenIdProvider::start(anna);
    // Whatever is in front of both; here the browser is led to either by hand.
    let settings = provider.settings(&[("server.public_url", "http://127.0.0.1:1")]);
    let (first, second) = two_with(&settings);
    for (begins, ends) in [(&first, &second), (&second, &first)] {
        let browser = Browser::new();
        let mut back = browser.log_in_at_provider(&browser.depart(&begins.url()), "anna");
        assert_eq!(back.port(), Some(1));
        back.set_port(Some(ends.address().lock().expect("a lock").port())).expect("a port");
        let tokens = browser.open(back).ok();
        begins.person(&tokens).get("/api/v1/auth/me").send().ok();
    }
    assert_eq!(first.admin.get("/api/v1/admin/users").send().ok()["items"].as_array().map(Vec::len), Some(2));
}
