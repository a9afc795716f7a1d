//! Figures for support and management.

use serde_json::{Value, json};

use crate::harness::{Actor, Customer, Vendor, eventually, vendor::Sold};

const STATS: &str = "/api/v1/admin/stats";

fn id(number: u32) -> String {
    format!("0199a0de-0000-4000-8000-{number:012}")
}

/// A check of an installation, and of whatever else is said.
fn check(customer: &impl Actor, installation: u32, version: &str, more: &[(&str, &str)]) -> Value {
    let installation = id(installation);
    let parameters: Vec<_> =
        [("installation", installation.as_str())].into_iter().chain(more.iter().copied()).collect();
    customer.check("office-maker", version, &parameters).ok()
}

fn stats(vendor: &Vendor, path: &str) -> Value {
    vendor.admin.get(&format!("{STATS}/{path}")).send().ok()
}

/// The versions of each day, with how many installations had them.
fn days(vendor: &Vendor, query: &str) -> Vec<(String, Vec<(String, i64)>)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let versions = |day: &Value| {
        let counts = day["versions"].as_array().expect("versions").iter();
        counts.map(|count| (text(&count["version"]), count["installations"].as_i64().expect("a number"))).collect()
    };
    let body = stats(vendor, &format!("adoption?{query}"));
    body["days"].as_array().expect("days").iter().map(|day| (text(&day["day"]), versions(day))).collect()
}

fn expected(days: &[(&str, &[(&str, i64)])]) -> Vec<(String, Vec<(String, i64)>)> {
    let versions =
        |counts: &[(&str, i64)]| counts.iter().map(|(version, count)| ((*version).to_owned(), *count)).collect();
    days.iter().map(|(day, counts)| ((*day).to_owned(), versions(counts))).collect()
}

/// Waits until the job that runs at the start has recorded the day. Until then the day is counted for each request.
fn is_written_down(vendor: &Vendor, day: &str, version: &str, count: u32) {
    let query = format!(
        "SELECT CAST(sum(installations) AS TEXT) AS value FROM adoption WHERE day = '{day}' AND version = '{version}' \
         HAVING sum(installations) IS NOT NULL"
    );
    let written = || (vendor.select(&query) == [count.to_string()]).then_some(());
    eventually(10, "the day is written down", written);
}

#[test]
fn versions_are_counted_day_by_day() {
    let mut vendor = Vendor::at("2030-03-01T08:00:00Z", &[("checks.sightings_every", "1h")]);
    let office = vendor.product_with(&json!({"timezone": "Europe/Rome"}));
    let (single, multi) = (office.sell("single_user").customer, office.sell("multi_user").customer);
    office.release("1.0.0").with("access", "everyone").publish();
    check(&single, 1, "12.4.0", &[]);
    check(&single, 2, "12.10.0", &[("platform", "windows")]);
    check(&multi, 3, "12.4.0", &[("component", "server")]);
    check(&vendor.anonymous(), 4, "12.4.0", &[]);
    vendor.restart();
    assert_eq!(days(&vendor, ""), expected(&[("2030-03-01", &[("12.10.0", 1), ("12.4.0", 3)])]));
    for (query, counts) in [
        ("component=server", [("12.4.0", 1)].as_slice()),
        ("platform=windows", &[("12.10.0", 1)]),
        ("deployment=single_user", &[("12.10.0", 1), ("12.4.0", 1)]),
        ("product=office-maker&deployment=multi_user&component=server&platform=linux", &[("12.4.0", 1)]),
        ("deployment=cloud", &[]),
    ] {
        let day = [("2030-03-01", counts)];
        let day = if counts.is_empty() { [].as_slice() } else { day.as_slice() };
        assert_eq!(days(&vendor, query), expected(day), "{query}");
    }

    is_written_down(&vendor, "2030-03-01", "12.4.0", 3);
    // The next day one of them has another version, which no longer has the old one.
    vendor.travel_to("2030-03-02T09:00:00Z");
    check(&single, 2, "13.0.0", &[("platform", "windows")]);
    vendor.restart();
    let first: (&str, &[(&str, i64)]) = ("2030-03-01", &[("12.10.0", 1), ("12.4.0", 3)]);
    assert_eq!(days(&vendor, ""), expected(&[first, ("2030-03-02", &[("13.0.0", 1), ("12.4.0", 3)])]));
    // What was written down at the start of the day does not stay where things change on it.
    check(&single, 1, "13.0.0", &[]);
    check(&multi, 3, "13.0.0", &[("component", "server")]);
    vendor.restart();
    let second: (&str, &[(&str, i64)]) = ("2030-03-02", &[("13.0.0", 3), ("12.4.0", 1)]);
    assert_eq!(days(&vendor, ""), expected(&[first, second]));
    is_written_down(&vendor, "2030-03-02", "13.0.0", 3);
    // Whoever has not asked for thirty days is gone.
    vendor.travel_to("2030-04-01T08:30:00Z");
    vendor.restart();
    let last: (&str, &[(&str, i64)]) = ("2030-04-01", &[("13.0.0", 3)]);
    assert_eq!(days(&vendor, "from=2030-03-01"), expected(&[first, second, last]));
    assert_eq!(days(&vendor, ""), expected(&[last]), "thirty days, unless others are asked for");
    assert_eq!(days(&vendor, "from=2030-02-01&to=2030-03-01"), expected(&[first]));
    assert_eq!(days(&vendor, "from=2030-03-01&platform=windows&to=2030-03-02").len(), 2);
    let recorded = days(&vendor, "to=2030-03-02&deployment=single_user&from=2030-03-02");
    assert_eq!(recorded, expected(&[("2030-03-02", &[("13.0.0", 2)])]));

    for query in ["from=2030-04-02&to=2030-04-01", "from=1990-01-01", "from=yesterday", "component=browser"] {
        vendor.admin.get(&format!("{STATS}/adoption?{query}")).send().refused(422, "parameter_invalid");
    }
    vendor.admin.get(&format!("{STATS}/adoption?product=nothing")).send().refused(404, "product_not_found");
}

