//! Published releases steered: what yank, restore, pause, resume, percentage and promotion do to the next check and to
//! downloads.

use serde_json::{Value, json};

use crate::harness::{Actor, Customer, Vendor};

fn url(customer: &Customer) -> String {
    customer.checked("office-maker", "12.0.0", &[]).link().to_owned()
}

fn reason(customer: &Customer, version: &str) -> Option<String> {
    customer.checked("office-maker", version, &[]).reason
}

#[test]
fn a_yanked_release_has_no_offers_or_links_until_restored() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("12.9.0").publish();
    let published = office.release("13.0.0").percent(100.0).publish();
    let customer = office.sell("single_user").customer;
    let link = url(&customer);
    let yanked = office.steer("13.0.0", "yank", &json!({"reason": "it loses files"}));
    assert_eq!((&yanked["state"], &yanked["yank_reason"]), (&json!("yanked"), &json!("it loses files")));
    assert_eq!(customer.offered("office-maker", "12.0.0").as_deref(), Some("12.9.0"));
    customer.get(&link).send().refused(403, "url_withdrawn");
    customer.head(&link).send().expect(403);
    customer.get(&link).header("range", "bytes=1-").send().refused(403, "url_withdrawn");
    // Who runs it is told, and brought further as soon as there is something.
    let on_it = customer.checked("office-maker", "13.0.0", &[]);
    assert_eq!((on_it.reason.as_deref(), on_it.current.yanked), (Some("current_yanked"), true));
    office.release("13.0.1").publish();
    let on_it = customer.checked("office-maker", "13.0.0", &[]);
    assert_eq!((on_it.version(), on_it.offer().mandatory), (Some("13.0.1"), true));

    let restored = office.steer("13.0.0", "restore", &Value::Null);
    assert_eq!((&restored["state"], &restored["published_at"]), (&json!("published"), &published["published_at"]));
    assert_eq!(restored["rollout"], published["rollout"]);
    assert_eq!(customer.get(&link).send().status, 200, "the link is good again");
}

#[test]
fn a_yanked_or_unknown_current_version_still_gets_its_answer() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("12.0.0").publish();
    office.release("13.0.0").publish();
    office.steer("12.0.0", "yank", &json!({"reason": "x"}));
    let customer = office.sell("single_user").customer;
    for version in ["12.0.0", "11.7.3", "0.0.0", "12.5.0-nightly.7+abc"] {
        assert_eq!(customer.offered("office-maker", version).as_deref(), Some("13.0.0"), "{version}");
    }
    assert_eq!(customer.offered("office-maker", "99.0.0"), None);
}

#[test]
fn a_paused_release_is_set_aside_and_its_downloads_go_on() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("13.0.0").publish();
    let customer = office.sell("single_user").customer;
    let link = url(&customer);
    let paused = office.steer("13.0.0", "rollout/pause", &json!({"reason": "we look into it"}));
    let said = (&paused["percent"], &paused["state"], &paused["reason"]);
    assert_eq!(said, (&json!(100), &json!("paused"), &json!("we look into it")));
    assert_eq!(reason(&customer, "12.0.0").as_deref(), Some("rollout_paused"));
    let manually = customer.checked("office-maker", "12.0.0", &[("trigger", "manual")]);
    assert_eq!(manually.reason.as_deref(), Some("rollout_paused"));
    assert_eq!(customer.get(&link).send().status, 200, "who has begun may finish");
    // Paused again, nothing changes; resumed without a body, it goes on.
    assert_eq!(office.steer("13.0.0", "rollout/pause", &json!({"reason": "again"})), paused);
    let resumed = office.steer("13.0.0", "rollout/resume", &Value::Null);
    assert_eq!((&resumed["state"], &resumed["reason"]), (&json!("running"), &Value::Null));
    assert_eq!(customer.offered("office-maker", "12.0.0").as_deref(), Some("13.0.0"));
}

