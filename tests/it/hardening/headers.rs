//! What every answer tells browsers.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;

use crate::harness::{Actor, Anonymous, Answer, Server, Vendor, actor::Line};

#[track_caller]
fn is_safe(what: &str, answer: &Answer) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; "), "{what}: {policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
    assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1, "{what}");
    let is_page = answer.header("content-type").starts_with("text/html");
    assert_eq!(policy.ends_with("; sandbox"), !is_page && !what.contains(" /docs/"), "{what}: {policy}");
}

#[test]
fn every_answer_tells_browsers_to_run_nothing_of_it() {
    let vendor = Vendor::start();
    let document = serde_json::to_value(sluice::http::routes::document()).expect("JSON");
    let mut walked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys() {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let filled = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
            let address = filled.collect::<Vec<_>>().join("/");
            for address in [address.clone(), format!("{address}?no_such_parameter=1")] {
                is_safe(&format!("{method} {address}"), &vendor.anonymous().call(method.clone(), &address).send());
                walked += 1;
            }
        }
    }
    assert!(walked > 120, "{walked}");
    for address in ["/", "/nowhere", "/docs/errors", "/docs/", "/docs/swagger-ui-bundle.js", "/openapi.json", "/livez"]
    {
        let answer = vendor.anonymous().get(address).send();
        is_safe(&format!("GET {address}"), &answer);
        assert_eq!(answer.header("strict-transport-security"), "", "{address}");
    }
}

#[test]
fn downloads_are_saved_and_never_shown() {
    const NAMES: [&str; 9] = ["a.html", "b.svg", "c.xhtml", "d.js", "e.xml", "f.pdf", "g.wasm", "h.zip.html", "I.HTM"];
    let vendor = Vendor::start();
    let office = vendor.product();
    let page = b"<!doctype html><script>alert(1)</script><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    let path = office.release_path("13.0.0");
    office.release("13.0.0").draft();
    let places: Vec<_> = ["windows", "macos", "linux"]
        .into_iter()
        .flat_map(|platform| ["x86_64", "aarch64", "universal"].map(|arch| (platform, arch)))
        .collect();
    for (name, (platform, arch)) in NAMES.iter().zip(&places) {
        let place = [("component", "standalone"), ("platform", *platform), ("arch", *arch), ("kind", "archive")];
        let put = vendor.admin.put(&format!("{path}/artifacts/{name}")).header("content-type", "text/html");
        put.query(&place).body(page.to_vec()).send().created();
    }
    let listed = vendor.admin.get(&path).send().ok();
    assert_eq!(listed["artifacts"].as_array().map(Vec::len), Some(NAMES.len()));
    office.steer("13.0.0", "publish", &serde_json::json!({}));
    let customer = office.sell("single_user").customer;
    let mut walked = 0;
    for (platform, arch) in places.iter().filter(|(_, arch)| *arch != "universal") {
        let offer = customer.checked("office-maker", "12.4.0", &[("platform", platform), ("arch", arch)]);
        let link = offer.link();
        for call in [
            customer.get(link).header("accept", "text/html"),
            customer.get(link).header("range", "bytes=15-").header("if-range", "\"x\""),
            customer.get(link).header("range", "bytes=15-60"),
            customer.head(link),
        ] {
            let answer = call.send();
            // A store that clients are sent to is not ours to speak for; what it says of a file is part of the link.
            if answer.status == 307 {
                let link = answer.header("location");
                assert!(link.contains("response-content-disposition=attachment"), "{link}");
                assert!(link.contains("response-content-type=application%2Foctet-stream"), "{link}");
            } else {
                assert!(matches!(answer.status, 200 | 206), "{}", answer.text());
                is_safe(link, &answer);
                assert_eq!(answer.header("content-type"), "application/octet-stream");
                assert!(answer.header("content-disposition").starts_with("attachment; "));
            }
            walked += 1;
        }
    }
    assert_eq!(walked, 24);
}

#[test]
fn the_setup_pages_script_is_the_one_its_policy_allows() {
    let server = Server::start(&[("auth.bootstrap_email", ""), ("auth.bootstrap_password", "")]);
    let anonymous = Anonymous(Line::new(server.address()));
    let link =
        server.output().split_whitespace().find(|word| word.contains("/setup?token=")).expect("a link").to_owned();
    let answer = anonymous.get(&link).send().expect(200);
    is_safe("GET /setup", &answer);
    let (page, policy) = (answer.text(), answer.header("content-security-policy"));
    let script = page.split("<script>").nth(1).and_then(|rest| rest.split("</script>").next()).expect("a script");
    let hash = STANDARD.encode(digest(&SHA256, script.as_bytes()));
    assert!(policy.contains(&format!("script-src 'sha256-{hash}';")), "it should have {hash}: {policy}");
    assert!(!page.contains("onsubmit") && !page.contains("style="), "inline handlers and styles are not allowed");
}

#[test]
fn browsers_that_came_by_https_stay_with_it() {
    let server = Server::start(&[("server.public_url", "https://updates.example.com")]);
    let answer = Anonymous(Line::new(server.address())).get("/livez").send().expect(200);
    assert_eq!(answer.header("strict-transport-security"), "max-age=63072000");
}
