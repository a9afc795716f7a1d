//! Who may do what: every scope against every room, and tokens of one product against another.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Actor, Vendor};

const OWNER: &[&str] = &["owner"];
const RELEASES: &[&str] = &["owner", "release_manager"];
const CUSTOMERS: &[&str] = &["owner", "support"];
/// Whoever hears of damage first may end it.
const STOPPERS: &[&str] = &["owner", "release_manager", "support"];
const EVERYBODY: &[&str] = &["owner", "release_manager", "support", "viewer"];

/// What is done, the scope that an API token needs for it (`None`: only a person may), and the roles that may.
const DEEDS: [(&str, &str, Option<&str>, &[&str]); 59] = [
    ("GET", "/api/v1/products", Some("releases:read"), EVERYBODY),
    ("GET", "/api/v1/products/office-maker", Some("releases:read"), EVERYBODY),
    ("POST", "/api/v1/products", None, RELEASES),
    ("PATCH", "/api/v1/products/office-maker", None, RELEASES),
    ("GET", "/api/v1/products/office-maker/trusted-publishers", None, OWNER),
    ("POST", "/api/v1/products/office-maker/trusted-publishers", None, OWNER),
    ("GET", "/api/v1/products/office-maker/trusted-publishers/0199a0de-0000-7000-8000-000000000702", None, OWNER),
    ("DELETE", "/api/v1/products/office-maker/trusted-publishers/0199a0de-0000-7000-8000-000000000702", None, OWNER),
    ("GET", "/api/v1/products/office-maker/releases", Some("releases:read"), EVERYBODY),
    ("POST", "/api/v1/products/office-maker/releases", Some("releases:write"), RELEASES),
    ("DELETE", "/api/v1/products/office-maker/releases/99.0.0", Some("releases:write"), RELEASES),
    ("PUT", "/api/v1/products/office-maker/releases/99.0.0/artifacts/a.zip", Some("releases:write"), RELEASES),
    ("POST", "/api/v1/products/office-maker/releases/99.0.0/publish", Some("releases:publish"), RELEASES),
    ("POST", "/api/v1/products/office-maker/releases/99.0.0/yank", Some("releases:publish"), RELEASES),
    ("POST", "/api/v1/products/office-maker/releases/99.0.0/restore", Some("releases:publish"), RELEASES),
    ("POST", "/api/v1/products/office-maker/releases/99.0.0/promote", Some("releases:publish"), RELEASES),
    ("PUT", "/api/v1/products/office-maker/releases/99.0.0/rollout", Some("releases:publish"), RELEASES),
    ("POST", "/api/v1/products/office-maker/releases/99.0.0/rollout/pause", Some("releases:publish"), RELEASES),
    ("GET", "/api/v1/products/office-maker/stop", Some("releases:read"), EVERYBODY),
    ("PUT", "/api/v1/products/office-maker/stop", Some("releases:publish"), STOPPERS),
    ("DELETE", "/api/v1/products/office-maker/stop", Some("stops:lift"), RELEASES),
    ("GET", "/api/v1/approvals", Some("releases:read"), EVERYBODY),
    ("GET", "/api/v1/approvals/0199a0de-0000-7000-8000-000000000702", Some("releases:read"), EVERYBODY),
    ("POST", "/api/v1/approvals/0199a0de-0000-7000-8000-000000000702/approve", None, RELEASES),
    ("POST", "/api/v1/approvals/0199a0de-0000-7000-8000-000000000702/reject", None, RELEASES),
    ("GET", "/api/v1/admin/customers", Some("subscriptions:read"), EVERYBODY),
    ("POST", "/api/v1/admin/customers", Some("subscriptions:write"), CUSTOMERS),
    ("GET", "/api/v1/admin/subscriptions", Some("subscriptions:read"), EVERYBODY),
    ("POST", "/api/v1/admin/subscriptions", Some("subscriptions:write"), CUSTOMERS),
    ("POST", "/api/v1/admin/subscriptions/import", Some("subscriptions:write"), CUSTOMERS),
    ("GET", "/api/v1/admin/installations", Some("subscriptions:read"), EVERYBODY),
    ("GET", "/api/v1/admin/runs", Some("subscriptions:read"), EVERYBODY),
    ("GET", "/api/v1/admin/known-problems", Some("subscriptions:read"), EVERYBODY),
    ("POST", "/api/v1/admin/known-problems", Some("subscriptions:write"), CUSTOMERS),
    (
        "PATCH",
        "/api/v1/admin/known-problems/0199a0de-0000-7000-8000-000000000701",
        Some("subscriptions:write"),
        CUSTOMERS,
    ),
    (
        "DELETE",
        "/api/v1/admin/known-problems/0199a0de-0000-7000-8000-000000000701",
        Some("subscriptions:write"),
        CUSTOMERS,
    ),
    ("GET", "/api/v1/admin/stats/adoption", Some("subscriptions:read"), EVERYBODY),
    ("GET", "/api/v1/admin/stats/rollouts/office-maker/99.0.0", Some("subscriptions:read"), EVERYBODY),
    ("GET", "/api/v1/admin/stats/renewals", Some("subscriptions:read"), EVERYBODY),
    ("POST", "/api/v1/admin/explain", Some("subscriptions:read"), EVERYBODY),
    ("POST", "/api/v1/admin/hosting-groups", None, CUSTOMERS),
    ("GET", "/api/v1/admin/tokens", None, OWNER),
    ("GET", "/api/v1/admin/webhooks", None, RELEASES),
    ("POST", "/api/v1/admin/webhooks", None, OWNER),
    ("GET", "/api/v1/admin/mails", None, EVERYBODY),
    ("GET", "/api/v1/auth/me", None, EVERYBODY),
    ("PATCH", "/api/v1/auth/me", None, EVERYBODY),
    ("POST", "/api/v1/auth/me/totp", None, EVERYBODY),
    ("POST", "/api/v1/auth/me/totp/confirm", None, EVERYBODY),
    ("DELETE", "/api/v1/auth/me/totp", None, EVERYBODY),
    ("PATCH", "/api/v1/admin/hosting-groups/nights", None, CUSTOMERS),
    ("POST", "/api/v1/admin/tokens", None, OWNER),
    ("POST", "/api/v1/admin/mails/0199a0de-0000-7000-8000-000000000702/retry", None, CUSTOMERS),
    ("GET", "/api/v1/admin/audit", None, OWNER),
    ("GET", "/api/v1/admin/users", None, OWNER),
    ("POST", "/api/v1/admin/users", None, OWNER),
    ("GET", "/api/v1/admin/users/0199a0de-0000-7000-8000-000000000702", None, OWNER),
    ("PATCH", "/api/v1/admin/users/0199a0de-0000-7000-8000-000000000702", None, OWNER),
    ("DELETE", "/api/v1/admin/users/0199a0de-0000-7000-8000-000000000702", None, OWNER),
];