/// Reports how a run to 13.0.0 goes.
fn report(customer: &Customer, number: u32, stage: &str, more: &Value) {
    let mut report = json!({"run": id(number), "installation": id(number), "product": "office-maker",
        "component": "standalone", "from_version": "12.4.0", "to_version": "13.0.0", "stage": stage});
    for (name, value) in more.as_object().expect("fields") {
        report[name] = value.clone();
    }
    customer.post("/api/v1/reports").json(&report).send().accepted();
}

#[test]
fn it_is_told_what_became_of_a_release_over_time() {
    let mut vendor = Vendor::at("2030-03-01T08:10:00Z", &[("checks.sightings_every", "1h")]);
    let office = vendor.product();
    office.release("13.0.0").with("access", "everyone").publish();
    office.release("14.0.0").percent(0.0).publish();
    let sites: Vec<Sold> = (0..3).map(|_| office.sell("single_user")).collect();
    let customers: Vec<Customer> = sites.iter().map(|site| site.customer.clone()).collect();
    // Two installations of one site are one site; without a key each is one.
    check(&customers[0], 1, "12.4.0", &[]);
    check(&customers[0], 2, "12.4.0", &[]);
    check(&customers[1], 3, "12.4.0", &[]);
    check(&vendor.anonymous(), 4, "12.4.0", &[]);
    check(&vendor.anonymous(), 5, "12.4.0", &[]);
    // What was offered counts although a later check, written down together with it, is offered nothing.
    check(&customers[2], 6, "12.4.0", &[]);
    check(&customers[2], 6, "13.0.0", &[]);
    check(&customers[2], 7, "13.0.0", &[]);
    vendor.restart();
    report(&customers[0], 1, "downloading", &json!({}));
    report(&customers[0], 1, "installing", &json!({}));
    let error = json!({"class": "network", "code": "x", "message": ""});
    report(&customers[1], 3, "ended", &json!({"outcome": "failed", "error": error}));
    vendor.travel_to("2030-03-01T10:59:00Z");
    report(&customers[0], 1, "ended", &json!({"outcome": "succeeded"}));
    for _ in 0..2 {
        report(
            &customers[0],
            2,
            "ended",
            &json!({"outcome": "rolled_back", "error": {"class": "migration", "code": "y", "message": ""}}),
        );
    }
    report(&customers[2], 6, "ended", &json!({"outcome": "failed"}));
    vendor.travel_to("2030-03-02T00:00:01Z");
    report(&customers[2], 7, "ended", &json!({"outcome": "cancelled"}));
    report(&customers[2], 8, "ended", &json!({"outcome": "succeeded", "to_version": "13.1.0"}));
    check(&customers[0], 1, "12.4.0", &[]);
    vendor.restart();

    let body = stats(&vendor, "rollouts/office-maker/13.0.0?bucket=hour");
    let tally = |offered, downloaded, succeeded, failed: Value, cancelled| {
        let all: i64 = failed.as_object().expect("classes").values().filter_map(Value::as_i64).sum();
        json!({"offered": offered, "downloaded": downloaded, "succeeded": succeeded, "failed": all, "failed_by_class": failed,
            "cancelled": cancelled, "lost": 0})
    };
    let at = |from: &str, mut tally: Value| {
        tally["from"] = json!(from);
        tally
    };
    assert_eq!(body["total"], tally(5, 1, 1, json!({"network": 1, "migration": 1, "unknown": 1}), 1), "{body}");
    let hours = json!([
        at("2030-03-01T08:00:00Z", tally(5, 1, 0, json!({"network": 1}), 0)),
        at("2030-03-01T10:00:00Z", tally(0, 0, 1, json!({"migration": 1, "unknown": 1}), 0)),
        at("2030-03-02T00:00:00Z", tally(0, 0, 0, json!({}), 1)),
    ]);
    assert_eq!(body["buckets"], hours);
    let by_day = stats(&vendor, "rollouts/office-maker/13.0.0");
    assert_eq!((&by_day["bucket"], &by_day["total"]), (&json!("day"), &body["total"]));
    assert_eq!(by_day["buckets"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        by_day["buckets"][0],
        at("2030-03-01T00:00:00Z", tally(5, 1, 1, json!({"network": 1, "migration": 1, "unknown": 1}), 0))
    );
    let nothing = stats(&vendor, "rollouts/office-maker/14.0.0");
    assert_eq!((&nothing["total"]["offered"], &nothing["buckets"]), (&json!(0), &json!([])));

    let get = |path: &str| vendor.admin.get(&format!("{STATS}/rollouts/{path}")).send();
    get("office-maker/99.0.0").refused(404, "release_not_found");
    get("nothing/13.0.0").refused(404, "product_not_found");
    get("office-maker/13.0.0?bucket=week").refused(422, "parameter_invalid");
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library"}));
    let (ci, _) =
        vendor.ci_with(&json!({"name": "desk", "scopes": ["subscriptions:read"], "product": "library-maker"}));
    ci.get(&format!("{STATS}/rollouts/office-maker/13.0.0")).send().refused(404, "product_not_found");
}

#[test]
fn sites_that_ask_although_they_have_expired_are_listed() {
    let mut vendor = Vendor::at("2030-03-01T08:00:00Z", &[("checks.sightings_every", "1h")]);
    let office = vendor.product_with(&json!({"timezone": "Pacific/Auckland"}));
    let sell = |fields: Value| office.sell_with("single_user", &fields);
    // It is the first of March already where the product's days are counted, until 11:00 (UTC).
    let ended = sell(json!({"ends_on": "2030-02-28"}));
    let today = sell(json!({"ends_on": "2030-03-01"}));
    let grace = sell(json!({"ends_on": "2030-02-20", "grace_days": 9}));
    let suspended = sell(json!({"ends_on": "2030-02-01"}));
    let silent = sell(json!({"ends_on": "2030-02-01"}));
    vendor.admin.post(&format!("{}/suspend", suspended.path)).send().ok();
    check(&ended.customer, 1, "12.4.0", &[]);
    check(&ended.customer, 2, "12.5.0", &[]);
    for (number, site) in [(3, &today), (4, &grace), (5, &suspended)] {
        check(&site.customer, number, "12.4.0", &[]);
    }
    vendor.restart();
    let sites = |query: &str| {
        let page = stats(&vendor, &format!("renewals?{query}"));
        let ids: Vec<_> =
            page["items"].as_array().expect("items").iter().map(|item| item["subscription_id"].clone()).collect();
        (page["total"].clone(), ids, page["next"].clone())
    };
    assert_eq!(sites(""), (json!(1), vec![json!(ended.id)], Value::Null));
    let item = stats(&vendor, "renewals")["items"][0].clone();
    assert_eq!(
        (&item["ends_on"], &item["installations"], &item["version"]),
        (&json!("2030-02-28"), &json!(2), &json!("12.5.0"))
    );
    assert_eq!((&item["customer_name"], &item["customer_id"]), (&json!("Studio Bianchi"), &ended.made["customer_id"]));
    assert_eq!(item["last_seen_at"].as_str().map(|at| &at[..16]), Some("2030-03-01T08:00"));

    // Three hours later it is the second of March there.
    vendor.travel_to("2030-03-01T11:30:00Z");
    assert_eq!(sites(""), (json!(3), vec![json!(ended.id), json!(today.id), json!(grace.id)], Value::Null));
    let first = sites("limit=2");
    assert_eq!((first.0, first.1.len()), (json!(3), 2));
    let next = first.2.as_str().expect("another page").to_owned();
    assert_eq!(sites(&format!("limit=2&after={next}")), (json!(3), vec![json!(grace.id)], Value::Null));
    vendor.travel_to("2030-03-09T08:30:00Z");
    assert_eq!(sites("seen_within_days=7").0, 0);
    assert_eq!(sites("seen_within_days=9&product=office-maker").0, 3);
    let renewed = vendor.admin.post(&format!("{}/renew", ended.path)).json(&json!({"ends_on": "2031-02-28"}));
    renewed.send().ok();
    assert_eq!(sites("").0, 2);
    assert!(!sites("").1.contains(&json!(silent.id)));
    for query in ["seen_within_days=0", "seen_within_days=4000", "after=x", "limit=0"] {
        vendor.admin.get(&format!("{STATS}/renewals?{query}")).send().refused(422, "parameter_invalid");
    }
    let (ci, _) = vendor.ci_with(&json!({"name": "desk", "scopes": ["subscriptions:read"], "product": "office-maker"}));
    assert_eq!(ci.get(&format!("{STATS}/renewals")).send().ok()["total"], 2);
}
