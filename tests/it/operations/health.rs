//! Health, metrics, keys and the description of the API.

use serde_json::json;

use crate::harness::{Actor, Vendor};

#[test]
fn the_server_says_how_it_is() {
    let vendor = Vendor::start();
    let nobody = vendor.anonymous();
    assert_eq!(nobody.get("/livez").send().ok(), json!({"status": "alive", "problems": []}));
    assert_eq!(nobody.get("/readyz").send().ok(), json!({"status": "ready", "problems": []}));
    let description = nobody.get("/openapi.json").send().ok();
    assert!(description["paths"]["/api/v1/check"].is_object());
    let page = nobody.get("/docs/").send().expect(200);
    assert!(page.header("content-type").starts_with("text/html") && page.text().contains("swagger"), "{}", page.text());
}

#[test]
fn the_public_keys_are_there_and_nothing_more_of_them() {
    let vendor = Vendor::start();
    let keys = vendor.anonymous().get("/.well-known/jwks.json").send().ok();
    let keys = keys["keys"].as_array().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        let names: Vec<_> = key.as_object().unwrap().keys().collect();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"], "no private part");
    }
}

#[test]
fn checks_and_downloads_are_counted() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("single_user").customer;
    let url =
        customer.check("office-maker", "12.0.0", &[]).ok()["update"]["artifact"]["url"].as_str().unwrap().to_owned();
    customer.check("office-maker", "13.0.0", &[]).ok();
    customer.get(&url).send().expect(200);
    let figures = vendor.anonymous().get("/metrics").send().expect(200);
    assert!(figures.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = figures.text();
    let value =
        |start: &str| text.lines().find(|line| line.starts_with(start)).and_then(|line| line.rsplit(' ').next());
    for line in ["status=\"update_available\"", "status=\"up_to_date\""] {
        assert!(text.lines().any(|counted| counted.contains(line) && counted.ends_with(" 1")), "{text}");
    }
    assert_eq!(value("sluice_downloads_total"), Some("1"), "{text}");
}

#[test]
fn every_operation_refuses_a_query_parameter_that_it_does_not_have() {
    let vendor = Vendor::start();
    let description = vendor.anonymous().get("/openapi.json").send().ok();
    let mut asked = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|name| *name != "head" && *name != "parameters") {
            let path = path
                .replace("{slug}", "office-maker")
                .replace("{version}", "1.0.0")
                .replace("{filename}", "a.zip")
                .replace('{', "0199a0de-0000-7000-8000-000000000001")
                .split("id}")
                .collect::<String>()
                .replace("artifact_", "")
                .replace("key_", "");
            let answer = vendor
                .admin
                .call(method.to_uppercase().parse().unwrap(), &format!("{path}?no_such_parameter=1"))
                .send();
            answer.refused(400, "parameter_unknown").says("`no_such_parameter`");
            asked += 1;
        }
    }
    assert!(asked > 50, "{asked}");
}
