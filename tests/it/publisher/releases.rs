//! Releases: drafted, listed, changed, deleted, published.

use serde_json::{Value, json};

use crate::harness::{Actor, Vendor, pages};

#[test]
fn a_draft_has_what_was_said_and_the_defaults_of_the_rest() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let ci = vendor.ci(&["releases:write"]);
    let releases = format!("{}/releases", office.path);
    let answer = ci.post(&releases).json(&json!({"version": "13.0"})).send().expect(201);
    assert_eq!(answer.header("etag"), "\"1\"");
    let draft = answer.json();
    assert_eq!(
        (&draft["version"], &draft["state"], &draft["channel"]),
        (&json!("13.0.0"), &json!("draft"), &json!("stable"))
    );
    assert_eq!((&draft["severity"], &draft["access"]), (&json!("normal"), &json!("subscribers")));
    assert_eq!((&draft["published_at"], &draft["manifest_revision"]), (&Value::Null, &json!(0)));

    let said = json!({"version": "13.1.0-rc.1+5", "channel": "beta", "severity": "critical", "access": "everyone",
        "min_from": "12.0", "compatible_clients": ">=12.4, <14", "notes": {"it": "Nuovo.", "fr-ch": "Nouveau."}});
    let draft = ci.post(&releases).json(&said).send().created();
    for (field, value) in
        [("version", "13.1.0-rc.1+5"), ("channel", "beta"), ("severity", "critical"), ("access", "everyone")]
    {
        assert_eq!(draft[field], value);
    }
    assert_eq!(
        (&draft["min_from"], &draft["notes"]),
        (&json!("12.0.0"), &json!({"it": "Nuovo.", "fr-CH": "Nouveau."}))
    );
    let shown = ci.get(&format!("{releases}/13.1.0-rc.1%2B5")).send().ok();
    assert_eq!(shown, draft);
    assert_eq!(ci.get(&format!("{releases}/13.1.0-rc.1")).send().ok(), draft, "build metadata does not matter");
}

#[test]
fn two_releases_of_equal_precedence_cannot_be() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").draft();
    for same in ["13.0.0", "13.0", "13.0.0+build.7"] {
        let answer = vendor.admin.post(&format!("{}/releases", office.path)).json(&json!({"version": same})).send();
        answer.refused(409, "release_exists").says("13.0.0").says("draft");
    }
    let library = vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    library.release("13.0.0").draft();
}

#[test]
fn a_body_too_large_of_a_wrong_type_or_not_json_is_refused() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let releases = format!("{}/releases", office.path);
    let large = format!("{{\"version\":\"1.0.0\",\"x\":\"{}\"}}", "x".repeat(256 << 10));
    let post = || vendor.admin.post(&releases).header("content-type", "application/json");
    post().body(large.clone()).send().refused(413, "body_too_large").says("262144");
    // Also when it does not say beforehand how long it is.
    post().body(reqwest::blocking::Body::new(std::io::Cursor::new(large))).send().refused(413, "body_too_large");
    post().body("{\"version\":").send().refused(400, "body_malformed");
    post().body("").send().refused(400, "body_malformed");
    post().body("{\"version\":\"1.0.0\"} and more").send().refused(400, "body_malformed");
    post().body(vec![b'"', 0xff, b'"']).send().refused(400, "body_malformed");
    post().body("{\"notes\":".to_owned() + &"[".repeat(100_000)).send().refused(422, "body_invalid").names(&["notes"]);
    // serde would read a struct from an array, too.
    for other in ["[]", "[\"1.0.0\"]", "null", "7", "\"1.0.0\""] {
        post().body(other).send().refused(422, "body_invalid").names(&["body"]);
    }
    for other in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let call = vendor.admin.post(&releases).body("{\"version\":\"1.0.0\"}");
        let call = if other.is_empty() { call } else { call.header("content-type", other) };
        call.send().refused(415, "media_type_unsupported").says("application/json");
    }
    let with_charset = vendor.admin.post(&releases).header("content-type", "Application/JSON; charset=utf-8");
    with_charset.body("{\"version\":\"1.0.0\"}").send().created();
}

