//! Known problems: kept by support, recognised in reports.

use serde_json::{Value, json};

use crate::harness::{Actor, Customer, Vendor};

const PROBLEMS: &str = "/api/v1/admin/known-problems";
const INSTALLATION: &str = "0199a0de-0000-4000-8000-0000000000e1";

/// Reports a failed run, numbered so that each is another; `more` are further fields.
fn fail(customer: &Customer, number: u32, class: &str, code: &str, more: &Value) -> Value {
    let mut report = json!({"run": format!("0199a0de-0000-4000-8000-{number:012}"), "installation": INSTALLATION,
        "product": "office-maker", "component": "standalone", "from_version": "12.4.0", "to_version": "13.0.0",
        "stage": "ended", "outcome": "failed", "error": {"class": class, "code": code, "message": "it failed"}});
    for (name, value) in more.as_object().expect("fields") {
        report[name] = value.clone();
    }
    customer.post("/api/v1/reports").json(&report).send().accepted()
}

fn add(vendor: &Vendor, rule: &Value) -> Value {
    let mut rule = rule.clone();
    rule["product"] = json!("office-maker");
    vendor.admin.post(PROBLEMS).json(&rule).send().created()
}

/// How many runs met each problem of the product: by the text of a rule, or the name of a default.
fn matched(vendor: &Vendor) -> Vec<(String, i64)> {
    let page = vendor.admin.get(&format!("{PROBLEMS}?product=office-maker")).send().ok();
    let name = |item: &Value| item["default"].as_str().or(item["texts"]["en"].as_str()).unwrap_or_default().to_owned();
    let items = page["items"].as_array().expect("items").iter();
    items.map(|item| (name(item), item["matched"].as_i64().expect("a number"))).collect()
}

#[test]
fn a_failure_that_is_known_is_answered_with_what_to_do() {
    let vendor = Vendor::start();
    let customer = vendor.product().sell("single_user").customer;
    let said = |answer: &Value| answer["help"]["text"].as_str().unwrap_or_default().to_owned();
    let none = json!({});
    let disk = fail(&customer, 1, "environment", "disk_full", &none);
    assert!(said(&disk).contains("Office Maker") && said(&disk).contains("space"), "{disk}");
    assert_eq!((&disk["help"]["locale"], &disk["help_url"]), (&json!("en"), &json!("https://vendor.example/help")));
    for (number, locale, word, answered) in [
        (2, "it", "spazio", "it"),
        (3, "fr-CH", "espace", "fr"),
        (4, "de", "Speicherplatz", "de"),
        (5, "pt", "space", "en"),
    ] {
        let answer = fail(&customer, number, "backup", "ENOSPC", &json!({"locale": locale}));
        assert!(said(&answer).contains(word) && answer["help"]["locale"] == answered, "{answer}");
    }
    for (number, class, code, word) in [
        (6, "environment", "access_denied", "administrator"),
        (7, "network", "server_unreachable", "firewall"),
        (8, "environment", "defender_blocked", "scanner"),
    ] {
        assert!(said(&fail(&customer, number, class, code, &none)).contains(word), "{code}");
    }
    let unknown = fail(&customer, 9, "migration", "migration_failed", &none);
    assert_eq!((&unknown["help"], &unknown["help_url"]), (&Value::Null, &json!("https://vendor.example/help")));
    // What went well needs no help.
    let well = fail(&customer, 10, "network", "server_unreachable", &json!({"outcome": "succeeded", "error": null}));
    assert_eq!((&well["help"], &well["help_url"]), (&Value::Null, &Value::Null));
    let runs = vendor.admin.get("/api/v1/admin/runs").send().ok();
    let marks: Vec<_> =
        runs["items"].as_array().expect("runs").iter().map(|run| run["known_problem"].as_str()).collect();
    assert_eq!((marks[0], marks[5], marks[8]), (Some("disk"), Some("rights"), None));
    let expected = [("antivirus", 1), ("firewall", 1), ("disk", 5), ("rights", 1)];
    assert_eq!(matched(&vendor), expected.map(|(name, count)| (name.to_owned(), count)));
}