/// What a scope brings with it.
fn grants(scope: &str, needed: &str) -> bool {
    scope == needed
        || match needed {
            "releases:read" => scope.starts_with("releases:") || scope == "stops:lift",
            "subscriptions:read" => scope == "subscriptions:write",
            _ => false,
        }
}

fn call(actor: &impl Actor, method: &str, path: &str) -> u16 {
    actor.call(method.parse::<Method>().unwrap(), path).send().status
}

#[test]
fn every_scope_does_what_it_says_and_nothing_else() {
    let vendor = Vendor::start();
    vendor.product();
    let scopes = [
        "releases:read",
        "releases:write",
        "releases:publish",
        "stops:lift",
        "subscriptions:read",
        "subscriptions:write",
    ];
    let tokens: Vec<_> = scopes.iter().map(|scope| (*scope, vendor.ci(&[scope]))).collect();
    let customer = vendor.customer("00000-00000-00000-00000-00000");
    for (method, path, needed, _) in DEEDS {
        let deed = format!("{method} {path}");
        vendor.anonymous().call(method.parse().unwrap(), path).send().refused(401, "authorization_required");
        customer.call(method.parse().unwrap(), path).send().refused(401, "authorization_required");
        let wrong = vendor.anonymous().call(method.parse().unwrap(), path).header("authorization", "Bearer slk_wrong");
        wrong.send().refused(401, "authorization_invalid");
        assert!(!matches!(call(&vendor.admin, method, path), 401 | 403 | 405 | 500..), "{deed}: a person may");
        for (scope, token) in &tokens {
            let status = call(token, method, path);
            if needed.is_some_and(|needed| grants(scope, needed)) {
                assert!(!matches!(status, 401 | 403 | 405 | 500..), "{deed} with {scope}: {status}");
            } else {
                let refused = token.call(method.parse().unwrap(), path).send().refused(403, "scope_insufficient");
                if let Some(needed) = needed {
                    refused.says(needed);
                }
            }
        }
    }
}

