//! What a report may be.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::http::in_process::InProcess;

fn report(stage: &str) -> Value {
    json!({"run": "0199a0de-0000-4000-8000-0000000000f1", "installation": "0199a0de-0000-4000-8000-0000000000e1",
        "product": "office-maker", "component": "standalone", "from_version": "12.4.0", "to_version": "13.0.0",
        "stage": stage})
}

fn with(mut report: Value, name: &str, value: Value) -> Value {
    report[name] = value;
    report
}

#[test]
fn an_invalid_report_is_refused_by_field_and_stores_nothing() {
    let server = InProcess::start();
    server.product();
    let sold = server.subscription();
    let license = format!("License {}", sold["license_key"].as_str().unwrap());
    let send = |body: &Value| server.send_as(Some(&license), Method::POST, "/api/v1/reports", body);
    let refuse = |body: Value, fields: &[&str]| {
        send(&body).refused(422, "body_invalid").names(fields);
    };
    refuse(report("ended"), &["outcome"]);
    refuse(with(report("installing"), "outcome", json!("succeeded")), &["outcome"]);
    refuse(with(report("ended"), "outcome", json!("exploded")), &["outcome"]);
    refuse(report("sleeping"), &["stage"]);
    refuse(with(report("installing"), "colour", json!("red")), &["colour"]);
    refuse(with(report("installing"), "run", json!("not-an-id")), &["run"]);
    refuse(with(report("installing"), "notify_email", json!("anna")), &["notify_email"]);
    refuse(with(report("installing"), "locale", json!("no locale")), &["locale"]);
    refuse(with(report("installing"), "scheduled_for", json!("tomorrow")), &["scheduled_for"]);
    let failed = with(report("ended"), "outcome", json!("failed"));
    refuse(with(failed.clone(), "error", json!({"class": "weather", "code": "x", "message": "y"})), &["error.class"]);
    refuse(with(failed.clone(), "error", json!({"class": "network", "code": "x"})), &["error.message"]);
    refuse(
        with(failed, "error", json!({"class": "network", "code": "x".repeat(201), "message": "y".repeat(10_001)})),
        &["error.code", "error.message"],
    );
    let mut without = report("installing");
    without.as_object_mut().unwrap().remove("component");
    refuse(without, &["component"]);
    for field in ["from_version", "to_version"] {
        let body = with(report("installing"), field, json!("newest"));
        let refused = send(&body).refused(422, "version_invalid");
        refused.says("`newest`").names(&[field]);
    }
    let elsewhere = with(report("installing"), "product", json!("nothing-maker"));
    send(&elsewhere).refused(404, "product_not_found");
    assert_eq!(server.get("/api/v1/admin/runs").ok()["items"], json!([]));
}
