//! Subscriptions and their keys.

use serde_json::{Value, json};

use crate::harness::{Actor, Vendor, pages};

const SUBSCRIPTIONS: &str = "/api/v1/admin/subscriptions";

#[test]
fn a_sale_answers_with_the_key_in_clear_and_only_then() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let sold =
        office.sell_with("multi_user", &json!({"grace_days": 14, "external_ref": "INV-7", "version_req": "^12"}));
    for (field, value) in [
        ("deployment", json!("multi_user")),
        ("state", json!("active")),
        ("status", json!("active")),
        ("grace_days", json!(14)),
        ("channels", json!(["stable"])),
        ("version_req", json!("^12")),
        ("renews", json!(true)),
        ("hosting_group", Value::Null),
        ("external_ref", json!("INV-7")),
        ("product", json!("office-maker")),
    ] {
        assert_eq!(sold.made[field], value, "{field}");
    }
    let bare = sold.key.replace('-', "");
    for path in [sold.path.clone(), format!("{}/keys", sold.path), SUBSCRIPTIONS.to_owned()] {
        let shown = vendor.admin.get(&path).send().expect(200).text();
        assert!(!shown.contains(&sold.key) && !shown.contains(&bare), "{shown}");
    }
    let keys = vendor.admin.get(&format!("{}/keys", sold.path)).send().ok();
    assert_eq!((&keys["items"][0]["imported"], &keys["items"][0]["revoked_at"]), (&json!(false), &Value::Null));
    // Nor is it anywhere on the disk or in the log.
    for text in [&sold.key, &bare] {
        assert!(!vendor.database_holds(text));
        assert!(!vendor.log().join("\n").contains(text.as_str()));
    }
}

#[test]
fn each_thing_that_staff_do_holds_at_the_next_check() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    let sold = office.sell("single_user");
    let reason = || sold.customer.check("office-maker", "12.0.0", &[]).ok()["reason"].clone();
    let post = |verb: &str, body: Value| {
        let call = vendor.admin.post(&format!("{}/{verb}", sold.path));
        if body.is_null() { call } else { call.json(&body) }.send()
    };
    assert_eq!(post("suspend", Value::Null).ok()["status"], "suspended");
    assert_eq!(reason(), "subscription_suspended");
    assert_eq!(post("resume", Value::Null).ok()["status"], "active");
    assert_eq!(reason(), Value::Null);

    // Not renewed, it runs to its end; renewed, it goes on.
    let cancelled = post("cancel", Value::Null).ok();
    assert_eq!((&cancelled["status"], &cancelled["renews"]), (&json!("active"), &json!(false)));
    assert_eq!(post("renew", json!({"ends_on": "2098-12-31"})).ok()["renews"], true);
    assert_eq!(post("cancel", json!({"at": "end"})).ok()["renews"], false);
    assert_eq!(post("renew", json!({"ends_on": null})).ok()["ends_on"], Value::Null);
    post("cancel", json!({"at": "end"})).refused(409, "subscription_endless");
    post("renew", json!({})).refused(422, "body_invalid").names(&["ends_on"]);
    post("renew", json!({"ends_on": "2019-01-01"})).refused(422, "body_invalid").names(&["ends_on"]);
    post("cancel", json!({"at": "once"})).refused(422, "body_invalid").names(&["at"]);

    vendor.admin.patch(&sold.path).json(&json!({"ends_on": "2020-12-31"})).send().ok();
    assert_eq!(reason(), "subscription_expired");
    vendor.admin.patch(&sold.path).json(&json!({"starts_on": "2090-01-01", "ends_on": null})).send().ok();
    assert_eq!(reason(), "subscription_pending");
    vendor.admin.patch(&sold.path).json(&json!({"starts_on": "2020-01-01", "version_req": "<13"})).send().ok();
    assert_eq!(reason(), "pinned");
    vendor.admin.patch(&sold.path).json(&json!({"version_req": null})).send().ok();
    assert_eq!(reason(), Value::Null);

    assert_eq!(post("cancel", json!({"at": "now"})).ok()["status"], "cancelled");
    assert_eq!(reason(), "subscription_cancelled");
    for (verb, body) in [
        ("suspend", Value::Null),
        ("resume", Value::Null),
        ("renew", json!({"ends_on": null})),
        ("cancel", Value::Null),
    ] {
        post(verb, body).refused(409, "subscription_cancelled");
    }
}