#[test]
fn a_list_is_paged_from_the_highest_version_down() {
    let vendor = Vendor::start();
    let office = vendor.product();
    for version in ["1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1+7", "2.0.0", "10.0.0"] {
        office.release(version).draft();
    }
    office.steer("1.2.0", "publish", &json!({}));
    let seen: Vec<_> = pages::all(&vendor.admin, &format!("{}/releases", office.path), 2)
        .into_iter()
        .map(|release| release["version"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen, ["10.0.0", "2.0.0", "2.0.0-rc.1+7", "1.10.0", "1.2.0", "1.0.0"]);
    let of_state = |state: &str| {
        let page = vendor.admin.get(&format!("{}/releases?state={state}", office.path)).send().ok();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!((of_state("draft"), of_state("published"), of_state("yanked")), (5, 1, 0));
    for (query, status, code) in [
        ("limit=0", 422, "parameter_invalid"),
        ("limit=201", 422, "parameter_invalid"),
        ("limit=ten", 422, "parameter_invalid"),
        ("state=finished", 422, "parameter_invalid"),
        ("after=newest", 422, "version_invalid"),
        ("order=up", 400, "parameter_unknown"),
    ] {
        vendor.admin.get(&format!("{}/releases?{query}", office.path)).send().refused(status, code);
    }
}

#[test]
fn a_change_needs_the_tag_that_was_read_if_one_is_named() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").draft();
    let path = office.release_path("13.0.0");
    let change = |tag: &str, severity: &str| {
        vendor.admin.patch(&path).header("if-match", tag).json(&json!({"severity": severity})).send()
    };
    let read = vendor.admin.get(&path).send().expect(200);
    let tag = read.header("etag").to_owned();
    let changed = change(&tag, "important").expect(200);
    assert_ne!(changed.header("etag"), tag);
    let newest = changed.header("etag").to_owned();
    change(&tag, "critical").refused(412, "precondition_failed").says(&newest);
    assert_eq!(vendor.admin.get(&path).send().ok()["severity"], "important");
    change(&format!("{tag}, {newest}"), "critical").ok();
    change("*", "normal").ok();
    change("\"no-tag-of-ours\"", "critical").refused(412, "precondition_failed");
    // A weak tag never matches where bytes would be changed (RFC 9110, section 13.1.1).
    let newest = vendor.admin.get(&path).send().expect(200).header("etag").to_owned();
    change(&format!("W/{newest}"), "critical").refused(412, "precondition_failed");
    for unreadable in ["3", "\"3", "", ","] {
        change(unreadable, "critical").refused(400, "header_invalid").says("If-Match");
    }
    // A change that changes nothing leaves the tag as it is.
    assert_eq!(change(&newest, "normal").expect(200).header("etag"), newest);
    let verbs = [
        ("publish", json!({})),
        ("yank", json!({"reason": "x"})),
        ("restore", Value::Null),
        ("rollout/pause", json!({})),
        ("rollout/resume", json!({})),
        ("rollout/complete", Value::Null),
        ("promote", json!({"channel": "stable"})),
    ];
    for (verb, body) in verbs {
        let call = vendor.admin.post(&format!("{path}/{verb}")).header("if-match", "\"99\"");
        if body.is_null() { call } else { call.json(&body) }.send().refused(412, "precondition_failed");
    }
    let rollout =
        vendor.admin.put(&format!("{path}/rollout")).header("if-match", "\"99\"").json(&json!({"percent": 5}));
    rollout.send().refused(412, "precondition_failed");
    vendor.admin.delete(&path).header("if-match", "\"99\"").send().refused(412, "precondition_failed");
    vendor.admin.delete(&path).header("if-match", &newest).send().no_content();
}

#[test]
fn only_a_draft_can_be_deleted_and_its_files_go_with_it() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").standalone("content").draft();
    let path = office.release_path("13.0.0");
    vendor.admin.delete(&path).send().no_content();
    for call in [vendor.admin.get(&path), vendor.admin.delete(&path), vendor.admin.get(&format!("{path}/rollout"))] {
        call.send().refused(404, "release_not_found").says("13.0.0");
    }
    office.release("13.0.0").publish();
    vendor.admin.delete(&path).send().refused(409, "release_published");
    office.steer("13.0.0", "yank", &json!({"reason": "x"}));
    vendor.admin.delete(&path).send().refused(409, "release_published");
}

#[test]
fn what_is_published_can_be_corrected_only_in_part() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    let path = office.release_path("13.0.0");
    for (field, value) in [("channel", json!("beta")), ("min_from", json!("12.0.0")), ("min_from", Value::Null)] {
        let mut change = json!({"severity": "critical"});
        change[field] = value;
        vendor.admin.patch(&path).json(&change).send().refused(409, "release_published").says(&format!("`{field}`"));
    }
    assert_eq!(vendor.admin.get(&path).send().ok()["severity"], "normal");
    let change =
        json!({"severity": "important", "access": "everyone", "compatible_clients": "^13", "notes": {"en": "Better."}});
    let changed = vendor.admin.patch(&path).json(&change).send().ok();
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(&changed[field], value);
    }
    assert_eq!(changed["manifest_revision"], 2);
    let cleared = vendor.admin.patch(&path).json(&json!({"compatible_clients": null})).send().ok();
    assert_eq!((&cleared["compatible_clients"], &cleared["manifest_revision"]), (&Value::Null, &json!(3)));
    vendor.admin.patch(&path).json(&json!({"severity": null})).send().refused(422, "body_invalid").names(&["severity"]);
    vendor
        .admin
        .patch(&path)
        .json(&json!({"version": "13.0.1"}))
        .send()
        .refused(422, "body_invalid")
        .names(&["version"]);
}

