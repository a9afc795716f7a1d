//! `GET /api/v1/subscription`: what an About box shows.

use serde_json::json;

use crate::harness::{Actor, Vendor};

#[test]
fn an_about_box_sees_the_subscription_behind_its_key() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let sold = office
        .sell_with("multi_user", &json!({"ends_on": "2020-12-31", "grace_days": 7, "channels": ["stable", "beta"]}));
    let own = sold.customer.get("/api/v1/subscription").send().ok();
    assert_eq!(
        own,
        json!({"product": "office-maker", "product_name": "Office Maker", "deployment": "multi_user", "status": "expired",
            "starts_on": "2020-01-01", "ends_on": "2020-12-31", "grace_days": 7, "channels": ["stable", "beta"],
            "renew_url": "https://vendor.example/renew", "help_url": "https://vendor.example/help"})
    );
    vendor.admin.post(&format!("{}/renew", sold.path)).json(&json!({"ends_on": null})).send().ok();
    let own = sold.customer.get("/api/v1/subscription").send().ok();
    assert_eq!((&own["status"], &own["ends_on"]), (&json!("active"), &json!(null)));
    sold.customer.get("/api/v1/subscription?verbose=1").send().refused(400, "parameter_unknown").says("`verbose`");
}
