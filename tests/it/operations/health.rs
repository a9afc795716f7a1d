//! Health, metrics, keys and the description of the API.

use serde_json::json;

use crate::harness::{Actor, Server, Vendor, program::Ended};

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
    let url = customer.checked("office-maker", "12.0.0", &[]).link().to_owned();
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
fn every_operation_refuses_unknown_query_parameters() {
    let vendor = Vendor::start();
    let description = vendor.anonymous().get("/openapi.json").send().ok();
    let mut asked = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        // Identity providers send more back than they have to (RFC 6749, section 4.1.2).
        if path == "/api/v1/auth/sso/callback" {
            continue;
        }
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

#[test]
fn the_health_command_tells_a_ready_server_from_a_failing_one() {
    let mut server = Server::start(&[]);
    let url = server.url();
    let bind = url.strip_prefix("http://").unwrap().to_owned();
    let ask = |arguments: &[&str]| {
        let mut command = server.command(&[&["health"], arguments].concat());
        // The address comes from the configuration, and a proxy for others is none for this.
        command.env("SLUICE__SERVER__BIND", &bind).env_remove("NO_PROXY").env("HTTP_PROXY", "http://127.0.0.1:9");
        Ended::of(&mut command)
    };
    assert_eq!(ask(&[]).expect(0).stdout, "alive\n");
    assert_eq!(ask(&["--ready"]).expect(0).stdout, "ready\n");
    assert_eq!(ask(&["--url", &url, "--ready"]).expect(0).stdout, "ready\n");
    let other = ask(&["--url", &format!("{url}/api/v1")]).expect(1).stderr;
    assert!(other.contains("/api/v1/livez answered 404") && other.lines().count() == 1, "{other}");
    server.stop();
    let gone = Ended::of(&mut server.command(&["health", "--url", &server.url()])).expect(1).stderr;
    assert!(gone.contains("127.0.0.1:1") && gone.lines().count() == 1, "{gone}");
    // Wrong configuration is 1 as well: to a container's engine 2 means something else.
    let wrong = Ended::of(server.command(&["health"]).env("SLUICE__SERVER__BNID", "x")).expect(1).stderr;
    assert!(wrong.contains("bnid"), "{wrong}");
}
