//! Paths that are written in another way than usual.

use serde_json::json;

use crate::harness::{Actor as _, Vendor};

#[test]
fn however_a_path_is_written_the_limit_to_a_product_holds() {
    let vendor = Vendor::start();
    let (own, other) = (vendor.product(), vendor.product_with(&json!({"slug": "library-maker"})));
    own.release("13.0.0").publish();
    other.release("13.0.0").publish();
    let scopes = ["releases:read", "releases:write", "releases:publish", "stops:lift"];
    let (token, _) = vendor.ci_with(&json!({"name": "pipeline", "scopes": scopes, "product": "office-maker"}));
    let manager = vendor.colleague_with(&json!({"role": "release_manager", "products": ["office-maker"]})).0;
    let yank = json!({"reason": "not theirs"});
    for path in [
        "/api/v1/products/library-maker",
        "/api/v1/product%73/library-maker",
        "/api/v1/products/%6Cibrary-maker",
        "/%61pi/v1/products/library-maker",
        "/api%2Fv1/products/library-maker",
        "//api/v1/products/library-maker",
        "/api/v1/products/./library-maker",
        "/api/v1/products/office-maker/../library-maker",
        "/api/v1/products/office-maker/%2E%2E/library-maker",
    ] {
        for (name, code) in [("token", token.get(path).send().status), ("person", manager.get(path).send().status)] {
            assert_eq!(code, 404, "{path} as {name}");
        }
        assert_eq!(token.post(&format!("{path}/releases/13.0.0/yank")).json(&yank).send().status, 404, "{path}");
        assert_eq!(manager.patch(path).json(&json!({"name": "theirs"})).send().status, 404, "{path}");
    }
    assert_eq!(vendor.admin.get(&other.release_path("13.0.0")).send().ok()["state"], "published");
    // What is their own they reach however it is written.
    token.get("/api/v1/product%73/office-maker").send().ok();
}
