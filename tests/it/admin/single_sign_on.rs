//! Logins through a real OpenID provider.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};
use url::Url;

use crate::harness::{
    Actor, Admin, Answer, Server, Vendor, eventually,
    openid::{BEGIN, Browser, CALLBACK, CLIENT_SECRET, OpenIdProvider},
    pages,
    server::{EMAIL, PASSWORD},
    vendor::{log_in, log_in_as},
};

const USERS: &str = "/api/v1/admin/users";
const ME: &str = "/api/v1/auth/me";

/// Anna, of whom the provider says this beside that her address is hers.
fn anna(fields: &Value) -> Value {
    let mut anna =
        json!({"email": "anna@vendor.example", "email_verified": true, "groups": ["staff", "sluice-managers"]});
    for (name, value) in fields.as_object().expect("fields") {
        anna[name] = value.clone();
    }
    json!({"anna": anna, "bert": {"email": "bert@vendor.example", "email_verified": true, "groups": "sluice-viewers"}})
}

fn two() -> (OpenIdProvider, Vendor) {
    let provider = OpenIdProvider::start(anna(&json!({})));
    let vendor = Vendor::with(&provider.settings(&[]));
    (provider, vendor)
}

fn sign_on(vendor: &Vendor, account: &str) -> Answer {
    Browser::new().sign_on(&vendor.url(), account)
}

/// Logs in through the provider, and says with which role.
#[track_caller]
fn role_of(vendor: &Vendor, account: &str) -> (Admin, String) {
    let person = vendor.person(&sign_on(vendor, account).ok());
    let role = person.get(ME).send().ok()["role"].as_str().expect("a role").to_owned();
    (person, role)
}

fn users(vendor: &Vendor) -> Vec<Value> {
    pages::all(&vendor.admin, USERS, 50)
}

fn user(vendor: &Vendor, email: &str) -> Value {
    users(vendor).into_iter().find(|user| user["email"] == email).unwrap_or_else(|| panic!("no {email}"))
}

fn path(user: &Value) -> String {
    format!("{USERS}/{}", user["id"].as_str().expect("an id"))
}

/// What the audit log has of a user, the oldest first.
fn history(vendor: &Vendor, user: &Value) -> Vec<Value> {
    let subject = format!("user:{}", user["id"].as_str().expect("an id"));
    let all = pages::all(&vendor.admin, "/api/v1/admin/audit", 50);
    all.into_iter().rev().filter(|entry| entry["subject"] == subject.as_str()).collect()
}

fn with_parameter(url: &Url, name: &str, value: Option<&str>) -> Url {
    let mut changed = url.clone();
    let others: Vec<_> = url.query_pairs().filter(|(found, _)| found != name).collect();
    changed.query_pairs_mut().clear().extend_pairs(others).extend_pairs(value.map(|value| (name, value)));
    changed
}

#[test]
fn a_single_sign_on_session_has_the_role_of_the_users_group() {
    let (provider, vendor) = two();
    let browser = Browser::new();
    let page = browser.depart(&vendor.url());
    assert!(page.as_str().starts_with(&format!("{}/auth?", provider.address)), "{page}");
    let back = browser.log_in_at_provider(&page, "anna");
    let answer = browser.open(&back);
    assert_eq!(answer.header("cache-control"), "no-store");
    let removal = answer.header("set-cookie").to_owned();
    assert!(removal.starts_with("sluice-sso=;") && removal.contains("Max-Age=0"), "{removal}");
    let tokens = answer.ok();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    let person = vendor.person(&tokens);
    let me = person.get(ME).send().ok();
    assert_eq!((&me["email"], &me["role"]), (&json!("anna@vendor.example"), &json!("release_manager")));
    assert_eq!(me["identity"], json!({"issuer": provider.address, "subject": "anna"}));
    assert_eq!((&me["password_login"], &me["products"]), (&json!(false), &Value::Null));
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let renewed = vendor.anonymous().post("/api/v1/auth/refresh").json(&refresh).send().ok();
    vendor.person(&renewed).post("/api/v1/auth/logout").send().no_content();
    person.get(ME).send().refused(401, "authorization_invalid");

    // Once more, and another one: who is known is not entered again.
    assert_eq!(role_of(&vendor, "anna").1, "release_manager");
    assert_eq!(role_of(&vendor, "bert").1, "viewer");
    assert_eq!(users(&vendor).len(), 3);
    let history = history(&vendor, &me);
    let actions: Vec<_> = history.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["user.add"]);
    let actor = &history[0]["actor"];
    assert_eq!((&actor["kind"], &actor["name"]), (&json!("stranger"), &json!("anna@vendor.example")));
    assert_eq!(actor["address"], "127.0.0.1");
    assert_eq!(history[0]["details"]["after"]["identity"]["subject"], "anna");

    let checked = vendor.command(&["config", "check"]).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && said.contains("identity provider"), "{said}");

    // Nothing that lets somebody in is written down.
    let code = back.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
    let state = back.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    let log = vendor.log().join("\n");
    for secret in [CLIENT_SECRET, &code, &state, tokens["access_token"].as_str().unwrap()] {
        assert!(!log.contains(secret) && !vendor.database_holds(secret), "{secret}: {log}");
    }
    assert!(!log.contains("eyJ"), "no token is logged: {log}");
}

