//! Staff are told of subscriptions that are about to end.

use serde_json::json;

use super::{mails, vendor};
use crate::harness::{Actor as _, Product, eventually, server::EMAIL, smtp::Smtp};

fn sell(office: &Product<'_>, name: &str, ends_on: &str) -> String {
    let customer = office.vendor.admin.post("/api/v1/admin/customers").json(&json!({"name": name})).send().created();
    let fields = json!({"customer_id": customer["id"], "ends_on": ends_on});
    office.sell_with("single_user", &fields).path
}

#[test]
fn each_step_of_the_ladder_is_told_once() {
    let smtp = Smtp::start();
    let mut vendor = vendor(&smtp, &[]);
    let rome = json!({"timezone": "Europe/Rome"});
    let office = vendor.product_with(&rome);
    eventually(15, "nothing is to be told at first", || {
        vendor.select("SELECT value FROM settings WHERE name = 'endings_told'").pop()
    });
    sell(&office, "Sixty", "2030-05-01");
    sell(&office, "Later", "2030-05-02");
    sell(&office, "Seven", "2030-03-09");
    let stays = sell(&office, "Stays", "2030-03-09");
    vendor.admin.post(&format!("{stays}/cancel")).json(&json!({"at": "end"})).send().ok();
    let suspended = sell(&office, "Suspended", "2030-03-09");
    vendor.admin.post(&format!("{suspended}/suspend")).send().ok();
    sell(&office, "Over", "2030-02-28");
    vendor.travel_to("2030-03-02T08:00:00Z");
    let told = smtp.wait_for(1);
    assert_eq!(told[0].recipients, [EMAIL]);
    assert_eq!(told[0].subject(), "Subscriptions ending soon: 3");
    let body = told[0].body();
    assert!(body.contains("Sixty, Office Maker: ends on 1 May 2030 (in 60 days), to be renewed"), "{body}");
    assert!(body.contains("Seven, Office Maker: ends on 9 March 2030 (in 7 days), to be renewed"), "{body}");
    assert!(body.contains("Stays, Office Maker: ends on 9 March 2030 (in 7 days), was cancelled"), "{body}");
    assert!(!["Later", "Over", "Suspended"].iter().any(|name| body.contains(name)), "{body}");

    // The same day once more, and a start, tell nothing.
    vendor.travel_to("2030-03-02T20:00:00Z");
    vendor.restart();
    vendor.travel_to("2030-03-03T00:01:00Z");
    let told = smtp.wait_for(2);
    assert!(told[1].body().contains("Later") && !told[1].body().contains("Seven"), "{}", told[1].body());
    assert_eq!(mails(&vendor, "kind=subscriptions_ending").len(), 2);
}

#[test]
fn a_step_that_fell_into_a_time_away_is_told_afterwards() {
    let smtp = Smtp::start();
    let mut vendor =
        vendor(&smtp, &[("mail.staff", "desk@vendor.example,boss@vendor.example"), ("mail.ending_days", "30,7")]);
    let office = vendor.product();
    sell(&office, "Missed", "2030-04-02");
    sell(&office, "Early", "2030-04-29");
    eventually(15, "a first look", || vendor.select("SELECT value FROM settings WHERE name = 'endings_told'").pop());
    vendor.stop();
    vendor.travel_to("2030-03-20T12:00:00Z");
    vendor.run();
    let told = smtp.wait_for(2);
    let mut recipients: Vec<_> = told.iter().flat_map(|mail| mail.recipients.clone()).collect();
    recipients.sort();
    assert_eq!(recipients, ["boss@vendor.example", "desk@vendor.example"]);
    assert!(told.iter().all(|mail| mail.body().contains("Missed") && mail.body().contains("in 13 days")));
    assert!(!told[0].body().contains("Early"));
    // A kill before that is noted would send them once more.
    eventually(10, "they are marked", || mails(&vendor, "state=queued").is_empty().then_some(()));
    vendor.kill();
    vendor.run();
    vendor.travel_to("2030-03-26T12:00:00Z");
    assert!(smtp.wait_for(4)[3].body().contains("in 7 days"));
}

#[test]
fn a_mail_on_an_ending_uses_the_ending_products_language() {
    let smtp = Smtp::start();
    let vendor = vendor(&smtp, &[]);
    eventually(15, "a first look", || vendor.select("SELECT value FROM settings WHERE name = 'endings_told'").pop());
    let [english, italian] = ["en", "it"].map(|locale| {
        let slug = format!("office-maker-{locale}");
        vendor.product_with(&json!({"slug": slug, "name": "Office Maker", "default_locale": locale}))
    });
    sell(&english, "Later", "2030-03-09");
    sell(&italian, "Sooner", "2030-03-03");
    vendor.travel_to("2030-03-02T08:00:00Z");
    let told = smtp.wait_for(1);
    assert_eq!(told[0].subject(), "Abbonamenti in scadenza: 2");
    vendor.travel_to("2030-03-08T08:00:00Z");
    assert_eq!(smtp.wait_for(2)[1].subject(), "Subscriptions ending soon: 1");
}
