//! A change that changes nothing: no new revision, no audit entry, no message to a webhook.

use serde_json::{Value, json};

use crate::harness::{Actor as _, Vendor, hook::Hook};

const EVERYTHING: [&str; 5] =
    ["release.published", "release.yanked", "release.halted", "subscription.changed", "approval.requested"];

/// Everything that can be changed in place, with the fields that can be.
fn changeable(vendor: &Vendor, webhook: &str) -> Vec<(String, Vec<&'static str>)> {
    let office = vendor.product();
    let group = vendor.hosting_group("milan-nights", "01:00", 240);
    let sold = office.sell_with("cloud", &json!({"hosting_group": group["slug"], "external_ref": "CRM-7"}));
    let made = |path: &str, body: &Value| {
        let made = vendor.admin.post(path).json(body).send().created();
        format!("{path}/{}", made["id"].as_str().expect("an id"))
    };
    let customer = json!({"name": "Studio Bianchi", "email": "anna@bianchi.example.com", "locale": "it"});
    let rule = json!({"product": "office-maker", "code": "disk*", "texts": {"en": "Free some space."}});
    let person = json!({"email": "luc@vendor.example", "password": "a good password", "role": "support",
        "products": ["office-maker"]});
    let (customer, rule, person) = (
        made("/api/v1/admin/customers", &customer),
        made("/api/v1/admin/known-problems", &rule),
        made("/api/v1/admin/users", &person),
    );
    office.release("14.0.0").draft();
    office.release("13.0.0").standalone("the program").publish();
    let of_release = ["severity", "access", "compatible_clients", "notes"];
    vec![
        (customer, vec!["name", "email", "locale", "external_ref"]),
        ("/api/v1/admin/hosting-groups/milan-nights".to_owned(), vec!["name", "timezone", "window", "max_concurrent"]),
        (rule, vec!["failure_class", "code", "platform", "versions", "texts", "link"]),
        (
            sold.path,
            vec![
                "deployment",
                "starts_on",
                "ends_on",
                "grace_days",
                "channels",
                "version_req",
                "hosting_group",
                "external_ref",
            ],
        ),
        (person, vec!["email", "role", "products", "second_factor"]),
        (webhook.to_owned(), vec!["url", "events", "enabled"]),
        (
            office.path.clone(),
            vec![
                "name",
                "channels",
                "default_locale",
                "help_url",
                "renew_url",
                "expiry_policy",
                "min_supported_version",
                "timezone",
                "required_artifacts",
                "required_locales",
                "two_person_rule",
            ],
        ),
        (office.release_path("14.0.0"), [&["channel", "min_from"][..], &of_release].concat()),
        (office.release_path("13.0.0"), of_release.to_vec()),
    ]
}

/// How many audit entries and messages to the webhook there are.
fn traces(vendor: &Vendor, webhook: &str) -> (i64, usize) {
    let newest = vendor.admin.get("/api/v1/admin/audit?limit=1").send().ok()["items"][0]["number"].as_i64();
    let messages = vendor.admin.get(&format!("{webhook}/messages?limit=200")).send().ok();
    (newest.expect("a number"), messages["items"].as_array().expect("messages").len())
}

#[test]
fn a_patch_that_changes_nothing_leaves_no_trace() {
    let (vendor, hook) = (Vendor::start(), Hook::start());
    let new = json!({"url": hook.url(), "events": EVERYTHING});
    let webhook = vendor.admin.post("/api/v1/admin/webhooks").json(&new).send().created();
    let webhook = format!("/api/v1/admin/webhooks/{}", webhook["id"].as_str().expect("an id"));
    for (path, fields) in changeable(&vendor, &webhook) {
        let before = vendor.admin.get(&path).send().expect(200);
        let (tag, before, traced) = (before.header("etag").to_owned(), before.json(), traces(&vendor, &webhook));
        let mut same = json!({});
        for field in fields {
            same[field] = before[field].clone();
        }
        for body in [json!({}), same] {
            let after = vendor.admin.patch(&path).header("if-match", &tag).json(&body).send().expect(200);
            assert_eq!((after.header("etag"), after.json()), (tag.as_str(), before.clone()), "{path}: {body}");
            assert_eq!(traces(&vendor, &webhook), traced, "{path}: {body}");
        }
    }
    let (rollout, traced) = ("/api/v1/products/office-maker/releases/13.0.0/rollout", traces(&vendor, &webhook));
    for body in [json!({}), json!({"percent": 100})] {
        vendor.admin.put(rollout).json(&body).send().ok();
        assert_eq!(traces(&vendor, &webhook), traced, "{body}");
    }
}
