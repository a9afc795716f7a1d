//! Stops: the emergency switch.

use serde_json::{Value, json};

use crate::harness::{Actor, Customer, Vendor};

fn status(customer: &Customer, channel: &str) -> String {
    customer.checked("office-maker", "12.0.0", &[("channel", channel)]).status
}

#[test]
fn a_stop_on_a_channel_covers_it_and_every_less_stable_one() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    office.release("13.1.0-beta.1").with("channel", "beta").publish();
    let customer = office.sell_with("single_user", &json!({"channels": ["alpha"]})).customer;
    let link = |channel: &str| customer.checked("office-maker", "12.0.0", &[("channel", channel)]).link().to_owned();
    let (stable, beta) = (link("stable"), link("beta"));
    office.stop(Some("beta"));
    assert_eq!(["stable", "beta", "alpha"].map(|at| status(&customer, at)), ["update_available", "blocked", "blocked"]);
    customer.get(&beta).send().refused(403, "url_withdrawn");
    assert_eq!(customer.get(&stable).send().status, 200);
    office.stop(Some("stable"));
    assert_eq!(["stable", "beta", "alpha"].map(|at| status(&customer, at)), ["blocked"; 3]);
    customer.get(&stable).send().refused(403, "url_withdrawn");

    let lift = |query: &str| vendor.admin.delete(&format!("{}/stop{query}", office.path)).send();
    lift("?channel=stable").no_content();
    assert_eq!(["stable", "beta"].map(|at| status(&customer, at)), ["update_available", "blocked"]);
    lift("").refused(404, "stop_not_found").says("office-maker");
    lift("?channel=alpha").refused(404, "stop_not_found").says("alpha");
    lift("?channel=beta").no_content();
    assert_eq!(customer.get(&beta).send().status, 200);

    office.stop(None);
    assert_eq!(["stable", "beta", "alpha"].map(|at| status(&customer, at)), ["blocked"; 3]);
    customer.get(&stable).send().refused(403, "url_withdrawn");
    lift("").no_content();
    assert_eq!(status(&customer, "stable"), "update_available");
}

#[test]
fn users_see_a_stops_message_in_their_language_or_its_reason() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("single_user").customer;
    let path = format!("{}/stop", office.path);
    let said = |locale: &str| customer.checked("office-maker", "12.0.0", &[("locale", locale)]).message;
    let stop = json!({"reason": "lost files", "message": {"it": "Stiamo verificando.", "en": "We look into it."}});
    let set = vendor.admin.put(&path).json(&stop).send().ok();
    assert_eq!((&set["channel"], &set["reason"], &set["message"]), (&Value::Null, &stop["reason"], &stop["message"]));
    assert_eq!((said("it-CH").as_str(), said("fr").as_str()), ("Stiamo verificando.", "We look into it."));
    // Set again it is replaced; without a message for people its reason is shown.
    vendor.admin.put(&path).json(&json!({"reason": "a problem with invoices"})).send().ok();
    assert!(said("en").contains("a problem with invoices"), "{}", said("en"));
    let listed = vendor.admin.get(&path).send().ok();
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["next"]), (1, &Value::Null));
}

#[test]
fn lifting_a_stop_is_a_right_of_its_own() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let path = format!("{}/stop", office.path);
    let ci = vendor.ci(&["releases:write", "releases:publish"]);
    ci.put(&path).json(&json!({"reason": "x"})).send().ok();
    ci.delete(&path).send().refused(403, "scope_insufficient").says("stops:lift");
    vendor.ci(&["stops:lift"]).put(&path).json(&json!({"reason": "x"})).send().refused(403, "scope_insufficient");
    vendor.ci(&["stops:lift"]).delete(&path).send().no_content();
}