#[test]
fn every_provider_signature_endpoint_and_client_proof_works() {
    let realm = json!({"groups": null, "realm_access": {"roles": ["sluice-viewers"]}});
    let vendor_of = |provider: &OpenIdProvider, more: &[(&str, &str)]| Vendor::with(&provider.settings(more));
    let signed_by = |algorithm: &str| json!({"client": {"id_token_signed_response_alg": algorithm}});
    for (account, settings, more) in [
        (json!({"email_verified": "true"}), json!({"claims_in_id_token": false}), &[][..]),
        (json!({}), signed_by("EdDSA"), &[]),
        (json!({}), signed_by("ES256"), &[]),
        (
            realm,
            json!({"client": {"token_endpoint_auth_method": "none"}}),
            &[("single_sign_on.role_claim", "realm_access.roles"), ("single_sign_on.client_secret", "")],
        ),
        // No word of whether the address is theirs.
        (json!({"email_verified": null}), signed_by("PS256"), &[("single_sign_on.trust_email", "true")]),
    ] {
        let provider = OpenIdProvider::with(anna(&account), &settings);
        let vendor = vendor_of(&provider, more);
        let me = vendor.person(&sign_on(&vendor, "anna").ok()).get(ME).send().ok();
        assert_eq!(me["identity"]["subject"], "anna", "{settings} {more:?}");
    }
    // An HMAC would be made with the client's secret.
    let provider = OpenIdProvider::with(anna(&json!({})), &signed_by("HS256"));
    let vendor = vendor_of(&provider, &[]);
    sign_on(&vendor, "anna").refused(401, "single_sign_on_failed").says("HS256");
    // The provider does not know this secret.
    let vendor = vendor_of(&provider, &[("single_sign_on.client_secret", "another-secret")]);
    let refused = sign_on(&vendor, "anna").refused(503, "identity_provider_unavailable");
    assert_eq!(refused.headers["retry-after"], "5");
    let log = || Some(vendor.log().join("\n")).filter(|log| log.contains("invalid_client"));
    let log = eventually(10, "the log says why", log);
    assert!(!log.contains("another-secret"), "{log}");
}

