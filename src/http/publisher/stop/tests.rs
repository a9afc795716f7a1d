//! What a stop may be.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::http::in_process::InProcess;

const STOP: &str = "/api/v1/products/office-maker/stop";

#[test]
fn what_a_stop_cannot_be_is_named() {
    let server = InProcess::start();
    server.product();
    for (body, field) in [
        (json!({}), "reason"),
        (json!({"reason": ""}), "reason"),
        (json!({"reason": "x", "channel": "nightly"}), "channel"),
        (json!({"reason": "x", "colour": "red"}), "colour"),
        (json!({"reason": "x", "message": "text"}), "message"),
    ] {
        server.put(STOP, &body).refused(422, "body_invalid").names(&[field]);
    }
    let lift = server.send(Method::DELETE, &format!("{STOP}?canal=beta"), &Value::Null);
    lift.refused(400, "parameter_unknown").says("`canal`");
}
