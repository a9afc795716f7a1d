//! Trusted publishing: a pipeline's identity for a token of a few minutes.

use std::{fs, path::Path, process::Command};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{
    Actor as _, Vendor, eventually,
    issuer::SigningKey,
    pages,
    pipeline::{AUDIENCE, Pipeline, ci, exchange},
};

fn vendor() -> Vendor {
    let vendor = Vendor::with(&[("server.public_url", AUDIENCE)]);
    vendor.product();
    vendor
}

#[test]
fn what_the_documentation_has_pipelines_do_releases() {
    let (vendor, pipeline) = (vendor(), Pipeline::start());
    pipeline.trusted(&vendor, "office-maker", &json!({"environment": "release", "ref": "refs/tags/v*"}));
    let chapter = include_str!("../../../docs/trusted-publishing.md").split_once("## Release").unwrap().1;
    let script = chapter.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(folder.path().join("office.tar.gz"), "the program").unwrap();
    fs::write(
        folder.path().join("release.toml"),
        "product = \"office-maker\"\nversion = \"1.0.0\"\nnotes = { en = \"New.\" }\n[[artifacts]]\npath = \"office.tar.gz\"\n\
         component = \"standalone\"\nplatform = \"linux\"\narch = \"x86_64\"\nkind = \"archive\"\n",
    )
    .unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_sluice")).parent().unwrap().display().to_string();
    let play = |identity: &str| {
        Command::new("sh")
            .args(["-c", script])
            .current_dir(folder.path())
            .env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()))
            .env("SLUICE_SERVER", vendor.url())
            .env("IDENTITY", identity)
            .output()
            .unwrap()
    };
    let identity = pipeline.identity();
    let published = play(&identity);
    assert!(published.status.success(), "{published:?}");
    assert_eq!(vendor.admin.get("/api/v1/products/office-maker/releases/1.0.0").send().ok()["state"], "published");
    let again = play(&identity);
    assert!(
        !again.status.success() && String::from_utf8_lossy(&again.stderr).contains("exchanged before"),
        "{again:?}"
    );
}

#[test]
fn a_pipelines_request_counts_as_that_of_the_user_who_trusts_it() {
    let settings = [("server.public_url", AUDIENCE), ("approvals.new_approvers_wait", "1ms")];
    let (vendor, pipeline) = (Vendor::with(&settings), Pipeline::start());
    let office = vendor.product();
    let (second, _) = vendor.colleague_with(&json!({"role": "owner"}));
    pipeline.trusted(&vendor, "office-maker", &json!({}));
    vendor.admin.patch(&office.path).json(&json!({"two_person_rule": true})).send().ok();
    office.release("13.0.0").standalone("the program").draft();
    let token = exchange(&vendor, &pipeline.identity(), None).ok();
    let publish = format!("{}/publish", office.release_path("13.0.0"));
    let asked = ci(&vendor, &token).post(&publish).send().accepted();
    let approve = format!("/api/v1/approvals/{}/approve", asked["approval"]["id"].as_str().unwrap());
    vendor.admin.post(&approve).send().refused(403, "approver_is_requester");
    second.post(&approve).send().ok();
}

fn refused(vendor: &Vendor, token: &str, product: Option<&str>) -> String {
    exchange(vendor, token, product).refused(401, "identity_refused").detail().to_owned()
}

