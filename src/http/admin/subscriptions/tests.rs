//! What a subscription may be.

use serde_json::json;

use crate::http::in_process::InProcess;

const SUBSCRIPTIONS: &str = "/api/v1/admin/subscriptions";

#[test]
fn what_a_subscription_cannot_be_is_named() {
    let server = InProcess::start();
    server.product();
    let window = json!({"days": ["mon"], "start": "01:00", "duration_minutes": 60});
    let nights = json!({"slug": "nights", "name": "Nights", "timezone": "UTC", "window": window});
    server.post("/api/v1/admin/hosting-groups", &nights).created();
    let customer = server.customer();
    for (field, value) in [
        ("customer_id", json!("not-an-id")),
        ("product", json!("No Slug")),
        ("deployment", json!("on_paper")),
        ("starts_on", json!("tomorrow")),
        ("starts_on", json!("2026-02-30")),
        ("ends_on", json!("2019-12-31")),
        ("grace_days", json!(-1)),
        ("grace_days", json!(3651)),
        ("channels", json!([])),
        ("channels[0]", json!(["nightly"])),
        ("version_req", json!("about 12")),
        ("hosting_group", json!("nights")),
        ("external_ref", json!("")),
        ("colour", json!("red")),
    ] {
        let mut body = json!({"customer_id": customer, "product": "office-maker", "deployment": "single_user",
            "starts_on": "2020-01-01", "ends_on": "2030-12-31"});
        body[field.trim_end_matches("[0]")] = value.clone();
        let refused = server.post(SUBSCRIPTIONS, &body).refused(422, "body_invalid").names(&[field]);
        if let Some(text) =
            value.as_str().filter(|_| !["ends_on", "hosting_group", "external_ref", "colour"].contains(&field))
        {
            refused.says(&format!("`{text}`"));
        }
    }
    let cloud = json!({"customer_id": customer, "product": "office-maker", "deployment": "cloud", "starts_on": "2020-01-01", "ends_on": null});
    server.post(SUBSCRIPTIONS, &cloud).refused(422, "body_invalid").names(&["hosting_group"]);
    let mut elsewhere = cloud;
    elsewhere["hosting_group"] = json!("nowhere");
    server.post(SUBSCRIPTIONS, &elsewhere).refused(404, "hosting_group_not_found").says("nowhere");
    for (field, value, code) in [
        ("customer_id", "0199a0de-0000-7000-8000-00000000dead", "customer_not_found"),
        ("product", "nothing-maker", "product_not_found"),
    ] {
        let mut body = json!({"customer_id": customer, "product": "office-maker", "deployment": "single_user",
            "starts_on": "2020-01-01", "ends_on": null});
        body[field] = json!(value);
        server.post(SUBSCRIPTIONS, &body).refused(404, code).says(value);
    }
    // Whether it ends must be said.
    let silent = json!({"customer_id": customer, "product": "office-maker", "deployment": "single_user", "starts_on": "2020-01-01"});
    server.post(SUBSCRIPTIONS, &silent).refused(422, "body_invalid").names(&["ends_on"]);
    assert_eq!(server.get(SUBSCRIPTIONS).ok()["items"], json!([]));
    assert_eq!(server.subscription()["status"], "active");
}
