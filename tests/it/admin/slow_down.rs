//! Failed logins slow down those that follow.

use serde_json::json;

use crate::harness::{
    Actor as _, Answer, Vendor,
    server::EMAIL,
    vendor::{log_in, log_in_as},
};

fn fail(vendor: &Vendor, email: &str) -> Answer {
    log_in_as(&vendor.anonymous(), &json!({"email": email, "password": "wrong"}))
}

#[test]
fn repeated_failures_wait_longer_each_time_and_never_for_good() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    vendor.colleague_with(&json!({"role": "owner"}));
    // An address that is known and one that is not, alike.
    for email in [EMAIL, "nobody@vendor.example"] {
        for _ in 0..5 {
            fail(&vendor, email).refused(401, "login_failed");
        }
        let refused = fail(&vendor, email);
        assert_eq!(refused.header("retry-after"), "1");
        refused.refused(429, "too_many_attempts");
    }
    // The clock goes on while the test runs, and the wait of a second with it: back to its beginning.
    vendor.travel_to("2030-03-01T08:00:00Z");
    // The right password would be told, if it were looked at.
    log_in(&vendor.anonymous()).refused(429, "too_many_attempts");
    vendor.travel_to("2030-03-01T08:00:30Z");
    fail(&vendor, EMAIL).refused(401, "login_failed");
    let wait: i64 = log_in(&vendor.anonymous()).expect(429).header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    vendor.travel_to("2030-03-01T08:01:00Z");
    log_in(&vendor.anonymous()).ok();
    // A success clears it.
    fail(&vendor, EMAIL).refused(401, "login_failed");
    log_in(&vendor.anonymous()).ok();
}

#[test]
fn prolonging_a_login_gives_no_free_password_guesses() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let mut tokens = log_in(&vendor.anonymous()).ok();
    for _ in 0..5 {
        fail(&vendor, EMAIL).refused(401, "login_failed");
        let body = json!({"refresh_token": tokens["refresh_token"]});
        tokens = vendor.anonymous().post("/api/v1/auth/refresh").json(&body).send().ok();
    }
    vendor.travel_to("2030-03-01T08:00:00Z");
    fail(&vendor, EMAIL).refused(429, "too_many_attempts");
}

#[test]
fn an_address_trying_many_accounts_waits_except_for_its_users() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    for number in 0..20 {
        fail(&vendor, &format!("{number}@vendor.example")).refused(401, "login_failed");
    }
    vendor.travel_to("2030-03-01T08:00:00Z");
    fail(&vendor, "another@vendor.example").refused(429, "too_many_attempts");
    // The harness has logged in from there.
    log_in(&vendor.anonymous()).ok();
    vendor.travel_to("2030-03-01T08:00:00Z");
    fail(&vendor, "another@vendor.example").refused(429, "too_many_attempts");
    vendor.travel_to("2030-03-01T08:20:00Z");
    fail(&vendor, "another@vendor.example").refused(401, "login_failed");
}