#[test]
fn what_was_overcome_is_neither_helped_with_nor_counted() {
    let vendor = Vendor::start();
    let customer = vendor.product().sell("single_user").customer;
    let no_network = |number, stage: &str| {
        fail(&customer, number, "network", "server_unreachable", &json!({"stage": stage, "outcome": null}))
    };
    let goes_on = |number, stage: &str, outcome: Value| {
        fail(&customer, number, "network", "x", &json!({"stage": stage, "outcome": outcome, "error": null}))
    };
    let no_help = |answer: &Value| assert_eq!((answer.get("help"), answer.get("help_url")), (None, None), "{answer}");
    let met = || matched(&vendor).into_iter().find(|(name, _)| name == "firewall").map(|(_, count)| count);
    assert!(no_network(1, "downloading")["help"]["text"].as_str().unwrap().contains("firewall"));
    assert_eq!(met(), Some(1));
    no_help(&goes_on(1, "installing", Value::Null));
    no_help(&goes_on(1, "ended", json!("succeeded")));
    assert_eq!(met(), Some(0));
    // Straight from the stage of the error to a good end; and what comes late changes nothing.
    no_network(2, "downloading");
    no_help(&goes_on(2, "ended", json!("succeeded")));
    no_help(&no_network(2, "downloading"));
    // Nobody needs help with what they called off.
    no_network(3, "downloading");
    no_help(&goes_on(3, "ended", json!("cancelled")));
    // Where it was not overcome, the end needs not say it again.
    no_network(4, "downloading");
    assert!(goes_on(4, "ended", json!("failed"))["help"]["text"].as_str().unwrap().contains("firewall"));
    assert_eq!(met(), Some(2));
}

#[test]
fn a_vendors_rule_goes_first_and_the_most_specific_of_them() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("single_user").customer;
    add(
        &vendor,
        &json!({"code": "disk_*", "texts": {"en": "a code", "it": "un codice"}, "link": "https://vendor.example/disk"}),
    );
    add(&vendor, &json!({"code": "*full", "texts": {"en": "younger"}}));
    add(&vendor, &json!({"failure_class": "environment", "code": "disk_full", "texts": {"en": "and a class"}}));
    let versions =
        json!({"failure_class": "environment", "code": "disk_full", "versions": "<13", "texts": {"en": "versions"}});
    add(&vendor, &versions);
    let said = |number, class, code: &str, more: Value| {
        let answer = fail(&customer, number, class, code, &more);
        (answer["help"]["text"].as_str().unwrap_or_default().to_owned(), answer["help_url"].clone())
    };
    let (product, rule) = (json!("https://vendor.example/help"), json!("https://vendor.example/disk"));
    assert_eq!(said(1, "environment", "disk_full", json!({})), ("and a class".to_owned(), product.clone()));
    assert_eq!(
        said(2, "environment", "DISK_FULL", json!({"to_version": "12.9.0"})),
        ("versions".to_owned(), product.clone())
    );
    assert_eq!(said(3, "backup", "disk_full", json!({})), ("a code".to_owned(), rule.clone()), "the older of two");
    assert_eq!(said(4, "backup", "disk_full", json!({"locale": "it-CH"})), ("un codice".to_owned(), rule.clone()));
    assert_eq!(said(5, "backup", "disk_full", json!({"locale": "fr"})), ("a code".to_owned(), rule));
    assert_eq!(said(6, "backup", "quite_full", json!({})), ("younger".to_owned(), product));
    // Once per run, however often it is reported; a report without the error takes nothing back.
    for _ in 0..3 {
        said(6, "backup", "quite_full", json!({}));
        said(6, "backup", "quite_full", json!({"error": null}));
    }
    let expected = [
        ("versions", 1),
        ("and a class", 1),
        ("a code", 3),
        ("younger", 1),
        ("antivirus", 0),
        ("firewall", 0),
        ("disk", 0),
        ("rights", 0),
    ];
    assert_eq!(matched(&vendor), expected.map(|(name, count)| (name.to_owned(), count)));
}

#[test]
fn a_platform_rule_uses_the_platform_last_reported() {
    let mut vendor = Vendor::with(&[("checks.sightings_every", "1h")]);
    let customer = vendor.product().sell("single_user").customer;
    add(&vendor, &json!({"code": "e1", "platform": "windows", "texts": {"en": "on windows"}}));
    add(&vendor, &json!({"code": "e1", "texts": {"en": "elsewhere"}}));
    let said = |number| fail(&customer, number, "installer", "E1", &json!({}))["help"]["text"].clone();
    assert_eq!(said(1), "elsewhere", "nothing is known of it");
    let check = |platform: &str| {
        customer.check("office-maker", "12.4.0", &[("installation", INSTALLATION), ("platform", platform)]).ok();
    };
    check("windows");
    assert_eq!(said(2), "on windows", "it was just seen");
    vendor.restart();
    assert_eq!(said(3), "on windows", "it was written down");
    check("macos");
    assert_eq!(said(4), "elsewhere", "the last word counts");
}

