//! What a check may ask.

use actix_web::http::Method;
use serde_json::Value;
use url::form_urlencoded;

use crate::http::in_process::InProcess;

const ASKED: &str = "/api/v1/check?product=office-maker&version=12.4.0&platform=linux&arch=x86_64";

#[test]
fn a_missing_unknown_or_doubled_parameter_is_400_and_named() {
    let server = InProcess::start();
    server.product();
    let ask = |path: &str| server.send_as(None, Method::GET, path, &Value::Null);
    for name in ["product", "version", "platform", "arch"] {
        let rest: Vec<_> = ASKED.split_once('?').unwrap().1.split('&').filter(|one| !one.starts_with(name)).collect();
        let answer = ask(&format!("/api/v1/check?{}", rest.join("&")));
        answer.refused(400, "parameter_missing").says(&format!("`{name}`"));
    }
    ask(&format!("{ASKED}&colour=red")).refused(400, "parameter_unknown").says("`colour`");
    ask(&format!("{ASKED}&version=13.0.0")).refused(400, "parameter_unknown").says("`version`");
    ask(&format!("{ASKED}&subscription_id=x")).refused(400, "parameter_unknown").says("`subscription_id`");
}

#[test]
fn a_value_that_is_none_is_422_and_named() {
    let server = InProcess::start();
    server.product();
    let check = |changed: (&str, &str)| {
        let usual = [
            ("product", "office-maker"),
            ("version", "12.4.0"),
            ("component", "standalone"),
            ("platform", "linux"),
            ("arch", "x86_64"),
        ];
        let others = usual.into_iter().filter(|(name, _)| *name != changed.0);
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(others.chain([changed])).finish();
        server.send_as(None, Method::GET, &format!("/api/v1/check?{query}"), &Value::Null)
    };
    for (name, value) in [
        ("component", "printer"),
        ("platform", "beos"),
        ("arch", "universal"),
        ("channel", "nightly"),
        ("channel", "Not A Channel"),
        ("installation", "not-a-uuid"),
        ("server_platform", "beos"),
        ("server_arch", "universal"),
        ("kind", "delta"),
        ("locale", "no locale"),
        ("trigger", "boredom"),
        ("deltas", "maybe"),
    ] {
        let answer = check((name, value));
        answer.refused(422, "parameter_invalid").says(&format!("`{name}`")).says(value);
    }
    for name in ["version", "server_version"] {
        for value in ["latest", "12.4.0.1", "v12", "", "12.4.0-", "01.2.3"] {
            let answer = check((name, value));
            answer.refused(422, "version_invalid").says(&format!("`{value}`")).says(&format!("`{name}`"));
        }
    }
    check(("product", "nothing-maker")).refused(404, "product_not_found").says("nothing-maker");
}
