//! Mails that are not delivered, or not at once.

use serde_json::json;

use super::{mails, new_run, report, vendor, was_tried};
use crate::harness::{
    Actor as _, Vendor, eventually,
    smtp::{Manner, Smtp},
};

#[test]
fn mails_are_kept_until_there_is_an_smtp_server() {
    let mut vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("multi_user").customer;
    report(&customer, &new_run(), "anna@example.com", &json!({}));
    let kept = mails(&vendor, "state=undelivered");
    assert_eq!((kept.len(), &kept[0]["reason"]), (1, &json!("smtp_not_configured")));
    assert_eq!((&kept[0]["state"], &kept[0]["attempts"]), (&json!("undelivered"), &json!(0)));
    assert!(mails(&vendor, "state=queued").is_empty() && mails(&vendor, "kind=release_halted").is_empty());
    vendor.admin.get("/api/v1/admin/mails?state=lost").send().refused(422, "parameter_invalid");
    let metrics = vendor.anonymous().get("/metrics").send().expect(200).text();
    assert!(metrics.contains(r#"sluice_deliveries{kind="mail",state="queued"} 1"#), "{metrics}");
    // Anybody may ask, so they are not counted each time.
    report(&customer, &new_run(), "bert@example.com", &json!({}));
    let counts = |number: u32| {
        let metrics = vendor.anonymous().get("/metrics").send().expect(200).text();
        metrics.contains(&format!(r#"sluice_deliveries{{kind="mail",state="queued"}} {number}"#))
    };
    assert!(counts(1));
    eventually(15, "they are counted again", || counts(2).then_some(()));

    let smtp = Smtp::start();
    for (key, value) in smtp.settings() {
        vendor.set(key, &value);
    }
    vendor.restart();
    let mut told: Vec<_> = smtp.wait_for(2).into_iter().flat_map(|mail| mail.recipients).collect();
    told.sort();
    assert_eq!(told, ["anna@example.com", "bert@example.com"]);
}

#[test]
fn a_mail_that_waited_for_days_goes_out_only_when_staff_ask() {
    let mut vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("multi_user").customer;
    report(&customer, &new_run(), "anna@example.com", &json!({}));
    vendor.travel_to("2030-03-20T08:00:00Z");
    let smtp = Smtp::start();
    for (key, value) in smtp.settings() {
        vendor.set(key, &value);
    }
    vendor.restart();
    let old = eventually(15, "it is given up", || mails(&vendor, "state=failed").pop());
    assert!(smtp.received().is_empty());
    let path = format!("/api/v1/admin/mails/{}/retry", old["id"].as_str().unwrap());
    assert_eq!(vendor.admin.post(&path).send().ok()["state"], "queued");
    smtp.wait_for(1);
    eventually(10, "it is marked", || (mails(&vendor, "state=sent").len() == 1).then_some(()));
    vendor.admin.post(&path).send().refused(409, "mail_sent");
    let asked = vendor.admin.get("/api/v1/admin/audit?action=mail.retry").send().ok();
    let states = ["before", "after"].map(|when| asked["items"][0]["details"][when]["state"].clone());
    assert_eq!((json!(states), asked["items"].as_array().map(Vec::len)), (json!(["failed", "queued"]), Some(1)));
    let unknown = "/api/v1/admin/mails/0199a0de-0000-7000-8000-0000000000ff/retry";
    vendor.admin.post(unknown).send().refused(404, "mail_not_found");
}

#[test]
fn an_smtp_server_that_is_away_is_tried_later_and_later() {
    let smtp = Smtp::start();
    let mut vendor = vendor(&smtp, &[]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("multi_user").customer;
    smtp.leave();
    report(&customer, &new_run(), "anna@example.com", &json!({}));
    let tried = |attempts: u32| {
        eventually(15, "a try", || mails(&vendor, "state=queued").pop().filter(|mail| was_tried(mail, attempts)))
    };
    let once = tried(1);
    assert!(once["last_error"].as_str().unwrap().contains("refused"), "{once}");
    vendor.travel_to("2030-03-01T08:01:00Z");
    tried(2);
    vendor.travel_to("2030-03-01T08:03:00Z");
    let thrice = tried(3);
    assert!(thrice["next_attempt_at"].as_str().unwrap() > "2030-03-01T08:06:30Z", "{thrice}");
    // Nothing of it is in the head of the process only.
    vendor.kill();
    smtp.come();
    vendor.travel_to("2030-03-01T08:10:00Z");
    vendor.run();
    assert_eq!(smtp.wait_for(1)[0].recipients, ["anna@example.com"]);
}

#[test]
fn a_permanently_refused_mail_is_given_up_and_others_are_not() {
    let smtp = Smtp::start();
    let vendor = vendor(&smtp, &[]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("multi_user").customer;
    for (number, (to, answer)) in
        [("RCPT", "550 not this one"), (".", "554 5.7.1 not this one")].into_iter().enumerate()
    {
        smtp.behave(Manner::Answers(to, answer));
        report(&customer, &new_run(), "nobody@example.com", &json!({}));
        let given_up = || Some(mails(&vendor, "state=failed")).filter(|failed| failed.len() > number);
        let failed = &eventually(10, "it is given up", given_up)[0];
        assert_eq!((&failed["attempts"], &failed["next_attempt_at"]), (&json!(1), &json!(null)));
        assert!(failed["last_error"].as_str().unwrap().contains("not this one"), "{failed}");
    }
    smtp.behave(Manner::Answers("RCPT", "451 not now"));
    report(&customer, &new_run(), "greylisted@example.com", &json!({}));
    let waits = || mails(&vendor, "state=queued").pop().filter(|mail| was_tried(mail, 1));
    eventually(10, "it is put off", waits);
    smtp.behave(Manner::Takes);
    vendor.travel_to("2030-03-01T08:01:00Z");
    assert_eq!(smtp.wait_for(1)[0].recipients, ["greylisted@example.com"]);
}

#[test]
fn all_mails_are_tried_again_once_the_mail_server_takes_them() {
    for manner in [
        Manner::Greets("554 no service here"),
        Manner::Answers("EHLO", "550 no service for you"),
        Manner::Answers("AUTH", "535 5.7.8 wrong password"),
        Manner::Answers("AUTH", "554 account is closed"),
        Manner::Answers("MAIL", "553 this is not your address"),
        Manner::Answers("MAIL", "550 relay denied"),
        Manner::Answers("RCPT", "554 5.7.1 relay access denied"),
        Manner::Answers(".", "550 5.7.26 the sender is not authenticated"),
    ] {
        let smtp = Smtp::start();
        let url = smtp.settings()[0].1.replace("smtp://", "smtp://anna:hunter2@");
        let vendor = vendor(&smtp, &[("mail.smtp_url", &url), ("mail.staff", "anna@vendor.example")]);
        let office = vendor.product();
        office.release("13.0.0").publish();
        let customer = office.sell("multi_user").customer;
        smtp.behave(manner);
        report(&customer, &new_run(), "bert@example.com", &json!({}));
        let waits = || mails(&vendor, "").pop().filter(|mail| was_tried(mail, 1));
        assert_eq!(eventually(10, "a try", waits)["state"], "queued", "{manner:?}");
        smtp.behave(Manner::Takes);
        vendor.travel_to("2030-03-01T08:02:00Z");
        assert_eq!(smtp.wait_for(1)[0].recipients, ["bert@example.com"], "{manner:?}");
    }
}

#[test]
fn an_unusable_mail_configuration_is_refused_without_secrets() {
    for (settings, says) in [
        (vec![("mail.smtp_url", "smtp://anna:hunter2@mail.example?tls=required")], "mail.from"),
        (vec![("mail.smtp_url", "smtp://anna:hunter2@mail.example"), ("mail.from", "a@example.com")], "tls=required"),
        (vec![("mail.smtp_url", "imap://anna:hunter2@mail.example"), ("mail.from", "a@example.com")], "mail.smtp_url"),
        (
            vec![("mail.smtp_url", "smtp://anna:hunter2@mail.example?tls=never"), ("mail.from", "a@example.com")],
            "mail.smtp_url",
        ),
        (vec![("mail.smtp_url", "smtp://mail.example"), ("mail.from", "nobody")], "mail.from"),
        (vec![("mail.staff", "anna@example.com,nobody")], "mail.staff"),
    ] {
        let server = crate::harness::Server::prepare(&settings);
        let ended = server.command(&["serve"]).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && said.contains(says) && !said.contains("hunter2"), "{said}");
    }
}
