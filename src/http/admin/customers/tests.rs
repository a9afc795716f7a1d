//! What a customer may be.

use serde_json::json;

use crate::http::in_process::InProcess;

const CUSTOMERS: &str = "/api/v1/admin/customers";

#[test]
fn an_invalid_customer_is_refused_by_field_an_unknown_id_is_404() {
    let server = InProcess::start();
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("\u{0}")),
        ("email", json!("anna")),
        ("email", json!("Anna <anna@example.com>")),
        ("email", json!("anna@example.com\r\nBcc: all@example.com")),
        ("email", json!("a@b.example, c@d.example")),
        ("locale", json!("klingonese!")),
        ("external_ref", json!("")),
        ("phone", json!("1")),
    ] {
        let mut body = json!({"name": "Studio Bianchi"});
        body[field] = value;
        server.post(CUSTOMERS, &body).refused(422, "body_invalid").names(&[field]);
    }
    server.post(CUSTOMERS, &json!({})).refused(422, "body_invalid").names(&["name"]);
    let unknown = "0199a0de-0000-7000-8000-00000000dead";
    server.get(&format!("{CUSTOMERS}/{unknown}")).refused(404, "customer_not_found").says(unknown);
    server.patch(&format!("{CUSTOMERS}/{unknown}"), &json!({})).refused(404, "customer_not_found");
    for none in ["not-an-id", "1", "0199a0de00007000800000000000dead", "%7B0199a0de-0000-7000-8000-00000000dead%7D"] {
        server.get(&format!("{CUSTOMERS}/{none}")).refused(404, "not_found");
    }
}