#[test]
fn a_pipelines_identity_can_release_and_do_nothing_else() {
    let (vendor, pipeline) = (Vendor::with(&[("server.public_url", AUDIENCE)]), Pipeline::start());
    let office = vendor.product();
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"})).release("1.0.0").publish();
    let trusted = pipeline.trusted(&vendor, "office-maker", &json!({"environment": "release", "ref": "refs/tags/v*"}));
    assert_eq!(trusted["last_used_at"], Value::Null);
    let identity = pipeline.identity();
    let given = exchange(&vendor, &identity, Some("office-maker")).ok();
    assert_eq!((&given["token_type"], &given["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(
        (&given["product"], &given["scopes"]),
        (&json!("office-maker"), &json!(["releases:write", "releases:publish"]))
    );

    let machine = ci(&vendor, &given);
    machine.get("/api/v1/products/office-maker/releases").send().ok();
    machine.get("/api/v1/products/library-maker/releases").send().refused(404, "product_not_found");
    machine.delete("/api/v1/products/office-maker/stop").send().refused(403, "scope_insufficient");
    machine.get("/api/v1/admin/customers").send().refused(403, "scope_insufficient");
    for path in ["/api/v1/admin/tokens", "/api/v1/admin/audit", "/api/v1/products/office-maker/trusted-publishers"] {
        machine.get(path).send().refused(403, "scope_insufficient");
    }

    office.release("1.0.0").standalone("the program").draft();
    machine.post(&format!("{}/publish", office.release_path("1.0.0"))).json(&json!({})).send().ok();

    // Who it was is in the log, by what its service said.
    let log = pages::all(&vendor.admin, "/api/v1/admin/audit", 100);
    let of = |action: &str| log.iter().find(|entry| entry["action"] == action).unwrap();
    let exchanged = of("token.exchange");
    let name = "vendor/app, run 1234 (127.0.0.1)";
    assert_eq!((&exchanged["actor"]["kind"], &exchanged["actor"]["name"]), (&json!("machine"), &json!(name)));
    assert_eq!(exchanged["actor"]["address"], "127.0.0.1");
    let told = &exchanged["details"]["identity"];
    for (claim, value) in claims_of(&identity).as_object().unwrap() {
        let is_told = !["iss", "aud", "iat", "nbf", "exp"].contains(&claim.as_str());
        assert_eq!(told.get(claim).is_some_and(|told| told == value), is_told, "{claim}: {told}");
    }
    assert_eq!(told["issuer"], pipeline.issuer.url());
    assert_eq!(exchanged["details"]["after"]["trusted_publisher"], trusted["id"]);
    assert_eq!(of("release.publish")["actor"]["id"], exchanged["actor"]["id"]);
    for secret in [given["token"].as_str().unwrap(), &identity] {
        assert!(!vendor.database_holds(secret) && !vendor.log().join("\n").contains(secret));
    }
    let listed = vendor.admin.get("/api/v1/admin/tokens").send().ok();
    assert_eq!((&listed["items"][0]["name"], &listed["items"][0]["trusted_publisher"]), (&json!(name), &trusted["id"]));
    let path = format!("/api/v1/products/office-maker/trusted-publishers/{}", trusted["id"].as_str().unwrap());
    assert!(vendor.admin.get(&path).send().ok()["last_used_at"].is_string());

    // Once it is trusted no more, what it was given is good for nothing.
    vendor.admin.delete(&path).send().no_content();
    machine.get("/api/v1/products/office-maker/releases").send().refused(401, "authorization_invalid");
    assert!(refused(&vendor, &pipeline.identity(), Some("office-maker")).contains("does not trust this workload"));
}

#[test]
fn every_claim_must_be_as_it_was_entered() {
    let (vendor, pipeline) = (vendor(), Pipeline::start());
    pipeline.trusted(
        &vendor,
        "office-maker",
        &json!({"environment": "release", "ref": "refs/tags/v*", "claims": {"event_name": "push"}}),
    );
    let with = |fields: Value| {
        let mut claims = json!({"event_name": "push"});
        claims.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        pipeline.identity_with(&claims)
    };
    for (claim, found) in [
        ("environment", json!("staging")),
        ("environment", Value::Null),
        ("environment", json!(["release"])),
        ("ref", json!("refs/heads/v1")),
        ("workflow_ref", json!("vendor/app/.github/workflows/test.yml@refs/tags/v1.0.0")),
        ("event_name", json!("pull_request")),
    ] {
        let said = refused(&vendor, &with(json!({claim: found})), None);
        // Whoever is of the project is told what is expected.
        assert!(said.contains(&format!("`{claim}` is")) && said.contains("office-maker"), "{said}");
    }
    for (claim, found) in
        [("repository", json!("vendor/other")), ("repository", json!("Vendor/App")), ("repository", Value::Null)]
    {
        let said = refused(&vendor, &with(json!({claim: found, "sub": "repo:elsewhere"})), None);
        assert!(said.contains("no product trusts this workload"), "{said}");
        for secret in ["vendor/app", "release.yml", "refs/tags", "office-maker"] {
            assert!(!said.contains(secret), "a stranger is told of {secret}: {said}");
        }
    }
    exchange(&vendor, &with(json!({})), None).ok();
}

#[test]
fn a_project_recreated_under_the_same_name_is_not_trusted() {
    let (vendor, pipeline) = (vendor(), Pipeline::start());
    let trusted = pipeline.trusted(&vendor, "office-maker", &json!({}));
    assert_eq!(trusted["pinned_at_first_use"], json!(["repository_id", "repository_owner_id"]));
    exchange(&vendor, &pipeline.identity(), None).ok();
    let path = format!("/api/v1/products/office-maker/trusted-publishers/{}", trusted["id"].as_str().unwrap());
    let now = vendor.admin.get(&path).send().ok();
    assert_eq!((&now["claims"]["repository_id"], &now["pinned_at_first_use"]), (&json!("74"), &json!([])));
    for fields in [json!({"repository_id": "75"}), json!({"repository_owner_id": "66"}), json!({"repository_id": null})]
    {
        refused(&vendor, &pipeline.identity_with(&fields), None);
    }
    exchange(&vendor, &pipeline.identity(), None).ok();
    // Whoever knows the ids says them, and nothing is left to the first use.
    let known = json!({"repository": "vendor/lib", "claims": {"repository_id": "80", "repository_owner_id": "65"}});
    assert_eq!(pipeline.trusted(&vendor, "office-maker", &known)["pinned_at_first_use"], json!([]));
    let log = pages::all(&vendor.admin, "/api/v1/admin/audit", 100);
    let pins: Vec<_> = log.iter().filter(|entry| entry["action"] == "trusted_publisher.pin").collect();
    assert_eq!(pins.len(), 1);
    assert_eq!(pins[0]["actor"]["kind"], "machine");
    assert_eq!(pins[0]["details"]["after"]["claims"]["repository_id"], "74");
}

#[test]
fn an_identity_is_good_once_and_only_with_a_name_of_its_own() {
    let (vendor, pipeline) = (vendor(), Pipeline::start());
    pipeline.trusted(&vendor, "office-maker", &json!({}));
    let identity = pipeline.identity();
    exchange(&vendor, &identity, None).ok();
    assert!(refused(&vendor, &identity, None).contains("exchanged before"));
    // The same name under another signature is the same identity.
    assert!(
        refused(&vendor, &pipeline.identity_with(&json!({"jti": claims_of(&identity)["jti"]})), None)
            .contains("before")
    );
    for name in [Value::Null, json!(""), json!(7), json!("a".repeat(256))] {
        assert!(refused(&vendor, &pipeline.identity_with(&json!({"jti": name})), None).contains("`jti`"));
    }
    let mut rows = vendor.select("SELECT CAST(COUNT(*) AS TEXT) AS value FROM exchanged_identities");
    assert_eq!(rows.remove(0), "1");
}

fn claims_of(token: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

#[test]
fn forged_expired_and_misdirected_tokens_are_refused() {
    let (vendor, pipeline) = (vendor(), Pipeline::start());
    pipeline.trusted(&vendor, "office-maker", &json!({}));
    let now = Timestamp::now().as_second();
    let claims = pipeline.claims();
    for (token, why) in [
        (pipeline.key.token_with(json!({"alg": "none"}), &claims), "`none`"),
        // The public key, which everybody has, as the secret of an HMAC.
        (pipeline.key.token_with(json!({"alg": "HS256"}), &claims), "`HS256`"),
        (SigningKey::rsa("first").token(&claims), "signature"),
        (SigningKey::ec("second").token(&claims), "has no key `second`"),
        (pipeline.key.token_with(json!({"typ": "at+jwt"}), &claims), "`at+jwt`"),
        (
            pipeline.identity_with(&json!({"aud": "https://elsewhere.example"})),
            "must be for `http://updates.vendor.example` alone",
        ),
        (pipeline.identity_with(&json!({"aud": [AUDIENCE, "https://elsewhere.example"]})), "alone"),
        (pipeline.identity_with(&json!({"exp": now - 60})), "`exp`"),
        (pipeline.identity_with(&json!({"nbf": now + 120})), "`nbf`"),
        (pipeline.identity_with(&json!({"iat": now + 120})), "`iat`"),
        (pipeline.identity_with(&json!({"iss": "https://issuer.example"})), "no product trusts"),
        (pipeline.identity_with(&json!({"padding": "a".repeat(15_000)})), "not a signed JWT"),
        ("slk_0123456789".to_owned(), "not a signed JWT"),
    ] {
        let said = refused(&vendor, &token, Some("office-maker"));
        assert!(said.contains(why) || (why == "no product trusts" && said.contains("does not trust")), "{said}");
    }
    // An identity is no credential by itself, an API token no identity, and a session neither.
    let (machine, made) = vendor.ci_with(&json!({"name": "ci", "scopes": ["releases:read"]}));
    machine.get("/api/v1/products").send().ok();
    refused(&vendor, made["token"].as_str().unwrap(), None);
    let session = crate::harness::log_in(&vendor.anonymous()).ok();
    assert!(refused(&vendor, session["access_token"].as_str().unwrap(), None).contains("no product trusts"));
    ci(&vendor, &json!({"token": pipeline.identity()}))
        .get("/api/v1/products")
        .send()
        .refused(401, "authorization_invalid");
}

#[test]
fn unknown_products_and_those_that_trust_others_look_alike() {
    let (vendor, pipeline) = (vendor(), Pipeline::start());
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    vendor.product_with(&json!({"slug": "photo-maker", "name": "Photo Maker"}));
    pipeline.trusted(&vendor, "library-maker", &json!({"repository": "vendor/lib"}));
    let said = |product: &str| refused(&vendor, &pipeline.identity(), Some(product)).replace(product, "it");
    // It is told what it is itself, and nothing else.
    assert!(said("library-maker").contains("`repository` `vendor/app`"));
    assert_eq!(said("library-maker"), said("nothing-maker"));
    assert_eq!(said("library-maker"), said("photo-maker"));
}

#[test]
fn where_several_products_trust_a_workload_one_is_to_be_named() {
    let (vendor, pipeline) = (vendor(), Pipeline::start());
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    for product in ["office-maker", "library-maker"] {
        pipeline.trusted(&vendor, product, &json!({"scopes": ["releases:read"]}));
    }
    let identity = pipeline.identity();
    exchange(&vendor, &identity, None)
        .refused(422, "body_invalid")
        .names(&["product"])
        .says("`library-maker`, `office-maker`");
    // It was not spent, and is good once for either.
    assert_eq!(exchange(&vendor, &identity, Some("library-maker")).ok()["product"], "library-maker");
    refused(&vendor, &identity, Some("office-maker"));
    // Of several that a product trusts the one that may most counts.
    pipeline.trusted(&vendor, "office-maker", &json!({}));
    let given = exchange(&vendor, &pipeline.identity(), Some("office-maker")).ok();
    assert_eq!(given["scopes"], json!(["releases:write", "releases:publish"]));
}

#[test]
fn a_token_ends_by_the_clock_and_is_forgotten_with_its_identity() {
    let began: Timestamp = "2026-06-01T10:00:00Z".parse().unwrap();
    let settings = [("server.public_url", AUDIENCE), ("auth.trusted_publishing_ttl", "20m")];
    let vendor = Vendor::at(&began.to_string(), &settings);
    vendor.product();
    let pipeline = Pipeline::start();
    pipeline.trusted(&vendor, "office-maker", &json!({}));
    let identity = pipeline.key.token(&pipeline.claims_at(began));
    let given = exchange(&vendor, &identity, None).ok();
    assert_eq!(given["expires_in"], 1200);
    let machine = ci(&vendor, &given);
    let after = |minutes| began.checked_add(SignedDuration::from_mins(minutes)).unwrap().to_string();
    vendor.travel_to(&after(19));
    machine.get("/api/v1/products").send().ok();
    assert!(refused(&vendor, &identity, None).contains("has expired"));
    vendor.travel_to(&after(21));
    machine.get("/api/v1/products").send().refused(401, "authorization_invalid");
    let kept = |vendor: &Vendor| {
        let count =
            |table: &str| vendor.select(&format!("SELECT CAST(COUNT(*) AS TEXT) AS value FROM {table}")).remove(0);
        (count("exchanged_identities"), count("api_tokens"))
    };
    assert_eq!(kept(&vendor), ("1".to_owned(), "1".to_owned()));
    let mut vendor = vendor;
    // The token a day later, as an upload may be on its way with it.
    for (minutes, left) in [(24 * 60 + 15, ("0", "1")), (24 * 60 + 25, ("0", "0"))] {
        vendor.stop();
        vendor.travel_to(&after(minutes));
        vendor.run();
        let left = (left.0.to_owned(), left.1.to_owned());
        eventually(20, "what is past its time to be forgotten", || (kept(&vendor) == left).then_some(()));
    }
}

#[test]
fn rotated_keys_are_found_and_an_unreachable_issuer_is_named() {
    let (vendor, mut pipeline) = (vendor(), Pipeline::start());
    pipeline.issuer.answers(503);
    pipeline.trusted(&vendor, "office-maker", &json!({}));
    let refusal = exchange(&vendor, &pipeline.identity(), None).refused(503, "issuer_unavailable");
    assert!(refusal.headers.contains_key("retry-after"));
    let is_logged = || vendor.log().iter().any(|line| line.contains("it answered 503")).then_some(());
    eventually(10, "the log says why", is_logged);

    // At another server, which did not ask yet.
    let vendor = self::vendor();
    pipeline.issuer.answers(200);
    pipeline.trusted(&vendor, "office-maker", &json!({}));
    exchange(&vendor, &pipeline.identity(), None).ok();
    pipeline.issuer.answers(503);
    exchange(&vendor, &pipeline.identity(), None).ok();
    pipeline.key = SigningKey::ed("next");
    assert!(refused(&vendor, &pipeline.identity(), None).contains("has no key `next`"));
}

#[test]
fn other_services_use_their_own_audience_and_claims() {
    let (vendor, pipeline) = (vendor(), Pipeline::start());
    let other = json!({"preset": null, "repository": null, "workflow": null, "audience": "urn:vendor:updates",
        "claims": {"pipeline": "release", "organization": "vendor"}});
    let made = pipeline.trusted(&vendor, "office-maker", &other);
    assert_eq!((&made["audience"], &made["pinned_at_first_use"]), (&json!("urn:vendor:updates"), &json!([])));
    let good = json!({"aud": "urn:vendor:updates", "pipeline": "release", "organization": "vendor"});
    exchange(&vendor, &pipeline.identity_with(&good), None).ok();
    let for_us = json!({"pipeline": "release", "organization": "vendor"});
    let said = refused(&vendor, &pipeline.identity_with(&for_us), None);
    assert!(!said.contains("urn:vendor"), "{said}");
    let mut other = good;
    other["pipeline"] = json!("test");
    assert!(refused(&vendor, &pipeline.identity_with(&other), None).contains("no product trusts"));
}

#[test]
fn whoever_tries_too_often_has_to_wait() {
    let vendor = Vendor::with(&[("limits.logins_per_address", "3/m")]);
    for _ in 0..2 {
        refused(&vendor, "a.b.c", None);
    }
    let refusal = exchange(&vendor, "a.b.c", None).refused(429, "too_many_requests");
    assert!(refusal.headers.contains_key("retry-after"));
}
