//! API tokens.

use serde_json::{Value, json};

use crate::harness::{Actor, Vendor, eventually, pages};

const TOKENS: &str = "/api/v1/admin/tokens";

#[test]
fn a_token_is_shown_once_and_kept_as_a_hash() {
    let vendor = Vendor::start();
    vendor.product();
    let wanted = json!({"name": "pipeline", "scopes": ["releases:publish", "releases:write", "releases:write"],
        "product": "office-maker", "expires_in_days": 30});
    let (ci, made) = vendor.ci_with(&wanted);
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("slk_") && token.len() == 42, "{token}");
    assert_eq!(
        (&made["scopes"], &made["product"]),
        (&json!(["releases:write", "releases:publish"]), &json!("office-maker"))
    );
    assert!(made["expires_at"].is_string());
    ci.get("/api/v1/products/office-maker").send().ok();
    let shown = vendor.admin.get(TOKENS).send().expect(200);
    assert!(!shown.text().contains(token));
    let used = eventually(20, "the use of the token to be noted", || {
        let listed = vendor.admin.get(TOKENS).send().ok();
        listed["items"][0]["last_used_at"].as_str().map(str::to_owned)
    });
    assert!(!used.is_empty());
    assert!(!vendor.database_holds(token));
    assert!(!vendor.log().join("\n").contains(token));
}

#[test]
fn a_token_ends_when_it_is_deleted_or_past_its_time() {
    let vendor = Vendor::start();
    let (ci, made) = vendor.ci_with(&json!({"name": "one", "scopes": ["releases:read"]}));
    let (late, _) = vendor.ci_with(&json!({"name": "late", "scopes": ["releases:read"], "expires_in_days": 1}));
    let products = "/api/v1/products";
    for token in [&ci, &late] {
        token.get(products).send().ok();
    }
    vendor.execute("UPDATE api_tokens SET expires_at = 1 WHERE name = 'late'");
    late.get(products).send().refused(401, "authorization_invalid");
    let path = format!("{TOKENS}/{}", made["id"].as_str().unwrap());
    vendor.admin.delete(&path).send().no_content();
    ci.get(products).send().refused(401, "authorization_invalid");
    vendor.admin.delete(&path).send().refused(404, "token_not_found");
    vendor.admin.delete(&format!("{TOKENS}/not-an-id")).send().refused(404, "not_found");
}

#[test]
fn a_token_is_good_to_the_moment_that_was_said() {
    let vendor = Vendor::at("2026-06-01T10:00:00Z", &[]);
    let (ci, made) = vendor.ci_with(&json!({"name": "one", "scopes": ["releases:read"], "expires_in_days": 1}));
    assert!(made["expires_at"].as_str().unwrap().starts_with("2026-06-02T10:00:"), "{made}");
    vendor.travel_to("2026-06-02T09:59:58Z");
    ci.get("/api/v1/products").send().ok();
    vendor.travel_to("2026-06-02T10:01:00Z");
    ci.get("/api/v1/products").send().refused(401, "authorization_invalid");
}

#[test]
fn scanners_recognise_a_token_by_its_checksum() {
    let vendor = Vendor::start();
    let (_, made) = vendor.ci_with(&json!({"name": "one", "scopes": ["releases:read"]}));
    let token = made["token"].as_str().unwrap().strip_prefix("slk_").unwrap();
    let (body, sum) = token.split_at(32);
    // CRC-32 as gzip has it, by another implementation, in base 62.
    let mut crc = flate2::Crc::new();
    crc.update(body.as_bytes());
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => letter - b'0',
        b'A'..=b'Z' => letter - b'A' + 10,
        b'a'..=b'z' => letter - b'a' + 36,
        other => panic!("{other} is no letter of a token"),
    };
    let number = sum.bytes().fold(0_u64, |number, letter| number * 62 + u64::from(digit(letter)));
    assert_eq!(number, u64::from(crc.sum()));
}

#[test]
fn an_invalid_token_is_refused_by_field_and_tokens_are_paged() {
    let vendor = Vendor::start();
    for (field, value) in [
        ("name", json!("")),
        ("scopes", json!([])),
        ("scopes[0]", json!(["everything"])),
        ("product", json!("No Slug")),
        ("expires_in_days", json!(0)),
        ("expires_in_days", json!(3651)),
        ("token", json!("mine")),
    ] {
        let mut body = json!({"name": "pipeline", "scopes": ["releases:read"]});
        body[field.split('[').next().unwrap()] = value;
        vendor.admin.post(TOKENS).json(&body).send().refused(422, "body_invalid").names(&[field]);
    }
    let elsewhere = json!({"name": "pipeline", "scopes": ["releases:read"], "product": "nothing-maker"});
    vendor.admin.post(TOKENS).json(&elsewhere).send().refused(404, "product_not_found").says("nothing-maker");
    for _ in 0..5 {
        vendor.ci(&["releases:read"]);
    }
    let listed = pages::all(&vendor.admin, TOKENS, 2);
    assert_eq!(listed.len(), 5);
    assert_eq!(listed[0]["expires_at"], Value::Null);
    vendor.admin.get(&format!("{TOKENS}?after=x")).send().refused(422, "parameter_invalid").says("`after`");
}