#[test]
fn a_products_requirements_hold_unless_a_reason_overrides_them() {
    let vendor = Vendor::start();
    let office = vendor.product_with(&json!({"required_locales": ["it", "en"], "required_artifacts": [
        {"component": "standalone", "platform": "linux", "arch": "x86_64"},
        {"component": "standalone", "platform": "windows", "arch": "x86_64"}]}));
    office.release("13.0.0").standalone("x").draft();
    let publish =
        |body: Value| vendor.admin.post(&format!("{}/publish", office.release_path("13.0.0"))).json(&body).send();
    let refused = publish(json!({})).refused(422, "release_incomplete").names(&["artifacts", "notes"]);
    refused.says("windows").says("`it`").says("force.reason");
    publish(json!({"force": {"reason": ""}})).refused(422, "body_invalid").names(&["force.reason"]);
    publish(json!([])).refused(422, "body_invalid").names(&["body"]);
    publish(json!({"force": ["a reason"]})).refused(422, "body_invalid").names(&["force"]);
    publish(json!({"force": {}})).refused(422, "body_invalid").names(&["force.reason"]);
    assert_eq!(vendor.admin.get(&office.release_path("13.0.0")).send().ok()["state"], "draft");
    assert_eq!(publish(json!({"force": {"reason": "Windows follows"}})).ok()["state"], "published");
}

#[test]
fn publication_is_for_now_for_the_past_or_for_later() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("12.0.0").published_at("2020-06-01T00:00:00+02:00").publish();
    office.release("13.0.0").published_at("2099-01-01T00:00:00Z").publish();
    let release = |version: &str| vendor.admin.get(&office.release_path(version)).send().ok();
    assert_eq!(release("12.0.0")["published_at"], "2020-05-31T22:00:00Z");
    let customer = office.sell("single_user").customer;
    assert_eq!(customer.offered("office-maker", "11.0.0").as_deref(), Some("12.0.0"), "what is to come is not offered");
    let explain = json!({"product": "office-maker", "version": "11.0.0", "platform": "linux", "arch": "x86_64",
        "at": "2099-01-02T00:00:00Z"});
    let explained = vendor.admin.post("/api/v1/admin/explain").json(&explain).send().ok();
    assert_eq!(explained["decision"]["newer"]["version"], "13.0.0", "{explained}");
    for body in [
        json!({"published_at": "tomorrow"}),
        json!({"published_at": "2026-01-01"}),
        json!({"published_at": "-009999-01-01T00:00:00Z", "x": 1}),
    ] {
        office.release("14.0.0").draft();
        let path = office.release_path("14.0.0");
        vendor.admin.post(&format!("{path}/publish")).json(&body).send().refused(422, "body_invalid");
        vendor.admin.delete(&path).send().no_content();
    }
}

#[test]
fn an_unknown_query_parameter_publishes_nothing() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").standalone("x").draft();
    let path = office.release_path("13.0.0");
    let answer = vendor.admin.post(&format!("{path}/publish?dry_run=perhaps")).send();
    assert!((400..500).contains(&answer.status), "{answer:?}");
    let answer = vendor.admin.post(&format!("{path}/publish?no_such=1")).send();
    answer.refused(400, "parameter_unknown").says("`no_such`");
    assert_eq!(vendor.admin.get(&path).send().ok()["state"], "draft");
}

#[test]
fn each_state_takes_only_what_makes_sense_in_it() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").standalone("x").draft();
    let path = office.release_path("13.0.0");
    let why = json!({"reason": "a reason"});
    let post = |verb: &str, body: &Value| vendor.admin.post(&format!("{path}/{verb}")).json(body).send();
    let steering =
        [("yank", &why), ("rollout/pause", &why), ("rollout/resume", &why), ("promote", &json!({"channel": "stable"}))];
    for (verb, body) in steering {
        post(verb, body).refused(409, "release_not_published").says("draft");
    }
    vendor.admin.post(&format!("{path}/rollout/complete")).send().refused(409, "release_not_published");
    vendor
        .admin
        .put(&format!("{path}/rollout"))
        .json(&json!({"percent": 5}))
        .send()
        .refused(409, "release_not_published");
    vendor.admin.get(&format!("{path}/manifest")).send().refused(409, "release_not_published");
    // Whoever restores a draft gets told that it was never yanked.
    let refused = vendor.admin.post(&format!("{path}/restore")).send();
    assert_eq!(refused.status, 409, "{refused:?}");

    post("publish", &json!({})).ok();
    post("publish", &json!({})).refused(409, "release_published");
    vendor.admin.post(&format!("{path}/restore")).send().refused(409, "release_not_yanked");

    post("yank", &why).ok();
    for (verb, body) in steering {
        if verb != "yank" {
            post(verb, body).refused(409, "release_yanked");
        }
    }
    post("publish", &json!({})).refused(409, "release_published");
    for body in [json!({}), json!({"reason": ""}), json!({"reason": "x".repeat(201)}), json!({"reason": "two\nlines"})]
    {
        post("yank", &body).refused(422, "body_invalid").names(&["reason"]);
    }
}
