//! What a draft may be.

use serde_json::{Value, json};

use crate::http::in_process::InProcess;

const RELEASES: &str = "/api/v1/products/office-maker/releases";

#[test]
fn what_a_release_cannot_be_is_named_field_by_field() {
    let server = InProcess::start();
    server.product();
    let draft = |body: Value| server.post(RELEASES, &body);
    for version in ["latest", "1.2.3.4", "", "v1.0.0", "1.0.0-ä"] {
        draft(json!({"version": version}))
            .refused(422, "version_invalid")
            .says(&format!("`{version}`"))
            .names(&["version"]);
    }
    draft(json!({"version": "1.0.0", "min_from": "one"}))
        .refused(422, "version_invalid")
        .says("`one`")
        .names(&["min_from"]);
    for (field, value) in [
        ("channel", json!("nightly")),
        ("channel", json!("Not A Slug")),
        ("severity", json!("grave")),
        ("access", json!("friends")),
        ("compatible_clients", json!("about 12")),
        ("notes", json!("text")),
        ("colour", json!("red")),
        ("min_from", json!("2.0.0")),
    ] {
        let mut body = json!({"version": "1.0.0"});
        body[field] = value;
        draft(body).refused(422, "body_invalid").names(&[field]);
    }
    draft(json!({"version": "1.0.0", "notes": {"no locale": "x"}})).refused(422, "body_invalid");
    draft(json!({"version": "1.0.0", "notes": {"en": "x".repeat(100_001)}}))
        .refused(422, "body_invalid")
        .names(&["notes.en"]);
    draft(json!({"channel": "stable"})).refused(422, "body_invalid").names(&["version"]);
    assert_eq!(server.get(RELEASES).ok()["items"], json!([]), "nothing was stored");
}
