//! Installations: what checks tell, written down beside them.

use serde_json::{Value, json};

use crate::harness::{Actor, Vendor, eventually, pages};

const INSTALLATIONS: &str = "/api/v1/admin/installations";
const ONE: &str = "0199a0de-0000-4000-8000-0000000000e1";

#[test]
fn a_sighting_is_shown_within_ten_seconds_and_the_latest_counts() {
    let vendor = Vendor::start();
    let sold = vendor.product().sell("single_user");
    let check = |version: &str, more: &[(&str, &str)]| {
        let asked: Vec<_> = [("installation", ONE)].into_iter().chain(more.iter().copied()).collect();
        sold.customer.check("office-maker", version, &asked).ok();
    };
    check("12.0.0", &[("locale", "it")]);
    check("12.1.0", &[("locale", "fr-CH"), ("channel", "beta"), ("platform", "windows"), ("arch", "aarch64")]);
    let seen = eventually(10, "the installation to be written down", || {
        let page = vendor.admin.get(INSTALLATIONS).send().ok();
        page["items"].as_array().unwrap().first().cloned()
    });
    assert_eq!((&seen["id"], &seen["version"], &seen["locale"]), (&json!(ONE), &json!("12.1.0"), &json!("fr-CH")));
    assert_eq!(
        (&seen["platform"], &seen["arch"], &seen["channel"]),
        (&json!("windows"), &json!("aarch64"), &json!("stable"))
    );
    assert_eq!((&seen["subscription_id"], &seen["product"]), (&json!(sold.id), &json!("office-maker")));
}

#[test]
fn a_sighting_is_written_when_the_server_stops() {
    let mut vendor = Vendor::with(&[("checks.sightings_every", "1h")]);
    let customer = vendor.product().sell("single_user").customer;
    customer.check("office-maker", "12.0.0", &[("installation", ONE)]).ok();
    vendor.restart();
    let first = vendor.admin.get(INSTALLATIONS).send().ok()["items"][0].clone();
    assert_eq!(first["id"], ONE);
    // Seen again, it keeps the time when it was first seen.
    customer.check("office-maker", "13.0.0", &[("installation", ONE)]).ok();
    vendor.restart();
    let again = vendor.admin.get(INSTALLATIONS).send().ok()["items"][0].clone();
    assert_eq!((&again["version"], &again["first_seen_at"]), (&json!("13.0.0"), &first["first_seen_at"]));
    assert_ne!(again["last_seen_at"], first["last_seen_at"]);
}

#[test]
fn installations_are_paged_by_product_and_subscription() {
    let mut vendor = Vendor::with(&[("checks.sightings_every", "1h")]);
    let office = vendor.product();
    let library = vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    let (sold, other) = (office.sell("single_user"), library.sell("single_user"));
    for number in 0..7 {
        let id = format!("0199a0de-0000-4000-8000-00000000000{number}");
        sold.customer.check("office-maker", "12.0.0", &[("installation", &id)]).ok();
        if number < 3 {
            other.customer.check("library-maker", "1.0.0", &[("installation", &id)]).ok();
        }
    }
    vendor.anonymous().check("office-maker", "12.0.0", &[("installation", ONE)]).ok();
    sold.customer.check("office-maker", "12.0.0", &[]).ok();
    let subscription = sold.id.clone();
    vendor.restart();
    let list = |query: &str| pages::all(&vendor.admin, &format!("{INSTALLATIONS}{query}"), 2);
    let everything = list("");
    let anonymous: Vec<_> = everything.iter().filter(|one| one["id"] == ONE).collect();
    assert_eq!(anonymous.len(), 1);
    assert_eq!(anonymous[0]["subscription_id"], Value::Null);
    assert_eq!((everything.len(), list("?product=library-maker").len()), (11, 3));
    assert_eq!(list(&format!("?subscription={subscription}")).len(), 7);
    for (query, status, code) in [
        ("after=x", 422, "parameter_invalid"),
        ("product=nothing", 404, "product_not_found"),
        ("subscription=x", 422, "parameter_invalid"),
        ("version=1", 400, "parameter_unknown"),
    ] {
        vendor.admin.get(&format!("{INSTALLATIONS}?{query}")).send().refused(status, code);
    }
}
