//! Second factors, with a clock that is moved.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use crate::harness::{
    Actor, Admin, Answer, Vendor,
    server::{EMAIL, PASSWORD},
    vendor::{log_in, log_in_as},
};

const TOTP: &str = "/api/v1/auth/me/totp";
const CONFIRM: &str = "/api/v1/auth/me/totp/confirm";

/// What a device shows at a time (RFC 6238), from the secret as it was typed in.
pub(super) fn code(secret: &str, now: &str) -> String {
    let bits: String = secret
        .bytes()
        .map(|letter| format!("{:05b}", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(char::from(letter)).expect("base32")))
        .collect();
    let key: Vec<u8> =
        (0..bits.len() / 8).map(|byte| u8::from_str_radix(&bits[8 * byte..8 * byte + 8], 2).unwrap()).collect();
    let step = now.parse::<jiff::Timestamp>().unwrap().as_second() / 30;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key), &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let word = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

pub fn begin(person: &Admin) -> Answer {
    person.post(TOTP).json(&json!({"current_password": PASSWORD})).send()
}

/// Sets one up, at this time; returns the secret and the recovery codes.
fn set_up(person: &Admin, now: &str) -> (String, Vec<String>) {
    let begun = begin(person).ok();
    let secret = begun["secret"].as_str().unwrap().to_owned();
    assert!(begun["uri"].as_str().unwrap().contains(&format!("secret={secret}&issuer=Sluice")), "{begun}");
    let confirmed = person.post(CONFIRM).json(&json!({"otp": code(&secret, now)})).send().ok();
    let codes = confirmed["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned());
    (secret, codes.collect())
}

fn with(vendor: &Vendor, otp: &str) -> Answer {
    log_in_as(&vendor.anonymous(), &json!({"email": EMAIL, "otp": otp}))
}

#[test]
fn a_login_takes_each_code_once_and_clocks_may_be_a_step_apart() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let (secret, _) = set_up(&vendor.admin, "2030-03-01T08:00:00Z");
    assert_eq!(vendor.admin.get("/api/v1/auth/me").send().ok()["second_factor"], true);
    log_in(&vendor.anonymous()).refused(401, "otp_required");
    with(&vendor, &code(&secret, "2030-03-01T08:00:00Z")).refused(401, "login_failed");
    vendor.travel_to("2030-03-01T08:10:00Z");
    let wrong_password = json!({"email": EMAIL, "password": "wrong", "otp": code(&secret, "2030-03-01T08:10:00Z")});
    log_in_as(&vendor.anonymous(), &wrong_password).refused(401, "login_failed");
    log_in_as(&vendor.anonymous(), &json!({"email": EMAIL, "password": "wrong"})).refused(401, "login_failed");
    let early = code(&secret, "2030-03-01T08:09:30Z");
    with(&vendor, &early).ok();
    with(&vendor, &early).refused(401, "login_failed");
    with(&vendor, &code(&secret, "2030-03-01T08:10:35Z")).ok();
    with(&vendor, &code(&secret, "2030-03-01T08:10:05Z")).refused(401, "login_failed");
    vendor.travel_to("2030-03-01T08:20:00Z");
    with(&vendor, &code(&secret, "2030-03-01T08:18:55Z")).refused(401, "login_failed");
    with(&vendor, &code(&secret, "2030-03-01T08:20:00Z")).ok();
    assert!(!vendor.database_holds(&secret));
}

#[test]
fn a_recovery_code_is_good_once() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let (_, codes) = set_up(&vendor.admin, "2030-03-01T08:00:00Z");
    assert_eq!(codes.len(), 10);
    with(&vendor, &codes[0]).ok();
    with(&vendor, &codes[0]).refused(401, "login_failed");
    with(&vendor, &codes[1].to_uppercase().replace('-', " ")).ok();
    assert!(codes.iter().all(|code| !vendor.database_holds(code)));
    let remove = |otp: &str| vendor.admin.delete(TOTP).json(&json!({"otp": otp})).send();
    remove(&codes[1]).refused(422, "body_invalid").names(&["otp"]);
    remove(&codes[2]).no_content();
    remove(&codes[3]).refused(409, "second_factor_state");
    log_in(&vendor.anonymous()).ok();
}

#[test]
fn whoever_knows_the_password_does_not_guess_codes_for_free() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let (_, codes) = set_up(&vendor.admin, "2030-03-01T08:00:00Z");
    let remove = |otp: &str| vendor.admin.delete(TOTP).json(&json!({"otp": otp})).send();
    for _ in 0..5 {
        remove("wrong").refused(422, "body_invalid");
        begin(&vendor.admin).refused(409, "second_factor_state");
    }
    vendor.travel_to("2030-03-01T08:00:00Z");
    remove(&codes[0]).refused(429, "too_many_attempts");
    // Nor is a password made to wait for codes.
    begin(&vendor.admin).refused(409, "second_factor_state");
    vendor.travel_to("2030-03-01T08:05:00Z");
    remove(&codes[0]).no_content();
}

#[test]
fn it_counts_once_it_is_confirmed_and_is_not_begun_twice() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let confirm = |otp: &str| vendor.admin.post(CONFIRM).json(&json!({"otp": otp})).send();
    confirm("123456").refused(409, "second_factor_state");
    // Who has found an open session does not get far with a device of their own.
    let guessed = json!({"current_password": "guessed"});
    vendor.admin.post(TOTP).json(&guessed).send().refused(422, "body_invalid").names(&["current_password"]);
    let secret = begin(&vendor.admin).ok()["secret"].clone();
    let elsewhere = vendor.person(&log_in(&vendor.anonymous()).ok());
    confirm("wrong").refused(422, "body_invalid").names(&["otp"]);
    confirm(&code(secret.as_str().unwrap(), "2030-03-01T08:00:00Z")).ok();
    begin(&vendor.admin).refused(409, "second_factor_state");
    // What was logged in without it, by whomever, has ended.
    elsewhere.get("/api/v1/auth/me").send().refused(401, "authorization_invalid");
    vendor.admin.get("/api/v1/auth/me").send().ok();
}

#[test]
fn an_owner_removes_the_second_factor_of_somebody_who_lost_it() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let (person, made) = vendor.colleague_with(&json!({"role": "support"}));
    set_up(&person, "2030-03-01T08:00:00Z");
    let path = format!("/api/v1/admin/users/{}", made["id"].as_str().unwrap());
    let change = |value: Value| vendor.admin.patch(&path).json(&json!({"second_factor": value})).send();
    change(json!(true)).refused(422, "body_invalid").names(&["second_factor"]);
    assert_eq!(change(json!(false)).ok()["second_factor"], false);
    person.get("/api/v1/auth/me").send().refused(401, "authorization_invalid");
    log_in_as(&vendor.anonymous(), &json!({"email": "support@vendor.example"})).ok();
}
