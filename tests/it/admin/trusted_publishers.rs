//! Whose pipelines may release a product.

use serde_json::{Value, json};

use crate::harness::{Actor as _, Vendor, pages};

const TRUSTED: &str = "/api/v1/products/office-maker/trusted-publishers";

#[test]
fn presets_say_who_a_workload_of_github_or_gitlab_is() {
    let vendor = Vendor::start();
    vendor.product();
    let add = |body: Value| vendor.admin.post(TRUSTED).json(&body).send().created();
    let github = add(json!({"preset": "github", "repository": "vendor/app", "workflow": "release.yml",
        "environment": "release", "ref": "refs/heads/main", "scopes": ["releases:publish", "releases:write"]}));
    assert_eq!(github["issuer"], "https://token.actions.githubusercontent.com");
    assert_eq!(
        github["claims"],
        json!({"repository": "vendor/app", "workflow_ref": "vendor/app/.github/workflows/release.yml@*",
            "environment": "release", "ref": "refs/heads/main"})
    );
    assert_eq!(github["pinned_at_first_use"], json!(["repository_id", "repository_owner_id"]));
    assert_eq!(
        (&github["name"], &github["scopes"]),
        (&json!("vendor/app"), &json!(["releases:write", "releases:publish"]))
    );
    assert!(github["audience"].as_str().unwrap().starts_with("http://127.0.0.1"));
    let gitlab = add(json!({"preset": "gitlab", "issuer": "https://gitlab.vendor.example", "name": "the app",
        "project_path": "vendor/desktop/app", "ref": "refs/tags/v*", "ref_protected": true, "scopes": ["releases:write"]}));
    assert_eq!((&gitlab["issuer"], &gitlab["name"]), (&json!("https://gitlab.vendor.example"), &json!("the app")));
    assert_eq!(
        gitlab["claims"],
        json!({"project_path": "vendor/desktop/app", "ref_path": "refs/tags/v*", "ref_protected": "true"})
    );
    assert_eq!(gitlab["pinned_at_first_use"], json!(["project_id", "namespace_id"]));
    let listed = pages::all(&vendor.admin, TRUSTED, 1);
    assert_eq!(listed, [github.clone(), gitlab]);

    let path = format!("{TRUSTED}/{}", github["id"].as_str().unwrap());
    assert_eq!(vendor.admin.get(&path).send().ok(), github);
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    let elsewhere = path.replace("office-maker", "library-maker");
    vendor.admin.get(&elsewhere).send().refused(404, "trusted_publisher_not_found");
    vendor.admin.delete(&elsewhere).send().refused(404, "trusted_publisher_not_found");
    vendor.admin.get(&path.replace("office-maker", "nothing-maker")).send().refused(404, "product_not_found");
    vendor.admin.delete(&path).send().no_content();
    vendor.admin.delete(&path).send().refused(404, "trusted_publisher_not_found");

    let log = pages::all(&vendor.admin, "/api/v1/admin/audit", 100);
    let changes: Vec<_> = log
        .iter()
        .filter(|entry| entry["subject"] == format!("trusted_publisher:{}", github["id"].as_str().unwrap()))
        .collect();
    assert_eq!(
        changes.iter().map(|entry| entry["action"].as_str().unwrap()).collect::<Vec<_>>(),
        ["trusted_publisher.delete", "trusted_publisher.add"]
    );
    assert_eq!(changes[1]["details"]["after"]["claims"], github["claims"]);
    assert_eq!((&changes[0]["actor"]["kind"], &changes[0]["product"]), (&json!("person"), &changes[1]["product"]));
}

#[test]
fn a_project_at_a_shared_issuer_is_pinned_without_a_preset() {
    let vendor = Vendor::start();
    vendor.product();
    let pinned = |issuer: &str, claims: Value| {
        let body = json!({"issuer": issuer, "claims": claims, "scopes": ["releases:write"]});
        vendor.admin.post(TRUSTED).json(&body).send().created()["pinned_at_first_use"].clone()
    };
    let github = "https://token.actions.githubusercontent.com";
    let ids = json!(["repository_id", "repository_owner_id"]);
    assert_eq!(pinned(github, json!({"repository": "vendor/app"})), ids);
    assert_eq!(pinned(github, json!({"sub": "repo:vendor/app:environment:release"})), ids);
    let known = json!({"repository_id": "7", "repository_owner_id": "8"});
    assert_eq!(pinned(github, known), json!([]));
    let gitlab = pinned("https://gitlab.com", json!({"project_path": "vendor/app", "namespace_id": "3"}));
    assert_eq!(gitlab, json!(["project_id"]));
    // What ids another service has is not known here.
    assert_eq!(pinned("https://ci.vendor.example", json!({"sub": "release"})), json!([]));
}
