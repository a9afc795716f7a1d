//! A whole customer base from CSV: all of it or nothing.

use serde_json::{Value, json};

use crate::harness::{Actor, Answer, Vendor, body::Fault, pages};

const HEAD: &str = "customer,customer_name,customer_email,customer_locale,product,deployment,starts_on,ends_on,grace_days,channels,version_req,hosting_group,external_ref,license_key\n";

fn import(vendor: &Vendor, file: &str) -> Answer {
    let call =
        vendor.admin.post("/api/v1/admin/subscriptions/import").header("content-type", "text/csv; charset=utf-8");
    call.body(file.to_owned()).send()
}

fn counts(vendor: &Vendor) -> (usize, usize) {
    let count = |path: &str| pages::all(&vendor.admin, path, 200).len();
    (count("/api/v1/admin/customers"), count("/api/v1/admin/subscriptions"))
}

#[test]
fn customers_subscriptions_and_keys_come_in_together() {
    let vendor = Vendor::start();
    vendor.product();
    vendor.hosting_group("nights", "00:00", 1440);
    let file = format!(
        "{HEAD}\
         CRM-1,\"Bianchi, \"\"Studio\"\"\",anna@bianchi.example.com,it,office-maker,single_user,2020-01-01,2099-12-31,14,stable beta,^12,,INV-1,\n\
         CRM-1,,,,office-maker,cloud,2020-01-01,,,,,nights,,acme-key-0123456789\n\
         \n\
         CRM-2,Éditions Dupont,,,office-maker,multi_user,2020-01-01,2020-12-31,,,,,,\n"
    );
    let answer = import(&vendor, &file).created();
    assert_eq!((&answer["imported"], counts(&vendor)), (&json!(3), (2, 3)));
    let lines: Vec<_> = answer["subscriptions"].as_array().unwrap().iter().map(|one| one["line"].clone()).collect();
    assert_eq!(lines, [2, 3, 5]);
    let issued = answer["subscriptions"][0]["license_key"].as_str().unwrap();
    let own = vendor.customer(issued).get("/api/v1/subscription").send().ok();
    assert_eq!((&own["grace_days"], &own["channels"]), (&json!(14), &json!(["stable", "beta"])));
    assert_eq!(answer["subscriptions"][1].get("license_key"), None);
    let own = vendor.customer("acme-key-0123456789").get("/api/v1/subscription").send().ok();
    assert_eq!((&own["deployment"], &own["ends_on"]), (&json!("cloud"), &Value::Null));
    let customers = vendor.admin.get("/api/v1/admin/customers?q=CRM-1").send().ok();
    assert_eq!(
        (&customers["items"][0]["name"], &customers["items"][0]["locale"]),
        (&json!("Bianchi, \"Studio\""), &json!("it"))
    );
    // More for a customer who is there already; and with only the columns that are needed.
    let more = "customer,product,deployment,starts_on,ends_on\r\nCRM-2,office-maker,single_user,2020-01-01,\r\n";
    import(&vendor, more).created();
    assert_eq!(counts(&vendor), (2, 4));
    // As a spreadsheet saves it, with a mark of the byte order.
    import(&vendor, &format!("\u{feff}{more}")).created();
    assert_eq!(counts(&vendor), (2, 5));
}

