//! What a product may be.

use serde_json::json;

use crate::http::in_process::InProcess;

const PRODUCTS: &str = "/api/v1/products";

#[test]
fn what_a_product_cannot_be_is_named() {
    let server = InProcess::start();
    for (field, value) in [
        ("slug", json!("Photo Maker")),
        ("slug", json!("")),
        ("slug", json!("photo--maker")),
        ("slug", json!("x".repeat(65))),
        ("name", json!("")),
        ("name", json!("x".repeat(201))),
        ("name", json!("two\nlines")),
        ("name", json!(7)),
        ("channels", json!([])),
        ("channels", json!(["stable", "stable"])),
        ("channels", json!((0..17).map(|number| format!("channel{number}")).collect::<Vec<_>>())),
        ("channels[1]", json!(["stable", "Not A Slug"])),
        ("default_locale", json!("no locale")),
        ("help_url", json!("javascript:alert(1)")),
        ("renew_url", json!("not a url")),
        ("expiry_policy", json!("generous")),
        ("timezone", json!("Europe/Atlantis")),
        ("required_artifacts[0].component", json!([{"component": "printer", "platform": "linux", "arch": "x86_64"}])),
        ("required_locales[0]", json!(["no locale"])),
        ("colour", json!("red")),
    ] {
        let mut body = json!({"slug": "photo-maker", "name": "Photo Maker"});
        body[field.split(['[', '.']).next().unwrap()] = value;
        server.post(PRODUCTS, &body).refused(422, "body_invalid").names(&[field]);
    }
    let body = json!({"slug": "photo-maker", "name": "Photo Maker", "min_supported_version": "old"});
    server.post(PRODUCTS, &body).refused(422, "version_invalid").says("`old`").names(&["min_supported_version"]);
    let both = json!({"slug": "photo-maker", "name": "", "help_url": "x"});
    server.post(PRODUCTS, &both).refused(422, "body_invalid").names(&["help_url", "name"]);
    assert_eq!(server.get(PRODUCTS).ok()["items"], json!([]));
}
