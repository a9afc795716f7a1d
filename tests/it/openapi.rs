//! The API description: it is committed and true, its examples work against the demo, and its pages need no internet.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what a test's helpers do not find fails the test"
)]

pub mod example;
mod pages;
mod walk;

use std::{collections::HashSet, env, fs, path::Path};

use serde_json::Value;

const COMMITTED: &str = "openapi/openapi.json";

/// The description as the program makes it.
fn document() -> Value {
    serde_json::to_value(sluice::http::routes::document()).expect("JSON")
}

/// An operation: its path, its method and what is said of it.
pub type Operation<'a> = (&'a str, &'a str, &'a Value);

/// Every operation.
pub fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().expect("paths");
    let methods = |(path, item)| {
        let item: &Value = item;
        let path: &String = path;
        item.as_object()
            .expect("methods")
            .iter()
            .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    };
    paths.iter().flat_map(methods).collect()
}

#[test]
fn the_committed_description_is_what_the_program_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(COMMITTED);
    let current = format!("{:#}\n", document());
    if env::var_os("SLUICE_RENEW").is_some() {
        fs::write(&path, current).expect("the description is written");
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differs = current.lines().zip(committed.lines()).position(|(left, right)| left != right);
    assert!(
        current == committed,
        "{COMMITTED} is stale from line {} on; renew it with: SLUICE_RENEW=1 cargo nextest run -p sluice openapi",
        differs.map_or(0, |line| line + 1)
    );
}

#[test]
fn operation_ids_are_there_and_unique() {
    let document = document();
    let mut known = HashSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no id"));
        assert!(known.insert(id), "`{id}` is the id of two operations");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let text = document().to_string();
    let document = document();
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

#[test]
fn no_two_types_share_a_name() {
    // utoipa takes the last one without a word, so the enums that are derived by our own macro are compared here.
    let document = document();
    let values = |name: &str| document["components"]["schemas"][name]["enum"].as_array().map_or(0, Vec::len);
    assert_eq!((values("Status"), values("SubscriptionStatus")), (7, 6));
}
