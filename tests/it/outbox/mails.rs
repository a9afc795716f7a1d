//! Mails to the person who started an update.

use serde_json::json;

use super::{mails, new_run, report, vendor, was_tried};
use crate::harness::{
    Actor as _, eventually,
    smtp::{Manner, Smtp},
};

const HELP: &str = "https://vendor.example/help";

#[test]
fn who_started_a_run_is_mailed_its_outcome_in_their_language() {
    let smtp = Smtp::start();
    let vendor = vendor(&smtp, &[]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("multi_user").customer;
    let failed = json!({"class": "environment", "code": "disk_full", "message": "no space"});
    for (locale, done, back, why) in [
        ("en", "You can connect again.", "The previous version has been restored", "its disk may be full"),
        ("it-CH", "è possibile collegarsi di nuovo", "La versione precedente è stata ripristinata", "disco è pieno"),
        ("fr", "Vous pouvez vous reconnecter.", "La version précédente est rétablie", "le disque est peut-être plein"),
        (
            "de",
            "Sie können sich wieder verbinden.",
            "Die vorherige Version wurde wiederhergestellt",
            "die Festplatte voll",
        ),
    ] {
        let before = smtp.received().len();
        report(&customer, &new_run(), "anna@example.com", &json!({"locale": locale}));
        let told = smtp.wait_for(before + 1);
        let mail = told.last().unwrap();
        assert!(mail.body().contains(done) && mail.body().contains("13.0.0"), "{}", mail.body());
        assert!(mail.subject().contains("Office Maker") && !mail.body().contains(HELP), "{}", mail.subject());
        let ended = json!({"locale": locale, "outcome": "rolled_back", "error": failed});
        report(&customer, &new_run(), "anna@example.com", &ended);
        let told = smtp.wait_for(before + 2);
        let body = told.last().unwrap().body();
        assert!(body.contains(back) && body.contains(why) && body.contains(HELP), "{body}");
    }
    // In none of those, the product's own language.
    report(&customer, &new_run(), "anna@example.com", &json!({"locale": "pt"}));
    let told = smtp.wait_for(9);
    let mail = told.last().unwrap();
    assert!(mail.body().contains("You can connect again."));
    assert_eq!(mail.recipients, ["anna@example.com"]);
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert!(mail.header("Content-Type").starts_with("text/plain"), "{}", mail.raw);
    let listed = eventually(10, "all are marked", || Some(mails(&vendor, "state=sent")).filter(|sent| sent.len() == 9));
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(mail.message_id(), format!("{id}@127.0.0.1"));
    assert_eq!((&listed[0]["kind"], &listed[0]["attempts"]), (&json!("run_succeeded"), &json!(1)));
}

#[test]
fn a_mail_has_nothing_in_it_that_the_sender_wrote() {
    let smtp = Smtp::start();
    let vendor = vendor(&smtp, &[]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("multi_user").customer;
    let odd = json!({"from_version": "12.0.0-buy-pills", "to_version": "13.0.0+cheap-watches", "outcome": "failed",
        "error": {"class": "internal", "code": "click-here", "message": "http://spam.example/"}});
    report(&customer, &new_run(), "anna@example.com", &odd);
    let raw = format!("{} {}", smtp.wait_for(1)[0].raw, smtp.wait_for(1)[0].body());
    for word in ["pills", "watches", "click", "spam"] {
        assert!(!raw.contains(word), "{raw}");
    }
    // No mail about an unpublished version, about a run without a subscription, or about a cancelled run.
    report(&customer, &new_run(), "anna@example.com", &json!({"to_version": "99.0.0"}));
    report(&customer, &new_run(), "anna@example.com", &json!({"outcome": "cancelled"}));
    report(&customer, &new_run(), "anna@example.com", &json!({"stage": "installing", "outcome": null}));
    let several = json!({"run": new_run(), "installation": new_run(), "product": "office-maker", "component": "server",
        "from_version": "12.4.0", "to_version": "13.0.0", "stage": "ended", "outcome": "succeeded",
        "notify_email": "anna@example.com, bert@example.com"});
    customer.post("/api/v1/reports").json(&several).send().refused(422, "body_invalid").names(&["notify_email"]);
    report(&customer, &new_run(), "bert@example.com", &json!({}));
    assert_eq!(smtp.wait_for(2)[1].recipients, ["bert@example.com"]);
    assert_eq!(mails(&vendor, "kind=run_succeeded").len(), 1);
}

#[test]
fn a_run_is_told_of_once_however_often_it_is_reported() {
    let smtp = Smtp::start();
    let mut vendor = vendor(&smtp, &[]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let (one, other) = (office.sell("multi_user"), office.sell("multi_user"));
    let (one, other) = (one.customer, other.customer);
    let run = new_run();
    for _ in 0..3 {
        report(&one, &run, "anna@example.com", &json!({}));
        report(&one, &run, "bert@example.com", &json!({"outcome": "failed"}));
    }
    smtp.wait_for(1);
    vendor.restart();
    report(&one, &run, "anna@example.com", &json!({}));
    // The same id on another subscription is another run.
    report(&other, &run, "carla@example.com", &json!({}));
    let told = smtp.wait_for(2);
    assert_eq!(
        (told[0].recipients[0].as_str(), told[1].recipients[0].as_str()),
        ("anna@example.com", "carla@example.com")
    );
    // Long after it was forgotten that it was told, nobody is told again.
    vendor.travel_to("2030-08-01T08:00:00Z");
    vendor.restart();
    eventually(15, "it is forgotten", || mails(&vendor, "").is_empty().then_some(()));
    report(&one, &run, "anna@example.com", &json!({}));
    assert!(mails(&vendor, "").is_empty());
}

#[test]
fn a_subscription_has_only_so_many_mails_a_day() {
    let smtp = Smtp::start();
    let vendor = vendor(&smtp, &[("mail.per_subscription_per_day", "3")]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let (one, other) = (office.sell("multi_user"), office.sell("multi_user"));
    for number in 0..5 {
        report(&one.customer, &new_run(), &format!("anna{number}@example.com"), &json!({}));
    }
    report(&other.customer, &new_run(), "bert@example.com", &json!({}));
    smtp.wait_for(4);
    let warned = || vendor.log().into_iter().filter(|line| line.contains("its limit of mails")).collect::<Vec<_>>();
    let warned = eventually(10, "warnings in the log", || Some(warned()).filter(|warned| warned.len() >= 2));
    assert!(warned.len() == 2 && warned.iter().all(|line| line.contains(&one.id)), "{warned:?}");
    assert!(!warned.join("").contains("anna"), "{warned:?}");
    vendor.travel_to("2030-03-02T07:59:00Z");
    report(&one.customer, &new_run(), "late@example.com", &json!({}));
    vendor.travel_to("2030-03-02T08:05:00Z");
    report(&one.customer, &new_run(), "next-day@example.com", &json!({}));
    assert_eq!(smtp.wait_for(5)[4].recipients, ["next-day@example.com"]);
}

#[test]
fn an_smtp_server_that_hangs_up_gets_the_same_mail_once_more() {
    let smtp = Smtp::start();
    let vendor = vendor(&smtp, &[]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("multi_user").customer;
    smtp.behave(Manner::HangsUp);
    report(&customer, &new_run(), "anna@example.com", &json!({}));
    smtp.wait_for(1);
    eventually(10, "it is put off", || was_tried(&mails(&vendor, "state=queued")[0], 1).then_some(()));
    smtp.behave(Manner::Takes);
    vendor.travel_to("2030-03-01T08:01:00Z");
    let told = smtp.wait_for(2);
    assert_eq!(told[0].message_id(), told[1].message_id());
    assert_eq!(told[0].body(), told[1].body());
    eventually(10, "it is marked", || (mails(&vendor, "state=sent").len() == 1).then_some(()));
}
