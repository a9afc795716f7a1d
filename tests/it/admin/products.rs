//! Products.

use serde_json::{Value, json};

use crate::harness::{Actor, Vendor, pages};

const PRODUCTS: &str = "/api/v1/products";

#[test]
fn a_product_has_what_was_said_and_the_defaults_of_the_rest() {
    let vendor = Vendor::start();
    let made =
        vendor.admin.post(PRODUCTS).json(&json!({"slug": "photo-maker", "name": "Photo Maker"})).send().expect(201);
    assert_eq!(made.header("etag"), "\"1\"");
    let made = made.json();
    assert_eq!(
        made,
        json!({"id": made["id"], "slug": "photo-maker", "name": "Photo Maker", "channels": ["stable", "beta", "alpha"],
            "default_locale": "en", "help_url": null, "renew_url": null, "expiry_policy": "keep_published",
            "min_supported_version": null, "timezone": "UTC", "required_artifacts": [], "required_locales": [],
            "two_person_rule": false})
    );
    let said = json!({"slug": "office-maker", "name": "Office Maker", "channels": ["lts", "stable"], "default_locale": "IT-it",
        "help_url": "mailto:help@vendor.example", "renew_url": "https://vendor.example/renew?from=app", "expiry_policy": "none",
        "min_supported_version": "12.0", "timezone": "Europe/Rome", "required_locales": ["it"],
        "required_artifacts": [{"component": "server", "platform": "linux", "arch": "universal"}]});
    let made = vendor.admin.post(PRODUCTS).json(&said).send().created();
    assert_eq!((&made["default_locale"], &made["min_supported_version"]), (&json!("it-IT"), &json!("12.0.0")));
    assert_eq!((&made["required_artifacts"], &made["timezone"]), (&said["required_artifacts"], &json!("Europe/Rome")));
    assert_eq!(vendor.admin.get("/api/v1/products/office-maker").send().ok(), made);
    vendor.admin.post(PRODUCTS).json(&said).send().refused(409, "product_exists").says("office-maker");
}

#[test]
fn a_change_changes_what_it_names_and_null_clears() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let before = vendor.admin.get(&office.path).send().expect(200);
    let tag = before.header("etag").to_owned();
    let change = json!({"name": "Office", "help_url": null, "min_supported_version": "11.0.0"});
    let changed = vendor.admin.patch(&office.path).header("if-match", &tag).json(&change).send().ok();
    assert_eq!(
        (&changed["name"], &changed["help_url"], &changed["slug"]),
        (&json!("Office"), &Value::Null, &json!("office-maker"))
    );
    assert_eq!(changed["renew_url"], before.json()["renew_url"]);
    vendor
        .admin
        .patch(&office.path)
        .header("if-match", &tag)
        .json(&json!({"name": "x"}))
        .send()
        .refused(412, "precondition_failed");
    for (field, value) in
        [("name", Value::Null), ("slug", json!("other")), ("channels", json!([])), ("timezone", Value::Null)]
    {
        let mut body = json!({});
        body[field] = value;
        vendor.admin.patch(&office.path).json(&body).send().refused(422, "body_invalid").names(&[field]);
    }
    vendor.admin.patch("/api/v1/products/nothing").json(&json!({})).send().refused(404, "product_not_found");
    vendor.admin.get("/api/v1/products/Not%20A%20Slug").send().refused(404, "not_found");
    // What decides holds at once.
    let customer = office.sell("single_user").customer;
    let supported = |version: &str| customer.check("office-maker", version, &[]).ok()["current"]["supported"].clone();
    assert_eq!((supported("10.9.9"), supported("11.0.0")), (json!(false), json!(true)));
}

#[test]
fn a_channel_that_is_in_use_cannot_be_removed() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let remove = |channels: Value| vendor.admin.patch(&office.path).json(&json!({"channels": channels})).send();
    office.release("13.0.0").with("channel", "beta").draft();
    remove(json!(["stable", "alpha"])).refused(409, "channel_in_use").says("`beta`");
    office.sell_with("single_user", &json!({"channels": ["alpha"]}));
    remove(json!(["stable", "beta"])).refused(409, "channel_in_use").says("`alpha`");
    vendor.admin.delete(&office.release_path("13.0.0")).send().no_content();
    office.stop(Some("beta"));
    remove(json!(["stable", "alpha"])).refused(409, "channel_in_use").says("`beta`");
    vendor.admin.delete(&format!("{}/stop?channel=beta", office.path)).send().no_content();
    let changed = remove(json!(["lts", "stable", "alpha"])).ok();
    assert_eq!(changed["channels"], json!(["lts", "stable", "alpha"]));
}

#[test]
fn products_are_listed_by_their_slugs_page_by_page() {
    let vendor = Vendor::start();
    for slug in ["c", "a", "e", "b", "d"] {
        vendor.product_with(&json!({"slug": slug}));
    }
    let slugs: Vec<_> =
        pages::all(&vendor.admin, PRODUCTS, 2).into_iter().map(|product| product["slug"].clone()).collect();
    assert_eq!(slugs, ["a", "b", "c", "d", "e"]);
    vendor
        .admin
        .get(&format!("{PRODUCTS}?after=Not%20A%20Slug"))
        .send()
        .refused(422, "parameter_invalid")
        .says("`after`");
}
