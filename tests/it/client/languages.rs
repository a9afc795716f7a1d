//! Texts for people: in it, fr, de and en, chosen by BCP 47 look-up (RFC 4647, section 3.4).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Actor, Vendor};

fn message(answer: &Value) -> String {
    answer["message"].as_str().expect("a message").to_owned()
}

#[test]
fn a_message_is_in_the_requested_language_or_the_nearest() {
    let vendor = Vendor::start();
    let office = vendor.product_with(&json!({"default_locale": "it"}));
    office.release("13.0.0").publish();
    let customer = office.sell("single_user").customer;
    let asked = |locale: &str| message(&customer.check("office-maker", "12.4.0", &[("locale", locale)]).ok());
    let by_header = |header: &str| {
        let path = "/api/v1/check?product=office-maker&version=12.4.0&platform=linux&arch=x86_64";
        message(&customer.get(path).header("accept-language", header).send().ok())
    };
    let [it, fr, de, en] = ["it", "fr", "de", "en"].map(asked);
    assert_eq!(BTreeSet::from([&it, &fr, &de, &en]).len(), 4, "four languages: {it} {fr} {de} {en}");
    for text in [&it, &fr, &de, &en] {
        assert!(text.contains("13.0.0"), "{text}");
    }
    for (locale, expected) in [("fr-CH", &fr), ("FR-ch", &fr), ("de-Latn-AT", &de), ("en-GB", &en), ("pt-BR", &it)] {
        assert_eq!(&asked(locale), expected, "{locale}");
    }
    for (header, expected) in [
        ("fr-CH, de;q=0.5", &fr),
        ("pt, de;q=0.5, fr;q=0.4", &de),
        ("de;q=0, fr;q=0.1", &fr),
        ("*", &it),
        ("not a language at all", &it),
        ("", &it),
    ] {
        assert_eq!(&by_header(header), expected, "{header}");
    }
}

#[test]
fn every_answer_without_an_offer_says_why_in_four_languages() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    let covered = office.sell("single_user").customer;
    let expired = office.sell_with("single_user", &json!({"ends_on": "2020-12-31"})).customer;
    let suspended = office.sell("single_user");
    vendor.admin.post(&format!("{}/suspend", suspended.path)).send().ok();
    let pinned = office.sell_with("single_user", &json!({"version_req": "^12"})).customer;
    let nobody = vendor.anonymous();
    let texts = |ask: &dyn Fn(&str) -> Value| {
        let all: BTreeSet<_> = ["it", "fr", "de", "en"].map(|locale| message(&ask(locale))).into();
        assert_eq!(all.len(), 4, "{all:?}");
        ask("en")["reason"].clone()
    };
    assert_eq!(texts(&|at| covered.check("office-maker", "13.0.0", &[("locale", at)]).ok()), Value::Null);
    assert_eq!(texts(&|at| expired.check("office-maker", "12.4.0", &[("locale", at)]).ok()), "subscription_expired");
    assert_eq!(
        texts(&|at| suspended.customer.check("office-maker", "12.4.0", &[("locale", at)]).ok()),
        "subscription_suspended"
    );
    assert_eq!(texts(&|at| pinned.check("office-maker", "12.4.0", &[("locale", at)]).ok()), "pinned");
    assert_eq!(texts(&|at| nobody.check("office-maker", "12.4.0", &[("locale", at)]).ok()), "license_required");
    office.stop(None);
    assert_eq!(texts(&|at| covered.check("office-maker", "12.4.0", &[("locale", at)]).ok()), "stopped");
}

#[test]
fn notes_say_which_language_they_are_in_release_by_release() {
    let vendor = Vendor::start();
    let office = vendor.product_with(&json!({"default_locale": "it"}));
    let notes = json!({"it": "Più veloce.", "fr": "Plus rapide.", "en": "Faster."});
    office.release("12.9.0").with("notes", notes).publish();
    office.release("13.0.0").with("notes", json!({"it": "Nuova icona.", "de": "Neues Symbol."})).publish();
    office.release("13.1.0").with("notes", json!({})).publish();
    office.release("13.2.0").with("notes", json!({"de": "Nur deutsch."})).publish();
    let customer = office.sell("single_user").customer;
    let answer = customer.check("office-maker", "12.4.0", &[("locale", "fr-CH")]).ok();
    assert_eq!(
        answer["update"]["notes"],
        json!([
            {"version": "13.2.0", "locale": "de", "markdown": "Nur deutsch."},
            {"version": "13.0.0", "locale": "it", "markdown": "Nuova icona."},
            {"version": "12.9.0", "locale": "fr", "markdown": "Plus rapide."},
        ])
    );
}