#[test]
fn every_role_does_what_it_is_there_for_and_nothing_else() {
    let vendor = Vendor::start();
    vendor.product();
    let people: Vec<_> =
        EVERYBODY.iter().map(|role| (*role, vendor.colleague_with(&json!({"role": role})).0)).collect();
    for (method, path, _, roles) in DEEDS {
        for (role, person) in &people {
            let answer = person.call(method.parse().unwrap(), path).send();
            if roles.contains(role) {
                assert!(
                    !matches!(answer.status, 401 | 403 | 405 | 500..),
                    "{method} {path} as {role}: {}",
                    answer.text()
                );
            } else {
                answer.refused(403, "role_insufficient").says(&format!("`{role}`")).says(roles[0]);
            }
        }
    }
}

#[test]
fn a_person_limited_to_products_sees_nothing_of_others_and_does_nothing_that_concerns_all() {
    let vendor = Vendor::start();
    let office = vendor.product();
    for slug in ["photo-maker", "library-maker"] {
        vendor.product_with(&json!({"slug": slug, "name": slug})).release("1.0.0").publish();
    }
    let library = |path: &str| path.replace("office-maker", "library-maker");
    let own = office.sell("single_user");
    let foreign = vendor.admin.post("/api/v1/admin/subscriptions").json(&json!({"customer_id": vendor.buyer(),
        "product": "library-maker", "deployment": "single_user", "starts_on": "2020-01-01", "ends_on": null}));
    let foreign = foreign.send().created();
    let (foreign, foreign_customer) = (foreign["id"].as_str().unwrap(), foreign["customer_id"].as_str().unwrap());
    for role in &EVERYBODY[1..] {
        let products = json!(["photo-maker", "office-maker"]);
        let (person, made) = vendor.colleague_with(&json!({"role": role, "products": products}));
        assert_eq!(made["products"].as_array().map(Vec::len), Some(2));
        let listed = person.get("/api/v1/products").send().expect(200).text();
        assert!(["photo-maker", "office-maker"].iter().all(|slug| listed.contains(slug)), "{listed}");
        for path in [
            "/api/v1/products",
            "/api/v1/approvals",
            "/api/v1/admin/subscriptions",
            "/api/v1/admin/customers",
            "/api/v1/admin/installations",
            "/api/v1/admin/runs",
            "/api/v1/admin/known-problems",
            "/api/v1/admin/stats/adoption",
            "/api/v1/admin/stats/renewals",
        ] {
            let listed = person.get(path).send().expect(200).text();
            assert!(!listed.contains("library-maker") && !listed.contains(foreign_customer), "{role}: {path}");
        }
        assert_eq!(person.get("/api/v1/admin/subscriptions").send().ok()["items"][0]["id"], own.id.as_str());
        person.get(&own.path).send().ok();
        person.get(&format!("/api/v1/admin/subscriptions/{foreign}")).send().refused(404, "subscription_not_found");
        person.get(&format!("/api/v1/admin/customers/{foreign_customer}")).send().refused(404, "customer_not_found");
        for (method, path, _, roles) in DEEDS {
            if roles.contains(role) && library(path) != path {
                person.call(method.parse().unwrap(), &library(path)).send().refused(404, "product_not_found");
            }
        }
        for path in ["/api/v1/products", "/api/v1/admin/hosting-groups"] {
            person.post(path).json(&json!({})).send().refused(403, "role_insufficient");
        }
        person.get("/api/v1/admin/mails").send().refused(403, "role_insufficient");
    }
}

