//! What a rollout may be.

use serde_json::{Value, json};

use crate::http::in_process::InProcess;

const RELEASES: &str = "/api/v1/products/office-maker/releases";

#[test]
fn a_rollout_that_makes_no_sense_is_refused_field_by_field() {
    let server = InProcess::start();
    server.product();
    server.post(RELEASES, &json!({"version": "13.0.0"})).created();
    let draft = format!("{RELEASES}/13.0.0");
    let path = format!("{draft}/publish");
    let refuse = |rollout: Value, fields: &[&str]| {
        server.post(&path, &json!({"rollout": rollout})).refused(422, "body_invalid").names(fields);
    };
    let stage = |percent: f64, hours: f64| json!({"percent": percent, "after_hours": hours});
    refuse(json!({"stages": [stage(50.0, 1.0)]}), &["rollout.stages[0].percent"]);
    refuse(json!({"percent": 50, "stages": [stage(50.0, 1.0)]}), &["rollout.stages[0].percent"]);
    refuse(
        json!({"percent": 5, "stages": [stage(50.0, 2.0), stage(40.0, 2.0)]}),
        &["rollout.stages[1].percent", "rollout.stages[1].after_hours"],
    );
    refuse(json!({"percent": 5, "stages": [stage(50.0, -1.0)]}), &["rollout.stages[0].after_hours"]);
    refuse(json!({"percent": 5, "stages": [stage(50.0, 0.001)]}), &["rollout.stages[0].after_hours"]);
    refuse(json!({"percent": 5, "stages": [{"percent": 50}]}), &["rollout.stages[0].after_hours"]);
    refuse(json!({"halt": {"failure_rate": 10, "min_reports": 5}}), &["rollout.halt.failure_rate"]);
    refuse(json!({"halt": {"failure_rate": 1, "min_reports": 5}}), &["rollout.halt.failure_rate"]);
    refuse(json!({"halt": {"failure_rate": 0.1}}), &["rollout.halt.min_reports"]);
    refuse(json!({"halt": {"min_reports": 5}}), &["rollout.halt.failure_rate"]);
    refuse(json!({"halt": {"failure_rate": 0.1, "min_reports": 0}}), &["rollout.halt.min_reports"]);
    refuse(json!({"halt": {"data_loss_reports": -1}}), &["rollout.halt.data_loss_reports"]);
    assert_eq!(server.get(&draft).ok()["state"], "draft");
}
