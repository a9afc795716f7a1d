//! `/docs/`: the pages and all that they need come from the server itself.

use crate::harness::stores::Folder;
use reqwest::blocking::Client;
use serde_json::Value;

use crate::demo::server::Server;

/// A page, and that it is there.
fn get(address: &str, path: &str) -> String {
    let http = Client::builder().no_proxy().build().expect("a client");
    let answer = http.get(format!("{address}{path}")).send().expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    String::from_utf8_lossy(&answer.bytes().expect("a body")).into_owned()
}

/// What a page's attributes lead to.
fn links<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!("{attribute}=\"");
    page.split(&start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn the_page_of_the_description_needs_no_internet() {
    let folder = Folder::new();
    let server = Server::start(&["--demo"], &folder);
    let page = get(&server.address, "/docs");
    let assets: Vec<_> = [links(&page, "href"), links(&page, "src")].concat();
    assert!(assets.len() >= 5, "{page}");
    for asset in assets {
        assert!(!asset.contains("//"), "`{asset}` comes from elsewhere");
        assert!(!get(&server.address, &format!("/docs/{}", asset.trim_start_matches("./"))).is_empty());
    }
    let setup = get(&server.address, "/docs/swagger-initializer.js");
    assert!(setup.contains(r#""url": "/openapi.json""#), "{setup}");
    // Else the page asks a service on the internet what it thinks of the description.
    assert!(setup.contains(r#""validatorUrl": "none""#), "{setup}");
    let described: Value = serde_json::from_str(&get(&server.address, "/openapi.json")).expect("JSON");
    assert_eq!(described, super::document());
}

#[test]
fn the_type_of_a_problem_leads_to_its_description() {
    let folder = Folder::new();
    let server = Server::start(&["--demo"], &folder);
    let page = get(&server.address, "/docs/errors");
    let http = Client::builder().no_proxy().build().expect("a client");
    let problem: Value = http
        .get(format!("{}/nowhere", server.address))
        .send()
        .and_then(reqwest::blocking::Response::json)
        .expect("JSON");
    let (path, anchor) = problem["type"].as_str().and_then(|link| link.split_once('#')).expect("a link");
    assert_eq!(path, "/docs/errors");
    assert!(links(&page, "id").contains(&anchor), "{anchor}");
    let document = super::document();
    for code in document["components"]["schemas"]["Code"]["enum"].as_array().expect("codes") {
        assert!(links(&page, "id").contains(&code.as_str().expect("a code")), "{code}");
    }
}