#[test]
fn a_token_of_one_product_sees_nothing_of_another() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let library = vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    library.release("1.0.0").publish();
    let foreign = library.sell("single_user");
    let own = office.sell("single_user");
    let all = ["releases:write", "releases:publish", "stops:lift", "subscriptions:write"];
    let (ci, _) = vendor.ci_with(&json!({"name": "office", "scopes": all, "product": "office-maker"}));

    for (method, path, needed, _) in DEEDS {
        let elsewhere = path.replace("office-maker", "library-maker");
        if needed.is_some() && elsewhere != path {
            let refused = ci.call(method.parse().unwrap(), &elsewhere).send().refused(404, "product_not_found");
            // As if it were not there.
            let nothing = ci.call(method.parse().unwrap(), &path.replace("office-maker", "nothing-maker")).send();
            let nothing = nothing.refused(404, "product_not_found").detail().replace("nothing-maker", "library-maker");
            assert_eq!(refused.detail(), nothing);
        }
    }
    for path in [
        "/api/v1/products",
        "/api/v1/admin/subscriptions",
        "/api/v1/admin/installations",
        "/api/v1/admin/runs",
        "/api/v1/admin/known-problems",
        "/api/v1/admin/stats/adoption",
        "/api/v1/admin/stats/renewals",
    ] {
        assert!(!ci.get(path).send().expect(200).text().contains("library-maker"), "{path}");
        if path.contains("admin") {
            ci.get(&format!("{path}?product=library-maker")).send().refused(404, "product_not_found");
        }
    }
    ci.get("/api/v1/products/library-maker/releases/1.0.0/manifest").send().refused(404, "product_not_found");
    let keys = format!("{}/keys", foreign.path);
    for (method, path, body) in [
        ("GET", foreign.path.clone(), Value::Null),
        ("PATCH", foreign.path.clone(), json!({"grace_days": 1})),
        ("POST", format!("{}/renew", foreign.path), json!({"ends_on": null})),
        ("POST", format!("{}/suspend", foreign.path), Value::Null),
        ("POST", format!("{}/resume", foreign.path), Value::Null),
        ("POST", format!("{}/cancel", foreign.path), json!({"at": "now"})),
        ("GET", keys.clone(), Value::Null),
        ("POST", keys.clone(), Value::Null),
        ("DELETE", format!("{keys}/0199a0de-0000-7000-8000-0000000000b2"), Value::Null),
    ] {
        let call = ci.call(method.parse().unwrap(), &path);
        let call = if body.is_null() { call } else { call.json(&body) };
        call.send().refused(404, "subscription_not_found");
    }
    let explain = |product: &str, subscription: &str| {
        let body = json!({"product": product, "version": "0.1.0", "platform": "linux", "arch": "x86_64", "subscription_id": subscription});
        ci.post("/api/v1/admin/explain").json(&body).send()
    };
    explain("library-maker", &own.id).refused(404, "product_not_found");
    explain("office-maker", &foreign.id).refused(404, "subscription_not_found");
    explain("office-maker", &own.id).ok();
    let sale = json!({"customer_id": vendor.buyer(), "product": "library-maker", "deployment": "single_user",
        "starts_on": "2020-01-01", "ends_on": null});
    ci.post("/api/v1/admin/subscriptions").json(&sale).send().refused(404, "product_not_found");
    let file = "customer,product,deployment,starts_on,ends_on\nC,library-maker,single_user,2020-01-01,\n";
    let import = ci.post("/api/v1/admin/subscriptions/import").header("content-type", "text/csv").body(file).send();
    import.refused(422, "body_invalid").names(&["line 2, product"]);
    // What belongs to no product is not out of reach.
    vendor.hosting_group("nights", "01:00", 60);
    assert_eq!(ci.get("/api/v1/admin/hosting-groups").send().ok()["items"][0]["slug"], "nights");
    assert_eq!(ci.get("/api/v1/admin/hosting-groups/nights").send().ok()["slug"], "nights");
    assert_eq!(vendor.admin.get(&foreign.path).send().ok()["grace_days"], 0);
}

#[test]
fn drafts_are_for_writing_and_what_is_published_for_publishing() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    office.release("14.0.0").draft();
    let (writer, publisher) = (vendor.ci(&["releases:write"]), vendor.ci(&["releases:publish"]));
    let change = json!({"severity": "important"});
    let patch = |ci: &crate::harness::Ci, version: &str| ci.patch(&office.release_path(version)).json(&change).send();
    patch(&writer, "14.0.0").ok();
    patch(&publisher, "14.0.0").refused(403, "scope_insufficient").says("releases:write");
    patch(&publisher, "13.0.0").ok();
    patch(&writer, "13.0.0").refused(403, "scope_insufficient").says("releases:publish");
    patch(&vendor.ci(&["releases:read"]), "13.0.0").refused(403, "scope_insufficient");
    vendor
        .anonymous()
        .patch(&office.release_path("13.0.0"))
        .json(&change)
        .send()
        .refused(401, "authorization_required");
}
