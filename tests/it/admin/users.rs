//! People: entered, changed, removed; and what becomes of their sessions.

use serde_json::{Value, json};

use crate::harness::{
    Actor, Vendor,
    server::{EMAIL, PASSWORD},
    vendor::{log_in, log_in_as},
};

const USERS: &str = "/api/v1/admin/users";
const ME: &str = "/api/v1/auth/me";

fn path(user: &Value) -> String {
    format!("{USERS}/{}", user["id"].as_str().expect("an id"))
}

#[test]
fn a_user_is_entered_listed_changed_and_removed() {
    let vendor = Vendor::start();
    vendor.product();
    let new = json!({"email": " Anna@Vendor.example ", "password": "a-good-password", "role": "viewer", "products": ["office-maker"]});
    let made = vendor.admin.post(USERS).json(&new).send();
    assert_eq!(made.header("etag"), "\"1\"");
    let made = made.created();
    assert_eq!(made["email"], "anna@vendor.example");
    assert_eq!((&made["role"], &made["products"]), (&json!("viewer"), &json!(["office-maker"])));
    assert_eq!((&made["second_factor"], made.get("password")), (&json!(false), None));
    vendor.admin.post(USERS).json(&new).send().refused(409, "user_exists");
    let wrong = json!({"email": "anna", "password": "short", "role": "viewer"});
    vendor.admin.post(USERS).json(&wrong).send().refused(422, "body_invalid").names(&["email", "password"]);
    let refused = |field: &str, value: Value, status: u16, code: &str| {
        let mut new = json!({"email": "b@vendor.example", "password": "a-good-password", "role": "viewer"});
        new[field] = value;
        vendor.admin.post(USERS).json(&new).send().refused(status, code)
    };
    refused("role", json!("king"), 422, "body_invalid").names(&["role"]);
    refused("products", json!([]), 422, "body_invalid").names(&["products"]);
    refused("products", json!(["nothing"]), 404, "product_not_found");
    let owner = json!({"email": "b@vendor.example", "password": "a-good-password", "role": "owner", "products": ["office-maker"]});
    vendor.admin.post(USERS).json(&owner).send().refused(422, "body_invalid").names(&["products"]);

    let listed = vendor.admin.get(USERS).send().ok();
    let emails: Vec<_> = listed["items"].as_array().unwrap().iter().map(|user| &user["email"]).collect();
    assert_eq!(emails, [EMAIL, "anna@vendor.example"]);
    assert_eq!(vendor.admin.get(&path(&made)).send().ok(), made);
    let change = |body: &Value| vendor.admin.patch(&path(&made)).header("if-match", "\"1\"").json(body).send();
    assert_eq!(change(&json!({"role": "support", "products": null})).ok()["role"], "support");
    change(&json!({"role": "viewer"})).refused(412, "precondition_failed");
    let taken = vendor.admin.patch(&path(&made)).json(&json!({"email": EMAIL})).send();
    taken.refused(409, "user_exists");
    vendor.admin.delete(&path(&made)).send().no_content();
    vendor.admin.get(&path(&made)).send().refused(404, "user_not_found");
    vendor.admin.delete(&path(&made)).send().refused(404, "user_not_found");
}

#[test]
fn whoever_is_changed_or_removed_has_no_session_any_more() {
    let vendor = Vendor::start();
    vendor.product();
    let credentials = json!({"email": "viewer@vendor.example"});
    let (_, made) = vendor.colleague_with(&json!({"role": "viewer"}));
    for (change, ends) in [
        (json!({"email": "viewer@vendor.example"}), false),
        (json!({"role": "support"}), true),
        (json!({"products": ["office-maker"]}), true),
        (json!({"products": null}), true),
        (json!({"password": PASSWORD}), true),
    ] {
        let tokens = log_in_as(&vendor.anonymous(), &credentials).ok();
        vendor.admin.patch(&path(&made)).json(&change).send().ok();
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        let (session, refreshed) = (
            vendor.person(&tokens).get(ME).send(),
            vendor.anonymous().post("/api/v1/auth/refresh").json(&refresh).send(),
        );
        if ends {
            session.refused(401, "authorization_invalid");
            refreshed.refused(401, "refresh_token_invalid");
        } else {
            session.ok();
            refreshed.ok();
        }
    }
    let tokens = log_in_as(&vendor.anonymous(), &credentials).ok();
    vendor.admin.delete(&path(&made)).send().no_content();
    vendor.person(&tokens).get(ME).send().refused(401, "authorization_invalid");
    log_in_as(&vendor.anonymous(), &credentials).refused(401, "login_failed");
    vendor.admin.get(ME).send().ok();
}

#[test]
fn the_last_owner_stays() {
    let vendor = Vendor::start();
    let me = vendor.admin.get(ME).send().ok();
    vendor.admin.delete(&path(&me)).send().refused(409, "last_owner");
    vendor.admin.patch(&path(&me)).json(&json!({"role": "viewer"})).send().refused(409, "last_owner");
    let (other, _) = vendor.colleague_with(&json!({"role": "owner"}));
    vendor.admin.patch(&path(&me)).json(&json!({"role": "viewer"})).send().ok();
    let other_me = other.get(ME).send().ok();
    other.delete(&path(&other_me)).send().refused(409, "last_owner");
    other.delete(&path(&me)).send().no_content();
    log_in(&vendor.anonymous()).refused(401, "login_failed");
}

#[test]
fn changing_ones_password_needs_the_old_one_and_ends_sessions() {
    let vendor = Vendor::start();
    let elsewhere = vendor.person(&log_in(&vendor.anonymous()).ok());
    let change = |current: &str, new: &str| {
        vendor.admin.patch(ME).json(&json!({"current_password": current, "password": new})).send()
    };
    change("wrong", "a-new-password").refused(422, "body_invalid").names(&["current_password"]);
    change(PASSWORD, "short").refused(422, "body_invalid").names(&["password"]);
    elsewhere.get(ME).send().ok();
    change(PASSWORD, "a-new-password").no_content();
    for session in [&vendor.admin, &elsewhere] {
        session.get(ME).send().refused(401, "authorization_invalid");
    }
    log_in(&vendor.anonymous()).refused(401, "login_failed");
    log_in_as(&vendor.anonymous(), &json!({"email": EMAIL, "password": "a-new-password"})).ok();
    assert!(!vendor.log().join("\n").contains("a-new-password"));
}

#[test]
fn a_login_rehashes_the_password_when_hashing_costs_more() {
    let mut vendor = Vendor::start();
    let hash = |vendor: &Vendor| vendor.select("SELECT password_hash AS value FROM users").remove(0);
    let before = hash(&vendor);
    log_in(&vendor.anonymous()).ok();
    assert_eq!(hash(&vendor), before, "it costs what it should");
    vendor.set("auth.password_passes", "3");
    vendor.restart();
    log_in_as(&vendor.anonymous(), &json!({"email": EMAIL, "password": "wrong"})).refused(401, "login_failed");
    assert_eq!(hash(&vendor), before);
    log_in(&vendor.anonymous()).ok();
    let after = hash(&vendor);
    assert!(after.contains("t=3") && !before.contains("t=3"), "{before} {after}");
    vendor.admin.get(ME).send().ok();
    log_in(&vendor.anonymous()).ok();
    assert_eq!(hash(&vendor), after);
}