#[test]
fn the_code_is_bound_to_this_login_by_state_nonce_and_pkce() {
    let (provider, vendor) = two();
    let browser = Browser::new();
    let page = browser.depart(&vendor.url());
    let parameter =
        |name: &str| page.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned());
    assert_eq!(parameter("response_type").as_deref(), Some("code"));
    assert_eq!(parameter("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(parameter("scope").as_deref(), Some("openid email profile"));
    assert_eq!(parameter("redirect_uri"), Some(format!("{}{CALLBACK}", vendor.url())));
    for name in ["state", "nonce", "code_challenge"] {
        assert!(parameter(name).is_some_and(|value| value.len() >= 22), "{name}: {page}");
    }
    let again = browser.depart(&vendor.url());
    assert_ne!(page.query(), again.query());

    // The provider wants PKCE, and looks at it.
    let back = browser.log_in_at_provider(&with_parameter(&again, "code_challenge", None), "anna");
    browser.open(back).refused(401, "single_sign_on_failed").says("invalid_request");
    let other = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let back = browser
        .log_in_at_provider(&with_parameter(&browser.depart(&vendor.url()), "code_challenge", Some(other)), "anna");
    browser.open(back).refused(401, "single_sign_on_failed").says("code");
    let back =
        browser.log_in_at_provider(&with_parameter(&browser.depart(&vendor.url()), "nonce", Some("another")), "anna");
    browser.open(back).refused(401, "single_sign_on_failed").says("nonce");
    let back = browser.log_in_at_provider(&with_parameter(&browser.depart(&vendor.url()), "nonce", None), "anna");
    browser.open(back).refused(401, "single_sign_on_failed").says("nonce");
    let back =
        browser.log_in_at_provider(&with_parameter(&browser.depart(&vendor.url()), "state", Some("another")), "anna");
    browser.open(back).refused(401, "single_sign_on_failed").says("not the login");

    // What somebody else began does not end here: whoever is led to it would be logged in as them.
    let stranger = Browser::new();
    let theirs = stranger.log_in_at_provider(&stranger.depart(&vendor.url()), "bert");
    browser.open(&theirs).refused(401, "single_sign_on_failed").says("not the login");
    Browser::new().open(&theirs).refused(401, "single_sign_on_failed").says("no login was begun");
    let forged =
        vendor.anonymous().get(CALLBACK).query(&[("code", "x"), ("state", "x")]).header("cookie", "sluice-sso=x");
    forged.send().refused(401, "single_sign_on_failed").says("no login was begun");
    vendor.anonymous().get(CALLBACK).send().refused(401, "single_sign_on_failed");
    // Another provider's answer (RFC 9207), or nobody's.
    for issuer in [Some("http://127.0.0.1:1"), None] {
        stranger.open(with_parameter(&theirs, "iss", issuer)).refused(401, "single_sign_on_failed").says("iss");
    }
    for name in ["code", "state"] {
        stranger.open(with_parameter(&theirs, name, None)).refused(401, "single_sign_on_failed");
    }
    assert_eq!(users(&vendor).len(), 1, "nobody came in");
    // Nothing of all that has spoilt it for them; and a code is good once, also where the cookie was kept.
    let cookie = stranger.depart(&vendor.url());
    let back = stranger.log_in_at_provider(&cookie, "bert");
    let departed = Browser::new();
    let answer = departed.open(format!("{}{BEGIN}", vendor.url())).expect(303);
    let kept = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let its = departed.log_in_at_provider(&answer.header("location").parse().unwrap(), "bert");
    let query = its.query().unwrap();
    let complete = || vendor.anonymous().get(&format!("{CALLBACK}?{query}")).header("cookie", &kept).send();
    complete().ok();
    complete().refused(401, "single_sign_on_failed").says("code");
    stranger.open(&back).ok();
    stranger.open(&back).refused(401, "single_sign_on_failed").says("no login was begun");
    drop(provider);
}

#[test]
fn the_role_follows_the_groups_and_a_user_without_one_is_out() {
    let (mut provider, vendor) = two();
    let (before, role) = role_of(&vendor, "anna");
    assert_eq!(role, "release_manager");
    let me = before.get(ME).send().ok();
    provider.change("anna", &json!({"groups": ["sluice-viewers"], "email": "anna.rossi@vendor.example"}));
    before.get(ME).send().ok();
    let (person, role) = role_of(&vendor, "anna");
    assert_eq!(role, "viewer");
    before.get(ME).send().refused(401, "authorization_invalid");
    let now = user(&vendor, "anna.rossi@vendor.example");
    assert_eq!(now["id"], me["id"]);
    // Here it is not changed: the next login would undo it.
    vendor
        .admin
        .patch(&path(&now))
        .json(&json!({"role": "owner"}))
        .send()
        .refused(422, "body_invalid")
        .names(&["role"]);

    // The highest counts.
    provider.change("anna", &json!({"groups": ["sluice-viewers", "sluice-owners", "sluice-managers"]}));
    assert_eq!(role_of(&vendor, "anna").1, "owner");
    person.get(ME).send().refused(401, "authorization_invalid");
    let (owner, _) = role_of(&vendor, "anna");
    owner.get(USERS).send().ok();

    for groups in [json!(["staff"]), json!([]), Value::Null, json!(["SLUICE-OWNERS"]), json!({"sluice-owners": true})] {
        provider.change("anna", &json!({"groups": groups}));
        sign_on(&vendor, "anna").refused(403, "single_sign_on_refused").says("groups");
    }
    owner.get(ME).send().refused(401, "authorization_invalid");
    let history = history(&vendor, &now);
    let changes: Vec<_> = history
        .iter()
        .map(|entry| {
            (entry["action"].as_str().unwrap(), entry["details"]["after"]["role"].as_str().unwrap_or_default())
        })
        .collect();
    let expected = [
        ("user.add", "release_manager"),
        ("user.change", "viewer"),
        ("user.change", "owner"),
        // Shut out: no owner any more.
        ("user.change", "viewer"),
        ("user.sessions.end", ""),
    ];
    assert_eq!(changes, expected);
    let actor = &history[2]["actor"];
    assert_eq!((&actor["kind"], &actor["id"]), (&json!("person"), &me["id"]));
    // Somebody who never had one is not entered.
    provider.change("bert", &json!({"groups": ["staff"]}));
    sign_on(&vendor, "bert").refused(403, "single_sign_on_refused");
    assert_eq!(users(&vendor).len(), 2);
    provider.change("anna", &json!({"groups": ["sluice-managers"]}));
    assert_eq!(role_of(&vendor, "anna").1, "release_manager");
    let verified = vendor.command(&["audit", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn an_address_that_is_not_known_to_be_theirs_is_nobody() {
    let provider = OpenIdProvider::start(json!({
        "unverified": {"email": "support@vendor.example", "email_verified": false, "groups": ["sluice-owners"]},
        "silent": {"email": "support@vendor.example", "groups": ["sluice-owners"]},
        "nameless": {"email_verified": true, "groups": ["sluice-owners"]},
        "odd": {"email": "Anna <a@b.example>", "email_verified": true, "groups": ["sluice-owners"]},
    }));
    let vendor = Vendor::with(&provider.settings(&[]));
    let (_, made) = vendor.colleague_with(&json!({"role": "support"}));
    for account in ["unverified", "silent", "nameless", "odd"] {
        sign_on(&vendor, account).refused(403, "single_sign_on_refused").says("email_verified");
    }
    assert_eq!(user(&vendor, "support@vendor.example"), made);
    assert_eq!(users(&vendor).len(), 2);
    // Whoever takes the provider's word without: not against its word.
    let vendor = Vendor::with(&provider.settings(&[("single_sign_on.trust_email", "true")]));
    sign_on(&vendor, "unverified").refused(403, "single_sign_on_refused");
    assert_eq!(role_of(&vendor, "silent").1, "owner");
}

#[test]
fn an_existing_user_is_matched_by_address_and_loses_a_password() {
    let provider = OpenIdProvider::start(json!({
        "anna": {"email": "Viewer@Vendor.example", "email_verified": true, "groups": ["sluice-managers"]},
        "other": {"email": "viewer@vendor.example", "email_verified": true, "groups": ["sluice-owners"]},
        "admin": {"email": EMAIL, "email_verified": true, "groups": ["sluice-owners"]},
        "guarded": {"email": "support@vendor.example", "email_verified": true, "groups": ["sluice-owners"]},
    }));
    let vendor = Vendor::with(&provider.settings(&[]));
    vendor.product();
    let (before, made) = vendor.colleague_with(&json!({"role": "viewer", "products": ["office-maker"]}));
    let (person, role) = role_of(&vendor, "anna");
    assert_eq!(role, "release_manager");
    let me = person.get(ME).send().ok();
    assert_eq!(
        (&me["id"], &me["products"], &me["password_login"]),
        (&made["id"], &json!(["office-maker"]), &json!(false))
    );
    before.get(ME).send().refused(401, "authorization_invalid");
    log_in_as(&vendor.anonymous(), &json!({"email": "viewer@vendor.example"})).refused(401, "login_failed");
    let unknown =
        log_in_as(&vendor.anonymous(), &json!({"email": "nobody@vendor.example"})).refused(401, "login_failed");
    let wrong = log_in_as(&vendor.anonymous(), &json!({"email": "viewer@vendor.example", "password": ""}));
    assert_eq!(wrong.refused(401, "login_failed").body, unknown.body);
    let change = json!({"current_password": "", "password": "a-new-password"});
    person.patch(ME).json(&change).send().refused(422, "body_invalid").names(&["current_password"]);
    let begin = person.post("/api/v1/auth/me/totp").json(&json!({"current_password": ""}));
    begin.send().refused(422, "body_invalid").names(&["current_password"]);
    let linked = history(&vendor, &me).pop().unwrap();
    assert_eq!(linked["action"], "user.link");
    assert_eq!(
        (&linked["details"]["before"]["password"], &linked["details"]["after"]["password"]),
        (&json!(true), &json!(false))
    );

    // Somebody else of the provider with the same address is somebody else.
    sign_on(&vendor, "other").refused(403, "single_sign_on_refused").says("somebody else");
    // Owners keep their password, for when the provider is away.
    assert_eq!(role_of(&vendor, "admin").1, "owner");
    log_in(&vendor.anonymous()).ok();
    vendor.admin.get(ME).send().ok();

    // Who has asked for a second factor is not taken over by an address alone.
    let (guarded, made) = vendor.colleague_with(&json!({"role": "support"}));
    let secret = super::second_factor::begin(&guarded).ok()["secret"].as_str().unwrap().to_owned();
    let code = super::second_factor::code(&secret, &Timestamp::now().to_string());
    guarded.post("/api/v1/auth/me/totp/confirm").json(&json!({"otp": code})).send().ok();
    sign_on(&vendor, "guarded").refused(403, "single_sign_on_refused").says("second factor");
    assert_eq!(user(&vendor, "support@vendor.example")["role"], "support");
    vendor.admin.patch(&path(&made)).json(&json!({"second_factor": false})).send().ok();
    assert_eq!(role_of(&vendor, "guarded").1, "owner");
}

#[test]
fn whoever_was_removed_does_not_come_back_by_logging_in() {
    let (mut provider, vendor) = two();
    let (person, _) = role_of(&vendor, "anna");
    vendor.admin.delete(&path(&person.get(ME).send().ok())).send().no_content();
    person.get(ME).send().refused(401, "authorization_invalid");
    sign_on(&vendor, "anna").refused(403, "single_sign_on_refused").says("removed");
    provider.change("anna", &json!({"email": "anna.rossi@vendor.example", "groups": ["sluice-owners"]}));
    sign_on(&vendor, "anna").refused(403, "single_sign_on_refused").says("removed");
    assert_eq!(users(&vendor).len(), 1);
    // An owner has second thoughts.
    let new = json!({"email": "anna.rossi@vendor.example", "password": PASSWORD, "role": "viewer"});
    let made = vendor.admin.post(USERS).json(&new).send().created();
    assert_eq!(role_of(&vendor, "anna").1, "owner");
    vendor.admin.delete(&path(&made)).send().no_content();
    sign_on(&vendor, "anna").refused(403, "single_sign_on_refused").says("removed");
}

#[test]
fn the_last_owner_stays_one_whatever_the_provider_says() {
    let mut provider = OpenIdProvider::start(json!({
        "admin": {"email": EMAIL, "email_verified": true, "groups": ["sluice-viewers"]},
        "second": {"email": "second@vendor.example", "email_verified": true, "groups": ["sluice-owners"]},
    }));
    let vendor = Vendor::with(&provider.settings(&[]));
    assert_eq!(role_of(&vendor, "admin").1, "owner");
    provider.change("admin", &json!({"groups": []}));
    sign_on(&vendor, "admin").refused(403, "single_sign_on_refused");
    vendor.admin.get(ME).send().refused(401, "authorization_invalid");
    let again = vendor.person(&log_in(&vendor.anonymous()).ok());
    assert_eq!(again.get(ME).send().ok()["role"], "owner");
    // With another one there it is like any other.
    assert_eq!(role_of(&vendor, "second").1, "owner");
    provider.change("admin", &json!({"groups": ["sluice-viewers"]}));
    assert_eq!(role_of(&vendor, "admin").1, "viewer");
    log_in(&vendor.anonymous()).refused(401, "login_failed");
    again.get(ME).send().refused(401, "authorization_invalid");
    provider.change("second", &json!({"groups": ["sluice-viewers"]}));
    assert_eq!(role_of(&vendor, "second").1, "owner");
}

#[test]
fn a_claim_that_is_gone_for_everybody_leaves_one_owner_a_way_in() {
    let owner = |email: &str| json!({"email": email, "email_verified": true, "groups": ["sluice-owners"]});
    let mut provider = OpenIdProvider::start(
        json!({"admin": owner(EMAIL), "second": owner("owner@vendor.example"), "third": owner("third@vendor.example")}),
    );
    let vendor = Vendor::with(&provider.settings(&[]));
    vendor.colleague_with(&json!({"role": "owner"}));
    let accounts = ["admin", "second", "third"];
    for account in accounts {
        assert_eq!(role_of(&vendor, account).1, "owner", "{account}");
    }
    for account in accounts {
        provider.change(account, &json!({"groups": []}));
        sign_on(&vendor, account).refused(403, "single_sign_on_refused");
    }
    // The first had a password that the second had too, the third never had one.
    log_in(&vendor.anonymous()).refused(401, "login_failed");
    let second = vendor.person(&log_in_as(&vendor.anonymous(), &json!({"email": "owner@vendor.example"})).ok());
    assert_eq!(second.get(ME).send().ok()["role"], "owner");
    // Whoever the provider vouches for, and is no owner, is given no password beside it.
    provider.change("third", &json!({"groups": ["sluice-viewers"]}));
    let (_, role) = role_of(&vendor, "third");
    assert_eq!(role, "viewer");
    let third = second.get("/api/v1/admin/users").send().ok()["items"].as_array().unwrap().clone();
    let third = third.iter().find(|user| user["email"] == "third@vendor.example").unwrap();
    let password = json!({"password": PASSWORD});
    second.patch(&path(third)).json(&password).send().refused(422, "body_invalid").names(&["password"]);
}

#[test]
fn passwords_can_be_turned_off_for_all_but_owners() {
    let provider = OpenIdProvider::start(anna(&json!({})));
    let mut vendor = Vendor::with(&provider.settings(&[]));
    let (_, made) = vendor.colleague_with(&json!({"role": "support"}));
    let credentials = json!({"email": "support@vendor.example"});
    let before = log_in_as(&vendor.anonymous(), &credentials).ok();
    vendor.set("single_sign_on.password_login", "false");
    vendor.set("single_sign_on.create_users", "false");
    vendor.restart();
    log_in_as(&vendor.anonymous(), &credentials).refused(403, "password_login_off").says(BEGIN);
    // Only whoever knows the password is told so.
    let wrong = json!({"email": "support@vendor.example", "password": "wrong"});
    log_in_as(&vendor.anonymous(), &wrong).refused(401, "login_failed");
    let refresh = json!({"refresh_token": before["refresh_token"]});
    vendor.anonymous().post("/api/v1/auth/refresh").json(&refresh).send().refused(401, "refresh_token_invalid");
    log_in(&vendor.anonymous()).ok();
    // And nobody is entered but by an owner.
    sign_on(&vendor, "anna").refused(403, "single_sign_on_refused").says("anna@vendor.example");
    vendor.admin.patch(&path(&made)).json(&json!({"email": "anna@vendor.example"})).send().ok();
    let tokens = sign_on(&vendor, "anna").ok();
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    vendor.anonymous().post("/api/v1/auth/refresh").json(&refresh).send().ok();
}

#[test]
fn a_login_expires_in_ten_minutes_and_its_session_at_its_limit() {
    let provider = OpenIdProvider::start(anna(&json!({})));
    let later = |minutes: i64| (Timestamp::now() + SignedDuration::from_mins(minutes)).to_string();
    let vendor = Vendor::at(&later(0), &provider.settings(&[]));
    let browser = Browser::new();
    let back = browser.log_in_at_provider(&browser.depart(&vendor.url()), "anna");
    vendor.travel_to(&later(10));
    browser.open(&back).refused(401, "single_sign_on_failed").says("10 minutes");
    vendor.travel_to(&later(0));
    let tokens = browser.open(&back).ok();
    // The harness has sessions last for years: not this one.
    let expires_in = tokens["expires_in"].as_i64().unwrap();
    assert!((43_190..=43_200).contains(&expires_in), "{expires_in}");
    let prolong = |tokens: &Value| {
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        vendor.anonymous().post("/api/v1/auth/refresh").json(&refresh).send()
    };
    vendor.travel_to(&later(11 * 60));
    let tokens = prolong(&tokens).ok();
    assert!(tokens["expires_in"].as_i64().is_some_and(|left| left <= 3600), "{tokens}");
    vendor.person(&tokens).get(ME).send().ok();
    vendor.travel_to(&later(12 * 60 + 1));
    vendor.person(&tokens).get(ME).send().refused(401, "authorization_invalid");
    prolong(&tokens).refused(401, "refresh_token_invalid");
}

#[test]
fn an_unreachable_provider_refuses_logins_but_passwords_work() {
    let (mut provider, vendor) = two();
    let browser = Browser::new();
    let back = browser.log_in_at_provider(&browser.depart(&vendor.url()), "anna");
    provider.end();
    browser.open(&back).refused(503, "identity_provider_unavailable");
    log_in(&vendor.anonymous()).ok();

    // It was away at the start.
    let vendor = Vendor::with(&provider.settings(&[]));
    let refused = vendor.anonymous().get(BEGIN).send().refused(503, "identity_provider_unavailable");
    assert!(refused.headers.contains_key("retry-after"));
    log_in(&vendor.anonymous()).ok();
    let warning = "nobody can log in through the identity provider until it answers";
    eventually(10, "a warning", || vendor.log().iter().any(|line| line.contains(warning)).then_some(()));
    let checked = vendor.command(&["config", "check"]).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("PROBLEM  the identity provider {}", provider.address)), "{said}");

    let other = OpenIdProvider::with(anna(&json!({})), &json!({"issuer": "http://127.0.0.1:1"}));
    let vendor = Vendor::with(&other.settings(&[]));
    vendor.anonymous().get(BEGIN).send().refused(503, "identity_provider_unavailable");
    let names_it = || vendor.log().iter().any(|line| line.contains("http://127.0.0.1:1")).then_some(());
    eventually(10, "the log says which one it is", names_it);
}

#[test]
fn whoever_gives_up_at_the_provider_is_told_so() {
    let (provider, vendor) = two();
    let browser = Browser::new();
    let page = browser.open(browser.depart(&vendor.url()));
    let form = Url::parse(&provider.address).unwrap().join(page.header("location")).unwrap();
    let mut given_up = browser.open(format!("{form}/abort"));
    while !given_up.header("location").contains(CALLBACK) {
        let next = form.join(given_up.header("location")).unwrap();
        given_up = browser.open(next);
    }
    let answer = browser.open(given_up.header("location"));
    answer.refused(401, "single_sign_on_failed").says("access_denied").says("aborted");
}

#[test]
fn tries_are_counted_by_address() {
    let provider = OpenIdProvider::start(anna(&json!({})));
    let vendor = Vendor::with(&provider.settings(&[("limits.failures_per_address", "3/h")]));
    for _ in 0..3 {
        vendor.anonymous().get(CALLBACK).send().refused(401, "single_sign_on_failed");
    }
    vendor.anonymous().get(CALLBACK).send().refused(429, "too_many_requests");
    let vendor = Vendor::with(&provider.settings(&[("limits.logins_per_address", "4/h")]));
    vendor.anonymous().get(BEGIN).send().expect(303);
    vendor.anonymous().get(BEGIN).send().expect(303);
    vendor.anonymous().get(CALLBACK).send().refused(401, "single_sign_on_failed");
    for path in [BEGIN, CALLBACK] {
        vendor.anonymous().get(path).send().refused(429, "too_many_requests");
    }
}

#[test]
fn the_cookie_is_for_this_server_alone() {
    let provider = OpenIdProvider::start(anna(&json!({})));
    let cookie = |settings: &[(&str, &str)]| {
        let vendor = Vendor::with(&provider.settings(settings));
        let answer = vendor.anonymous().get(BEGIN).send().expect(303);
        answer.headers[SET_COOKIE].to_str().unwrap().to_owned()
    };
    let plain = cookie(&[]);
    assert!(
        plain.starts_with("sluice-sso=") && plain.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=600"),
        "{plain}"
    );
    let safe = cookie(&[("server.public_url", "https://updates.vendor.example")]);
    assert!(safe.starts_with("__Host-sluice-sso="), "{safe}");
    assert!(safe.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600"), "{safe}");
}

#[test]
fn single_sign_on_needs_a_provider_and_a_wrong_one_is_named() {
    let vendor = Vendor::start();
    for path in [BEGIN, CALLBACK] {
        vendor.anonymous().get(path).send().refused(404, "not_found").says("single_sign_on.issuer");
    }
    for issuer in
        ["http://login.vendor.example", "https://a:b@login.vendor.example", "https://login.vendor.example/?x", "login"]
    {
        let settings = [
            ("single_sign_on.issuer", issuer),
            ("single_sign_on.client_id", "sluice"),
            ("single_sign_on.roles", "a=owner"),
        ];
        let ended = crate::harness::program::Ended::of(&mut Server::prepare(&settings).command(&["serve"]));
        assert!(ended.code != Some(0) && ended.stderr.contains("single_sign_on.issuer"), "{issuer}: {ended:?}");
    }
}
