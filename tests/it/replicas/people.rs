//! What an owner does to people holds on every replica.

use serde_json::json;

use super::{in_step, two};
use crate::harness::{Actor as _, vendor::log_in_as};

#[test]
fn a_session_that_was_ended_at_one_replica_is_ended_at_the_other() {
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
fn a_reused_refresh_token_ends_the_login_at_every_replica() {
    let (first, second) = two();
    let tokens = crate::harness::log_in(&first.anonymous()).ok();
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let next = first.anonymous().post("/api/v1/auth/refresh").json(&refresh).send().ok();
    first.person(&next).get("/api/v1/auth/me").send().ok();
    second.anonymous().post("/api/v1/auth/refresh").json(&refresh).send().refused(401, "refresh_token_invalid");
    in_step("the end of the login", || first.person(&next).get("/api/v1/auth/me").send().status == 401);
}