#[test]
fn whoever_is_limited_to_a_product_learns_nothing_of_others() {
    let vendor = Vendor::start();
    vendor.product();
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"}));
    let head = "customer,product,deployment,starts_on,ends_on,external_ref\n";
    let theirs = format!("{head}CRM-1,library-maker,single_user,2020-01-01,,INV-1\n");
    import(&vendor, &theirs).created();
    let (limited, _) = vendor.colleague_with(&json!({"role": "support", "products": ["office-maker"]}));
    let refuse = |line: &str| {
        let call = limited.post("/api/v1/admin/subscriptions/import").header("content-type", "text/csv");
        call.body(format!("{head}{line}\n")).send().refused(422, "body_invalid").body.errors
    };
    let there = refuse("CRM-1,library-maker,single_user,2020-01-01,,INV-1");
    assert_eq!(there[0].field, "line 2, product");
    assert_eq!(there, refuse("CRM-1,library-maker,single_user,2020-01-01,,INV-2"), "invented");
    assert_eq!(there, refuse("CRM-2,library-maker,single_user,2020-01-01,,"), "invented");
    let nowhere = format!("{:?}", refuse("CRM-1,nothing-maker,single_user,2020-01-01,,INV-1"));
    assert_eq!(format!("{there:?}"), nowhere.replace("nothing-maker", "library-maker"));
    // A customer of another product is named as they were, not by what the server calls them.
    let message = "there is no customer `CRM-1` within your reach";
    let refused = refuse("CRM-1,office-maker,single_user,2020-01-01,,INV-1");
    assert_eq!(refused, [Fault { field: "line 2, customer".to_owned(), message: message.to_owned(), code: None }]);
}

#[test]
fn an_import_with_faults_imports_nothing_and_names_each_line() {
    let vendor = Vendor::start();
    vendor.product();
    import(&vendor, "customer,product,deployment,starts_on,ends_on,license_key\nC,office-maker,single_user,2020-01-01,,taken-key-0123456\n").created();
    let before = counts(&vendor);
    let refuse = |rows: &[(&str, &[&str])]| {
        let file: String = std::iter::once(HEAD).chain(rows.iter().flat_map(|(row, _)| [*row, "\n"])).collect();
        let expected = rows.iter().enumerate().flat_map(|(place, (_, columns))| {
            columns.iter().map(move |column| format!("line {}, {column}", place + 2))
        });
        let expected: Vec<_> = expected.collect();
        let refused = import(&vendor, &file).refused(422, "body_invalid");
        assert_eq!(refused.fields(), expected, "{:?}", refused.body);
        assert_eq!(counts(&vendor), before);
        refused
    };
    // What is no value.
    let refused = refuse(&[
        ("A,,,,office-maker,single_user,2020-01-01,2099-12-31,,,,,,", &[]),
        ("B,,,,office-maker,on_paper,2020-01-01,,,,,,,", &["deployment"]),
        ("B,,,,office-maker,single_user,yesterday,,,,,,,", &["starts_on"]),
        ("B,,,,office-maker,single_user,2020-01-01,,many,,,,,", &["grace_days"]),
        ("B,,,,office-maker,single_user,2020-01-01,,,Not A Slug,,,,", &["channels"]),
        ("B,,,,office-maker,single_user,2020-01-01,,,,about,,,", &["version_req"]),
        (",,,,,,,,,,,,,", &["customer", "product", "deployment", "starts_on"]),
        ("G,a\u{7f},,,office-maker,single_user,2020-01-01,,,,,,,", &["customer_name"]),
        ("F,,,no locale,Office Maker,single_user,2020-01-01,,,,,,,", &["product", "customer_locale"]),
    ]);
    for text in ["on_paper", "yesterday", "many", "about", "no locale", "Office Maker"] {
        assert!(refused.detail().contains(&format!("`{text}`")), "{text}: {}", refused.detail());
    }
    // What is one, and cannot be.
    refuse(&[
        ("A,,,,office-maker,single_user,2020-01-01,2099-12-31,,,,,,", &[]),
        ("B,,,,nothing-maker,single_user,2020-01-01,,,,,,,", &["product"]),
        ("B,,,,office-maker,single_user,2020-01-01,2019-01-01,,,,,,", &["ends_on"]),
        ("B,,,,office-maker,single_user,2020-01-01,,,nightly,,,,", &["channels[0]"]),
        ("B,,,,office-maker,cloud,2020-01-01,,,,,,,", &["hosting_group"]),
        ("B,,,,office-maker,single_user,2020-01-01,,,,,,,short", &["license_key"]),
        ("B,,,,office-maker,single_user,2020-01-01,,,,,,,taken-key-0123456", &["license_key"]),
        ("D,,anna,,office-maker,single_user,2020-01-01,,,,,,,", &["customer_email"]),
        ("E,,,,office-maker,single_user,2020-01-01,,,,,,,twice-key-0123456", &[]),
        ("E,,,,office-maker,single_user,2020-01-01,,,,,,,twice-key-0123456", &["license_key"]),
    ]);
    // A customer of a refused file is not remembered either.
    import(&vendor, "customer,product,deployment,starts_on,ends_on\nA,office-maker,single_user,2020-01-01,\n")
        .created();
}

