//! Customers.

use serde_json::{Value, json};

use crate::harness::{Actor, Vendor, pages};

const CUSTOMERS: &str = "/api/v1/admin/customers";

fn names(customers: &[Value]) -> Vec<&str> {
    customers.iter().map(|customer| customer["name"].as_str().unwrap()).collect()
}

#[test]
fn a_customer_is_added_shown_and_changed() {
    let vendor = Vendor::start();
    let said = json!({"name": "Studio Bianchi", "email": "anna@bianchi.example.com", "locale": "it-ch", "external_ref": "CRM-1"});
    let made = vendor.admin.post(CUSTOMERS).json(&said).send().expect(201);
    let (tag, made) = (made.header("etag").to_owned(), made.json());
    assert_eq!(
        (&made["name"], &made["locale"], &made["external_ref"]),
        (&said["name"], &json!("it-CH"), &said["external_ref"])
    );
    let path = format!("{CUSTOMERS}/{}", made["id"].as_str().unwrap());
    assert_eq!(vendor.admin.get(&path).send().ok(), made);
    let changed = vendor
        .admin
        .patch(&path)
        .header("if-match", &tag)
        .json(&json!({"email": null, "name": "Bianchi & Figli"}))
        .send();
    let changed = changed.ok();
    assert_eq!(
        (&changed["email"], &changed["name"], &changed["locale"]),
        (&Value::Null, &json!("Bianchi & Figli"), &made["locale"])
    );
    vendor
        .admin
        .patch(&path)
        .header("if-match", &tag)
        .json(&json!({"name": "x"}))
        .send()
        .refused(412, "precondition_failed");
    vendor.admin.patch(&path).json(&json!({"name": null})).send().refused(422, "body_invalid").names(&["name"]);
    assert_eq!(vendor.admin.get(&path).send().ok(), changed);
}

#[test]
fn customers_are_found_by_words_and_listed_page_by_page() {
    let vendor = Vendor::start();
    for (name, email, reference) in [
        ("Studio Bianchi", "anna@bianchi.example.com", "CRM-1"),
        ("Éditions Dupont", "luc@dupont.example.com", "CRM-2"),
        ("100% Office", "x@percent.example.com", "CRM_3"),
        ("Bianchi e Figli", "b@figli.example.com", "CRM-4"),
        ("Verlag Schmidt", "k@schmidt.example.com", "CRM-5"),
    ] {
        let body = json!({"name": name, "email": email, "external_ref": reference});
        vendor.admin.post(CUSTOMERS).json(&body).send().created();
    }
    let everybody = pages::all(&vendor.admin, CUSTOMERS, 2);
    assert_eq!(names(&everybody).len(), 5);
    let mut found: Vec<_> = everybody.iter().map(|customer| customer["id"].as_str().unwrap()).collect();
    found.dedup();
    assert_eq!(found.len(), 5);
    let search = |words: &str| {
        let page = vendor.admin.get(CUSTOMERS).query(&[("q", words)]).send().ok();
        names(page["items"].as_array().unwrap()).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(search("bianchi"), ["Studio Bianchi", "Bianchi e Figli"]);
    assert_eq!(search("schmidt.example"), ["Verlag Schmidt"]);
    assert_eq!(search("CRM-2"), ["Éditions Dupont"]);
    assert_eq!(search("%"), ["100% Office"], "no pattern, but a letter");
    assert_eq!(search("CRM_"), ["100% Office"]);
    assert_eq!(search("nobody"), [""; 0]);
    // Of letters outside ASCII the case counts, whatever the database.
    assert_eq!(search("DUPONT"), ["Éditions Dupont"]);
    assert_eq!(search("Éditions"), ["Éditions Dupont"]);
    assert_eq!(search("éditions"), [""; 0]);
    assert_eq!(search("Bianchi\0"), [""; 0]);
    let paged = pages::all(&vendor.admin, &format!("{CUSTOMERS}?q=crm"), 2);
    assert_eq!(paged.len(), 5);
    for (query, status, code) in [
        ("limit=0", 422, "parameter_invalid"),
        ("after=x", 422, "parameter_invalid"),
        ("name=x", 400, "parameter_unknown"),
    ] {
        vendor.admin.get(&format!("{CUSTOMERS}?{query}")).send().refused(status, code);
    }
}
