//! Tests of mails that are made from more than one text.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::date};
use uuid::Uuid;

use super::*;
use crate::domain::{
    channel::Channels,
    id::{InstallationId, ProductId, ReleaseId, RunId},
    platform::Component,
    product::ExpiryPolicy,
    release::{Access, ReleaseState, Severity},
    rollout::Rollout,
    run::{Failure, FailureClass, Stage},
    zone::Zone,
};
use crate::services::telling::help::Help;

fn read<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a value")
}

fn product(locale: &str) -> Product {
    Product {
        id: ProductId(Uuid::nil()),
        slug: read("office-maker"),
        name: read("Office Maker"),
        channels: Channels::new(vec![read("stable")]).expect("channels"),
        default_locale: read(locale),
        help_url: Some(read("https://vendor.example/help")),
        renew_url: None,
        expiry_policy: ExpiryPolicy::None,
        min_supported_version: None,
        timezone: Zone::utc(),
        required_artifacts: Vec::new(),
        required_locales: Vec::new(),
        two_person_rule: false,
        revision: 1,
    }
}

fn release() -> Release {
    Release {
        id: ReleaseId(Uuid::nil()),
        product: ProductId(Uuid::nil()),
        version: read("13.0.0"),
        channel: read("stable"),
        state: ReleaseState::Published,
        published_at: Some(Timestamp::UNIX_EPOCH),
        severity: Severity::Normal,
        access: Access::Subscribers,
        min_from: None,
        compatible_clients: None,
        notes: BTreeMap::new(),
        rollout: Rollout { reason: Some("3 of 10 updates failed".to_owned()), ..Rollout::default() },
        yank_reason: None,
        artifacts: Vec::new(),
        created_at: Timestamp::UNIX_EPOCH,
        manifest_revision: 1,
        revision: 1,
        announced_at: None,
    }
}

fn failed_run() -> Run {
    let error = Failure { class: FailureClass::Migration, code: "E-1".to_owned(), message: "sent by it".to_owned() };
    Run {
        id: RunId(Uuid::nil()),
        product: ProductId(Uuid::nil()),
        subscription: None,
        installation: InstallationId(Uuid::nil()),
        component: Component::Server,
        from_version: read("12.0.0-sent"),
        to_version: read("13.0.0+sent"),
        stage: Stage::Ended,
        outcome: Some(Outcome::Failed),
        error: Some(error),
        error_stage: Stage::Ended,
        scheduled_for: None,
        notify_email: Some("anna@example.com".to_owned()),
        locale: None,
        at: None,
        first_reported_at: Timestamp::UNIX_EPOCH,
        last_reported_at: Timestamp::UNIX_EPOCH,
        release: None,
        has_vote: false,
        downloaded_at: None,
        ended_at: None,
        lost_at: None,
        data_loss_at: None,
        known_problem: None,
    }
}

#[test]
fn a_known_problems_remedy_goes_before_the_products_help() {
    let (product, release, run) = (product("en"), release(), failed_run());
    let body = |help: Option<&Help>| run_ended(&product, &release, &run, Outcome::Failed, help).body;
    let plain = body(None);
    assert!(plain.contains("https://vendor.example/help") && !plain.contains("sent by it"), "{plain}");
    assert!(!plain.contains("E-1") && !plain.contains("-sent") && !plain.contains("+sent"), "{plain}");
    let help = |url| Help { text: "Free some space on the disk.".to_owned(), locale: "en".to_owned(), url };
    let remedied = body(Some(&help(Some(read("https://vendor.example/kb/7")))));
    assert!(remedied.contains("Free some space") && remedied.contains("/kb/7"), "{remedied}");
    assert!(!remedied.contains("https://vendor.example/help"), "{remedied}");
    assert!(body(Some(&help(None))).contains("https://vendor.example/help"));
    let done = run_ended(&product, &release, &run, Outcome::Succeeded, Some(&help(None))).body;
    assert!(!done.contains("vendor.example"), "{done}");
}

#[test]
fn staff_learn_of_a_halt_and_why_in_the_products_language() {
    for (locale, words) in
        [("en", "was halted"), ("it", "è stata interrotta"), ("fr", "a été interrompu"), ("de", "angehalten")]
    {
        let Words { subject, body } = release_halted(&product(locale), &release());
        assert!(subject.contains("Office Maker 13.0.0"), "{subject}");
        assert!(body.contains(words) && body.contains("3 of 10 updates failed"), "{body}");
    }
}

#[test]
fn of_many_endings_some_are_named() {
    let ending = |number: u32| Ending {
        days: 7,
        customer: format!("Customer {number}"),
        product: read("Office Maker"),
        ends_on: date(2030, 3, 8),
        renews: number.is_multiple_of(2),
    };
    let named: Vec<_> = (0..3).map(ending).collect();
    let Words { subject, body } = endings("en", &named, 10);
    assert_eq!(subject, "Subscriptions ending soon: 10");
    assert!(body.contains("- Customer 2, Office Maker: ends on 8 March 2030 (in 7 days), to be renewed\n"), "{body}");
    assert!(body.ends_with("\n\nAnd 7 more subscriptions.\n"), "{body}");
    assert!(!endings("en", &named, 3).body.contains("more"));
}