#[test]
fn a_file_that_is_no_such_csv_is_refused_as_what_it_is() {
    let vendor = Vendor::start();
    vendor.product();
    import(&vendor, "customer,product,deployment,starts_on,ends_on\nC,office-maker\n")
        .refused(422, "body_invalid")
        .says("line 2");
    import(
        &vendor,
        "customer,product,deployment,starts_on,ends_on,colour,product\nC,office-maker,single_user,2020-01-01,,red,x\n",
    )
    .refused(422, "body_invalid")
    .names(&["line 1, colour", "line 1, product"]);
    import(&vendor, "customer,product\nC,office-maker\n").refused(422, "body_invalid").names(&[
        "line 1, deployment",
        "line 1, starts_on",
        "line 1, ends_on",
    ]);
    // Lines end as they do where the file was written; empty ones count as well.
    for end in ["\n", "\r\n", "\r"] {
        let lines =
            ["customer,product,deployment,starts_on,ends_on", "", "A,office-maker,single_user,2020-01-01,", "B,x"];
        import(&vendor, &lines.join(end)).refused(422, "body_invalid").names(&["line 4"]);
    }
    let call = vendor.admin.post("/api/v1/admin/subscriptions/import").header("content-type", "text/csv");
    let answer = call
        .body(b"customer,product,deployment,starts_on,ends_on\n\xff,office-maker,single_user,2020-01-01,\n".to_vec())
        .send();
    answer.refused(422, "body_invalid").says("line 2");
    let call = vendor.admin.post("/api/v1/admin/subscriptions/import").header("content-type", "application/json");
    call.body("{}").send().refused(415, "media_type_unsupported").says("text/csv");
    let large = "x".repeat((16 << 20) + 1);
    import(&vendor, &large).refused(413, "body_too_large");
    assert_eq!(counts(&vendor), (0, 0));
}

#[test]
fn an_import_with_a_million_faults_names_a_few_of_them() {
    let vendor = Vendor::start();
    let column = "x".repeat(10_000);
    for file in [",".repeat(1_000_000), format!("{},{HEAD}", column), format!("{HEAD}C,,,,{column},,,,,,,,,\n")] {
        let answer = import(&vendor, &file);
        assert!(answer.body.len() < 100_000, "{} bytes", answer.body.len());
        let refused = answer.refused(422, "body_invalid");
        assert!((1..=110).contains(&refused.fields().len()), "{}", refused.fields().len());
    }
}

#[test]
fn ten_thousand_lines_are_imported_and_checked_at_once() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    let mut file = "customer,product,deployment,starts_on,ends_on,license_key\n".to_owned();
    for number in 0..10_000 {
        file.push_str(&format!("CRM-{},office-maker,single_user,2020-01-01,,vendor-key-{number:06}\n", number / 3));
    }
    assert_eq!(import(&vendor, &file).created()["imported"], 10_000);
    for number in [0, 1, 4_999, 9_999] {
        let key = format!("vendor-key-{number:06}");
        assert_eq!(vendor.customer(&key).offered("office-maker", "12.0.0").as_deref(), Some("13.0.0"), "{key}");
    }
}