#[test]
fn a_percentage_opens_a_release_to_a_share_and_never_closes_it() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("12.9.0").publish();
    office.release("13.0.0").percent(0.0).publish();
    let rollout = format!("{}/rollout", office.release_path("13.0.0"));
    let sites: Vec<_> = (0..40).map(|_| office.sell("single_user").customer).collect();
    let inside = || {
        sites.iter().map(|site| site.offered("office-maker", "12.0.0").as_deref() == Some("13.0.0")).collect::<Vec<_>>()
    };
    let set = |percent: Value| vendor.admin.put(&rollout).json(&json!({"percent": percent})).send();
    assert!(inside().iter().all(|inside| !inside));
    let manually = sites[0].checked("office-maker", "12.0.0", &[("trigger", "manual")]);
    assert_eq!(manually.version(), Some("12.9.0"), "nobody is in at 0, whoever asks");
    let mut before = inside();
    for percent in [json!(0.01), json!(25), json!(62.5), json!(99.99), json!(100)] {
        assert_eq!(set(percent.clone()).ok()["percent"].as_f64(), percent.as_f64());
        let now = inside();
        assert!(before.iter().zip(&now).all(|(before, now)| !before || *now), "raising takes nobody out");
        before = now;
        let manually = sites[0].checked("office-maker", "12.0.0", &[("trigger", "manual")]);
        assert_eq!(manually.version(), Some("13.0.0"), "who asks for it gets it");
    }
    assert!(before.iter().all(|inside| *inside));
    for wrong in [json!(-1), json!(100.01), json!(12.345), json!("half"), json!(null)] {
        set(wrong).refused(422, "body_invalid").names(&["percent"]);
    }
    set(json!(10)).ok();
    let complete = office.steer("13.0.0", "rollout/complete", &Value::Null);
    assert_eq!((&complete["percent"], office.rollout("13.0.0").percent), (&json!(100), 100.0));
}

#[test]
fn a_promotion_goes_to_a_more_stable_channel_and_keeps_the_date() {
    let vendor = Vendor::start();
    let office = vendor.product();
    let published = office.release("13.0.0").with("channel", "alpha").published_at("2020-06-01T00:00:00Z").publish();
    let customer = office.sell("single_user").customer;
    assert_eq!(customer.offered("office-maker", "12.0.0"), None);
    let promote = |channel: &str| {
        vendor
            .admin
            .post(&format!("{}/promote", office.release_path("13.0.0")))
            .json(&json!({"channel": channel}))
            .send()
    };
    for wrong in ["alpha", "nightly"] {
        promote(wrong).refused(422, "body_invalid").names(&["channel"]).says(wrong);
    }
    promote("beta").ok();
    promote("alpha").refused(422, "body_invalid").names(&["channel"]);
    let promoted = promote("stable").ok();
    assert_eq!((&promoted["channel"], &promoted["published_at"]), (&json!("stable"), &published["published_at"]));
    assert_eq!(customer.offered("office-maker", "12.0.0").as_deref(), Some("13.0.0"));
    assert_eq!(promoted["manifest_revision"], 1, "the channel is not in the manifest");
}

#[test]
fn steering_outlives_a_restart() {
    let mut vendor = Vendor::start();
    let office = vendor.product();
    for version in ["12.8.0", "12.9.0", "13.0.0"] {
        office.release(version).publish();
    }
    office.steer("13.0.0", "yank", &json!({"reason": "x"}));
    office.steer("12.9.0", "rollout/pause", &json!({}));
    office.stop(Some("beta"));
    let customer = office.sell_with("single_user", &json!({"channels": ["stable", "beta"]})).customer;
    let answers = |customer: &Customer| {
        let beta = customer.checked("office-maker", "12.0.0", &[("channel", "beta")]).status;
        (customer.offered("office-maker", "12.0.0"), beta)
    };
    let before = answers(&customer);
    assert_eq!(before, (Some("12.8.0".to_owned()), "blocked".to_owned()));
    vendor.restart();
    assert_eq!(answers(&customer), before);
    vendor.kill();
    vendor.run();
    assert_eq!(answers(&customer), before);
}
