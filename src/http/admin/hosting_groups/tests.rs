//! What a hosting group may be.

use serde_json::{Value, json};

use crate::http::in_process::InProcess;

const GROUPS: &str = "/api/v1/admin/hosting-groups";

#[test]
fn what_a_group_cannot_be_is_named() {
    let server = InProcess::start();
    let window = json!({"days": ["mon"], "start": "01:00", "duration_minutes": 60});
    let with = |field: &str, value: Value| {
        let mut changed = window.clone();
        changed[field] = value;
        changed
    };
    for (field, name, value) in [
        ("slug", "slug", json!("Milan")),
        ("name", "name", json!("")),
        ("timezone", "timezone", json!("Mars/Olympus")),
        ("max_concurrent", "max_concurrent", json!(0)),
        ("window", "window.days", with("days", json!([]))),
        ("window", "window.days[0]", with("days", json!(["monday"]))),
        ("window", "window.start", with("start", json!("25:00"))),
        ("window", "window.start", with("start", json!("1:00"))),
        ("window", "window.start", with("start", json!("01:00:00"))),
        ("window", "window.duration_minutes", with("duration_minutes", json!(0))),
        ("window", "window.duration_minutes", with("duration_minutes", json!(1441))),
        ("window", "window.minutes", with("minutes", json!(1))),
        ("window", "window", json!([["mon"], "01:00", 60])),
        ("colour", "colour", json!("red")),
    ] {
        let mut body = json!({"slug": "nights", "name": "Nights", "timezone": "UTC", "window": window});
        body[field] = value;
        server.post(GROUPS, &body).refused(422, "body_invalid").names(&[name]);
    }
    assert_eq!(server.get(GROUPS).ok()["items"], json!([]));
}