#[test]
fn a_draft_published_after_a_subscription_ended_is_not_covered() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("12.9.0").published_at("2020-06-01T00:00:00Z").publish();
    office.release("13.0.0").standalone("x").draft();
    // The draft is older than the end of yesterday's subscription; what counts is when it was published.
    vendor.execute("UPDATE releases SET created_at = 1577836800000000 WHERE state = 'draft'");
    let expired = office.sell_with("single_user", &json!({"ends_on": "2020-12-31"})).customer;
    office.steer("13.0.0", "publish", &json!({}));
    let answer = expired.check("office-maker", "12.0.0", &[]).ok();
    assert_eq!((&answer["update"]["version"], &answer["newer"]["version"]), (&json!("12.9.0"), &json!("13.0.0")));
    let answer = expired.check("office-maker", "12.9.0", &[]).ok();
    assert_eq!((&answer["status"], &answer["reason"]), (&json!("not_entitled"), &json!("subscription_expired")));
}

#[test]
fn changes_need_the_tag_that_was_read_if_one_is_named() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let sold = office.sell("single_user");
    let tag = vendor.admin.get(&sold.path).send().expect(200).header("etag").to_owned();
    let changed =
        vendor.admin.patch(&sold.path).header("if-match", &tag).json(&json!({"grace_days": 5})).send().expect(200);
    assert_ne!(changed.header("etag"), tag);
    vendor
        .admin
        .patch(&sold.path)
        .header("if-match", &tag)
        .json(&json!({"grace_days": 6}))
        .send()
        .refused(412, "precondition_failed");
    for (verb, body) in [
        ("suspend", Value::Null),
        ("resume", Value::Null),
        ("renew", json!({"ends_on": null})),
        ("cancel", Value::Null),
    ] {
        let call = vendor.admin.post(&format!("{}/{verb}", sold.path)).header("if-match", &tag);
        if body.is_null() { call } else { call.json(&body) }.send().refused(412, "precondition_failed");
    }
    let again = vendor.admin.patch(&sold.path).json(&json!({"grace_days": 5})).send().expect(200);
    assert_eq!(again.header("etag"), changed.header("etag"), "nothing was changed");
    for (field, value) in [
        ("grace_days", Value::Null),
        ("channels[0]", json!(["nightly"])),
        ("customer_id", json!("x")),
        ("ends_on", json!("2019-01-01")),
    ] {
        let mut body = json!({});
        body[field.trim_end_matches("[0]")] = value;
        vendor.admin.patch(&sold.path).json(&body).send().refused(422, "body_invalid").names(&[field]);
    }
}

#[test]
fn subscriptions_are_listed_by_what_they_are() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let library = vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    let buyer = vendor.buyer();
    for _ in 0..3 {
        office.sell_with("single_user", &json!({"customer_id": buyer}));
    }
    office.sell_with("single_user", &json!({"ends_on": "2020-06-30"}));
    office.sell_with("single_user", &json!({"starts_on": "2090-01-01"}));
    let suspended = library.sell("single_user");
    vendor.admin.post(&format!("{}/suspend", suspended.path)).send().ok();
    let count = |query: &str| pages::all(&vendor.admin, &format!("{SUBSCRIPTIONS}{query}"), 2).len();
    assert_eq!((count(""), count(&format!("?customer={buyer}"))), (6, 3));
    assert_eq!((count("?product=office-maker"), count("?product=library-maker")), (5, 1));
    assert_eq!(
        ["active", "expired", "pending", "suspended", "cancelled", "grace"]
            .map(|status| count(&format!("?status={status}"))),
        [3, 1, 1, 1, 0, 0]
    );
    assert_eq!((count("?ends_before=2020-07-01"), count("?ends_before=2020-06-30")), (1, 0));
    assert_eq!(count("?product=office-maker&status=active"), 3);
    for (query, status, code) in [
        ("product=nothing", 404, "product_not_found"),
        ("status=happy", 422, "parameter_invalid"),
        ("ends_before=soon", 422, "parameter_invalid"),
        ("customer=x", 422, "parameter_invalid"),
        ("limit=1000", 422, "parameter_invalid"),
        ("state=active", 400, "parameter_unknown"),
    ] {
        vendor.admin.get(&format!("{SUBSCRIPTIONS}?{query}")).send().refused(status, code);
    }
}

