//! The change log: what replicas follow.

use serde_json::{Value, json};

use crate::harness::{Actor, Vendor};

const LOGGED: &str = "SELECT kind AS value FROM changes ORDER BY id";

#[test]
fn the_change_log_has_only_what_checks_depend_on() {
    let vendor = Vendor::start();
    let mut seen = 0;
    let mut new = || {
        let logged = vendor.select(LOGGED);
        let new = logged[seen..].to_vec();
        seen = logged.len();
        new
    };
    assert_eq!(new(), [""; 0]);
    let office = vendor.product();
    assert_eq!(new(), ["product"]);
    office.release("13.0.0").standalone("the program").draft();
    assert_eq!(new(), ["release", "release"], "the draft, and its file");
    office.steer("13.0.0", "publish", &Value::Null);
    assert_eq!(new(), ["release"]);
    office.stop(None);
    assert_eq!(new(), ["product"]);
    vendor.hosting_group("nights", "01:00", 60);
    assert_eq!(new(), ["hosting_group"]);
    let sold = office.sell("single_user");
    assert_eq!(new(), ["subscription"]);
    // What is refused leaves nothing.
    let again = json!({"slug": "office-maker", "name": "Again"});
    vendor.admin.post("/api/v1/products").json(&again).send().refused(409, "product_exists");
    // Nor do reports, logins and customers.
    let report = json!({"run": "0199a0de-0000-4000-8000-0000000000f1", "installation": "0199a0de-0000-4000-8000-0000000000e1",
        "product": "office-maker", "component": "standalone", "from_version": "12.4.0", "to_version": "13.0.0",
        "stage": "downloading"});
    sold.customer.post("/api/v1/reports").json(&report).send().accepted();
    crate::harness::log_in(&vendor.anonymous()).ok();
    vendor.buyer();
    assert_eq!(new(), [""; 0]);
}
