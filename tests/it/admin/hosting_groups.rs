//! Hosting groups.

use serde_json::{Value, json};

use crate::harness::{Actor, Vendor, pages};

const GROUPS: &str = "/api/v1/admin/hosting-groups";

#[test]
fn a_group_is_added_shown_changed_and_listed() {
    let vendor = Vendor::start();
    let said = json!({"slug": "milan-nights", "name": "Milan, at night", "timezone": "Europe/Rome",
        "window": {"days": ["tue", "mon", "mon"], "start": "01:00", "duration_minutes": 240}, "max_concurrent": 5});
    let made = vendor.admin.post(GROUPS).json(&said).send().expect(201);
    let (tag, made) = (made.header("etag").to_owned(), made.json());
    assert_eq!(made["window"], json!({"days": ["mon", "tue"], "start": "01:00", "duration_minutes": 240}));
    let path = format!("{GROUPS}/milan-nights");
    assert_eq!(vendor.admin.get(&path).send().ok(), made);
    vendor.admin.post(GROUPS).json(&said).send().refused(409, "hosting_group_exists").says("milan-nights");
    let changed = vendor
        .admin
        .patch(&path)
        .header("if-match", &tag)
        .json(&json!({"max_concurrent": null, "name": "M"}))
        .send()
        .ok();
    assert_eq!((&changed["max_concurrent"], &changed["window"]), (&Value::Null, &made["window"]));
    vendor.admin.patch(&path).header("if-match", &tag).json(&json!({})).send().refused(412, "precondition_failed");
    for slug in ["c", "a", "b"] {
        vendor.hosting_group(slug, "00:00", 1440);
    }
    let slugs: Vec<_> = pages::all(&vendor.admin, GROUPS, 3).into_iter().map(|group| group["slug"].clone()).collect();
    assert_eq!(slugs, ["a", "b", "c", "milan-nights"]);
    vendor.admin.get(&format!("{GROUPS}/nowhere")).send().refused(404, "hosting_group_not_found");
    vendor.admin.get(&format!("{GROUPS}/No%20Slug")).send().refused(404, "not_found");
}