#[test]
fn keys_are_added_listed_and_revoked_one_by_one() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let (sold, other) = (office.sell("single_user"), office.sell("single_user"));
    let keys = format!("{}/keys", sold.path);
    let second = vendor.admin.post(&keys).send().created();
    let id = second["id"].as_str().unwrap();
    assert_eq!(pages::all(&vendor.admin, &keys, 1).len(), 2);
    vendor.admin.delete(&format!("{}/keys/{id}", other.path)).send().refused(404, "license_key_not_found");
    for _ in 0..2 {
        vendor.admin.delete(&format!("{keys}/{id}")).send().no_content();
    }
    let listed = pages::all(&vendor.admin, &keys, 10);
    assert_eq!(listed.iter().filter(|key| !key["revoked_at"].is_null()).count(), 1);
    vendor
        .customer(second["license_key"].as_str().unwrap())
        .get("/api/v1/subscription")
        .send()
        .refused(401, "license_key_revoked");
    sold.customer.get("/api/v1/subscription").send().ok();
    vendor.admin.delete(&format!("{keys}/not-an-id")).send().refused(404, "not_found");
    vendor.admin.get(&format!("{keys}?after=x")).send().refused(422, "parameter_invalid").says("`after`").says("`x`");
    let unknown = format!("{SUBSCRIPTIONS}/0199a0de-0000-7000-8000-00000000dead");
    for path in [unknown.clone(), format!("{unknown}/keys")] {
        vendor.admin.get(&path).send().refused(404, "subscription_not_found");
    }
    vendor.admin.post(&format!("{unknown}/keys")).send().refused(404, "subscription_not_found");
}

#[test]
fn explain_says_the_fate_of_each_release_for_any_site_and_time() {
    let vendor = Vendor::start();
    let office = vendor.product();
    for (version, at) in
        [("12.0.0", "2020-03-01T00:00:00Z"), ("12.5.0", "2020-09-01T00:00:00Z"), ("13.0.0", "2021-03-01T00:00:00Z")]
    {
        office.release(version).published_at(at).publish();
    }
    office.steer("12.5.0", "yank", &json!({"reason": "x"}));
    let sold = office.sell_with("single_user", &json!({"ends_on": "2020-12-31"}));
    let ask = |more: Value| {
        let mut body = json!({"product": "office-maker", "version": "11.0.0", "platform": "linux", "arch": "x86_64"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        vendor.admin.post("/api/v1/admin/explain").json(&body).send()
    };
    let explained = ask(json!({"subscription_id": sold.id})).ok();
    assert_eq!(explained["decision"]["update"]["version"], "12.0.0");
    assert_eq!(explained["decision"]["newer"]["version"], "13.0.0");
    let trace: Vec<_> =
        explained["trace"].as_array().unwrap().iter().map(|one| (&one["version"], &one["verdict"])).collect();
    assert_eq!(trace.len(), 3, "{explained}");
    assert!(trace.windows(2).all(|pair| pair[0].0.as_str() < pair[1].0.as_str()), "{trace:?}");
    let verdicts: std::collections::BTreeSet<_> = trace.iter().map(|(_, verdict)| verdict.to_string()).collect();
    assert_eq!(verdicts.len(), 3, "offered, yanked, not entitled: {trace:?}");
    // The answer is that of a real check, but for the moment and the links.
    let mut real = sold.customer.check("office-maker", "11.0.0", &[]).ok();
    let mut told = explained["decision"].clone();
    for answer in [&mut real, &mut told] {
        answer["checked_at"] = Value::Null;
        answer["update"]["artifact"]["url"] = Value::Null;
        answer["update"]["artifact"]["url_expires_at"] = Value::Null;
    }
    assert_eq!(told, real);
    let before = ask(json!({"subscription_id": sold.id, "at": "2020-02-01T00:00:00Z"})).ok();
    assert_eq!(before["decision"]["status"], "up_to_date");
    assert_eq!(ask(json!({})).ok()["decision"]["reason"], "license_required");
    ask(json!({"subscription_id": "0199a0de-0000-7000-8000-00000000dead"})).refused(404, "subscription_not_found");
    ask(json!({"product": "nothing"})).refused(404, "product_not_found");
    ask(json!({"version": "newest"})).refused(422, "version_invalid").says("`newest`").names(&["version"]);
    for (field, value) in
        [("at", json!("now")), ("platform", json!("beos")), ("colour", json!(1)), ("subscription_id", json!("x"))]
    {
        let mut more = json!({});
        more[field] = value;
        ask(more).refused(422, "body_invalid").names(&[field]);
    }
    // Nothing is noted of an installation that is explained.
    let installation = "0199a0de-0000-4000-8000-0000000000e1";
    ask(json!({"installation": installation})).ok();
    assert_eq!(vendor.admin.get("/api/v1/admin/installations").send().ok()["items"], json!([]));
}