#[test]
fn rules_are_added_shown_changed_and_deleted() {
    let vendor = Vendor::start();
    let customer = vendor.product().sell("single_user").customer;
    let texts = json!({"en": "Call us.", "it": "Ci chiami."});
    let made = add(&vendor, &json!({"failure_class": "service_start", "texts": texts}));
    let path = format!("{PROBLEMS}/{}", made["id"].as_str().expect("an id"));
    fail(&customer, 1, "service_start", "x", &json!({}));
    let shown = vendor.admin.get(&path).send().expect(200);
    assert_eq!((shown.header("etag"), &shown.json()["matched"], &shown.json()["texts"]), ("\"1\"", &json!(1), &texts));
    let stale = vendor.admin.patch(&path).header("if-match", "\"7\"").json(&json!({"code": "y"}));
    stale.send().refused(412, "precondition_failed");
    let change = json!({"code": "y*", "failure_class": null, "versions": ">=13", "link": "https://vendor.example/y"});
    let changed = vendor.admin.patch(&path).header("if-match", "\"1\"").json(&change).send().ok();
    assert_eq!(
        (&changed["code"], &changed["failure_class"], &changed["matched"]),
        (&json!("y*"), &Value::Null, &json!(1))
    );
    assert_eq!(fail(&customer, 2, "internal", "yes", &json!({}))["help"]["url"], "https://vendor.example/y");
    assert_eq!(fail(&customer, 3, "service_start", "x", &json!({}))["help"], Value::Null);

    for (body, field) in [
        (json!({"texts": {}}), "texts"),
        (json!({"texts": {"en": " "}}), "texts.en"),
        (json!({"code": null, "versions": null}), "code"),
        (json!({"link": "javascript:alert(1)"}), "link"),
        (json!({"code": ""}), "code"),
        (json!({"platform": "amiga"}), "platform"),
        (json!({"product": "other"}), "product"),
    ] {
        vendor.admin.patch(&path).json(&body).send().refused(422, "body_invalid").names(&[field]);
    }
    let new = |rule: Value| vendor.admin.post(PROBLEMS).json(&rule).send();
    new(json!({"product": "office-maker", "texts": {"en": "x"}})).refused(422, "body_invalid").names(&["code"]);
    new(json!({"product": "nothing", "code": "x", "texts": {"en": "x"}})).refused(404, "product_not_found");

    vendor.admin.delete(&path).header("if-match", "\"1\"").send().refused(412, "precondition_failed");
    vendor.admin.delete(&path).header("if-match", "\"2\"").send().no_content();
    vendor.admin.get(&path).send().refused(404, "known_problem_not_found");
    vendor.admin.delete(&path).send().refused(404, "known_problem_not_found");
    assert_eq!(fail(&customer, 2, "internal", "yes", &json!({}))["help"], Value::Null, "what was said before is gone");
    assert_eq!(matched(&vendor).len(), 4);
}

#[test]
fn each_product_has_rules_of_its_own_and_the_list_has_pages() {
    let vendor = Vendor::start();
    let customer = vendor.product().sell("single_user").customer;
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library"}));
    let foreign = json!({"product": "library-maker", "code": "z", "texts": {"en": "library"}});
    let foreign = vendor.admin.post(PROBLEMS).json(&foreign).send().created();
    add(&vendor, &json!({"code": "z", "texts": {"en": "office"}}));
    assert_eq!(fail(&customer, 1, "internal", "z", &json!({}))["help"]["text"], "office");
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = vendor.admin.get(&format!("{PROBLEMS}?limit=3{after}")).send().ok();
        seen.extend(page["items"].as_array().expect("items").clone());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen.len(), 10);
    assert_eq!(seen.iter().filter(|item| item["product"] == "library-maker").count(), 5);
    let all = ["subscriptions:write"];
    let (ci, _) = vendor.ci_with(&json!({"name": "support", "scopes": all, "product": "office-maker"}));
    assert_eq!(ci.get(PROBLEMS).send().ok()["items"].as_array().map(Vec::len), Some(5));
    let path = format!("{PROBLEMS}/{}", foreign["id"].as_str().expect("an id"));
    ci.get(&path).send().refused(404, "known_problem_not_found");
    ci.patch(&path).json(&json!({"code": "y"})).send().refused(404, "known_problem_not_found");
    ci.delete(&path).send().refused(404, "known_problem_not_found");
    let body = json!({"product": "library-maker", "code": "z", "texts": {"en": "x"}});
    ci.post(PROBLEMS).json(&body).send().refused(404, "product_not_found");
}
