//! Whom a product may trust.

use serde_json::{Value, json};

use crate::http::in_process::InProcess;

const TRUSTED: &str = "/api/v1/products/office-maker/trusted-publishers";

/// An issuer on this machine, which only tests may name.
const ISSUER: &str = "http://127.0.0.1:1";

/// A workflow of GitHub Actions, with other fields; `null` takes one away.
fn publisher(fields: &Value) -> Value {
    let mut new = json!({"preset": "github", "issuer": ISSUER, "repository": "vendor/app", "workflow": "release.yml",
        "scopes": ["releases:write", "releases:publish"]});
    for (name, value) in fields.as_object().unwrap() {
        new[name] = value.clone();
    }
    new.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    new
}

#[test]
fn what_cannot_be_trusted_is_named() {
    let server = InProcess::start();
    server.product();
    let claims = json!({"preset": null, "repository": null, "workflow": null, "issuer": "https://ci.vendor.example", "claims": {"sub": "a"}});
    let with = |fields: Value| {
        let mut all = claims.as_object().unwrap().clone();
        all.extend(fields.as_object().unwrap().clone());
        Value::Object(all)
    };
    for (fields, named) in [
        (json!({"issuer": null, "repository": "app"}), vec!["repository"]),
        (json!({"issuer": null, "repository": "vendor/*"}), vec!["repository"]),
        (json!({"issuer": null, "repository": "vendor/app/x"}), vec!["repository"]),
        (json!({"issuer": null, "workflow": "*"}), vec!["workflow"]),
        (json!({"issuer": null, "workflow": "../a.yml"}), vec!["workflow"]),
        (json!({"issuer": null, "workflow": null}), vec!["workflow"]),
        (json!({"issuer": null, "project_path": "vendor/app"}), vec!["project_path"]),
        (json!({"issuer": null, "ref": "v*"}), vec!["ref"]),
        (json!({"issuer": null, "ref": "refs/*/v1"}), vec!["ref"]),
        (json!({"issuer": null, "environment": "*"}), vec!["environment"]),
        (json!({"issuer": null, "claims": {"repository": "vendor/other"}}), vec!["claims.repository"]),
        (json!({"issuer": null, "claims": {"aud": "us"}}), vec!["claims.aud"]),
        (json!({"issuer": null, "scopes": []}), vec!["scopes"]),
        (json!({"issuer": null, "scopes": ["releases:write", "stops:lift"]}), vec!["scopes"]),
        (json!({"issuer": null, "scopes": ["subscriptions:read"]}), vec!["scopes"]),
        (json!({"issuer": null, "name": ""}), vec!["name"]),
        (json!({"issuer": null, "audience": ""}), vec!["audience"]),
        (json!({"issuer": null, "preset": "jenkins"}), vec!["preset"]),
        (json!({"issuer": null, "repo": "vendor/app"}), vec!["repo"]),
        (with(json!({"issuer": null})), vec!["issuer"]),
        (with(json!({"issuer": "http://ci.vendor.example"})), vec!["issuer"]),
        (with(json!({"issuer": ISSUER})), vec!["issuer"]),
        (with(json!({"issuer": "https://10.0.0.1"})), vec!["issuer"]),
        (with(json!({"claims": {}})), vec!["claims"]),
        (with(json!({"claims": {"sub": "repo:vendor/*"}})), vec!["claims.sub"]),
        (with(json!({"environment": "release"})), vec!["environment"]),
        // These vouch for everybody.
        (
            with(
                json!({"issuer": "https://token.actions.githubusercontent.com", "claims": {"ref": "refs/heads/main"}}),
            ),
            vec!["claims"],
        ),
        (with(json!({"issuer": "https://gitlab.com", "claims": {"environment": "release"}})), vec!["claims"]),
    ] {
        let body = publisher(&fields);
        server.post(TRUSTED, &body).refused(422, "body_invalid").names(&named);
    }
    assert_eq!(server.get(TRUSTED).ok()["items"], json!([]));
    server.post(TRUSTED, &publisher(&with(json!({})))).created();
    let nowhere = TRUSTED.replace("office-maker", "nothing-maker");
    server.post(&nowhere, &publisher(&with(json!({})))).refused(404, "product_not_found");
}
