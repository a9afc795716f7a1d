//! Webhooks: signed, tried again, replayed, rotated and disabled.

use serde_json::{Value, json};

use super::{messages, was_tried, webhook};
use crate::harness::{Actor as _, Vendor, eventually, hook::Hook};

#[test]
fn messages_are_signed_as_standard_webhooks_has_it() {
    let (vendor, hook) = (Vendor::start(), Hook::start());
    let office = vendor.product();
    let (path, secret) = webhook(&vendor, &hook, &["subscription.changed"]);
    office.sell("single_user");
    let told = &hook.wait_for(1)[0];
    assert!(told.is_signed_with(&secret), "{told:?}");
    assert!(!told.is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    let kept = eventually(10, "it is marked", || messages(&vendor, &path, "state=sent").pop());
    assert_eq!((&kept["id"], kept["payload"].as_str()), (&json!(told.id), std::str::from_utf8(&told.body).ok()));
    assert!(!vendor.admin.get(&path).send().ok().to_string().contains("whsec_"), "the secret is shown once");
    let key = secret.strip_prefix("whsec_").unwrap();
    assert!(!vendor.database_holds(key) && !vendor.log().join("\n").contains(key));

    // After a rotation both secrets are good for a day.
    let rotated = vendor.admin.post(&format!("{path}/rotate-secret")).send().ok();
    let new = rotated["secret"].as_str().unwrap();
    assert_ne!(new, secret);
    office.sell("single_user");
    let told = &hook.wait_for(2)[1];
    assert!(told.is_signed_with(new) && told.is_signed_with(&secret), "{told:?}");
}

#[test]
fn the_secret_before_is_good_for_a_day() {
    let (vendor, hook) = (Vendor::at("2030-03-01T08:00:00Z", &[]), Hook::start());
    let office = vendor.product();
    let (path, _) = webhook(&vendor, &hook, &["subscription.changed"]);
    vendor.admin.post(&format!("{path}/rotate-secret")).send().ok();
    office.sell("single_user");
    assert_eq!(hook.wait_for(1)[0].signature.split(' ').count(), 2);
    vendor.travel_to("2030-03-02T08:01:00Z");
    office.sell("single_user");
    assert_eq!(hook.wait_for(2)[1].signature.split(' ').count(), 1);
}

#[test]
fn every_attempt_and_replay_has_the_same_id_and_bytes() {
    let (mut vendor, hook) = (Vendor::at("2030-03-01T08:00:00Z", &[]), Hook::start());
    let (path, _) = webhook(&vendor, &hook, &["subscription.changed"]);
    vendor.product().sell("single_user");
    let first = hook.wait_for(1);
    eventually(10, "it is marked", || messages(&vendor, &path, "state=sent").pop());
    hook.answers(500);
    vendor.admin.patch("/api/v1/products/office-maker").json(&json!({"name": "Office Maker 2"})).send().ok();
    let id = &first[0].id;
    vendor.admin.post(&format!("{path}/messages/{id}/replay")).send().ok();
    hook.wait_for(2);
    let waits = || messages(&vendor, &path, "state=queued").pop().filter(|message| was_tried(message, 1));
    assert!(eventually(10, "a try", waits)["last_error"].as_str().unwrap().contains("500"));
    // A redirect is no success either, and leads nowhere.
    hook.answers(307);
    vendor.travel_to("2030-03-01T08:01:00Z");
    hook.wait_for(3);
    let waits = || messages(&vendor, &path, "state=queued").pop().filter(|message| was_tried(message, 2));
    eventually(10, "a second try", waits);
    hook.answers(200);
    vendor.travel_to("2030-03-01T08:03:00Z");
    vendor.restart();
    let told = hook.wait_for(4);
    assert!(told.iter().all(|one| one.id == told[0].id && one.body == told[0].body), "{told:?}");
    assert!(told[3].timestamp > told[0].timestamp, "{told:?}");
    let unknown = format!("{path}/messages/0199a0de-0000-7000-8000-0000000000ff/replay");
    vendor.admin.post(&unknown).send().refused(404, "webhook_message_not_found");
    let asked = vendor.admin.get("/api/v1/admin/audit?action=webhook_message.replay").send().ok();
    assert_eq!(asked["items"][0]["subject"], format!("webhook_message:{id}"));
    assert_eq!(asked["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn queued_deliveries_outlive_a_kill_and_are_given_up_after_days() {
    let (mut vendor, hook) = (Vendor::at("2030-03-01T08:00:00Z", &[]), Hook::start());
    let (path, _) = webhook(&vendor, &hook, &["subscription.changed"]);
    let office = vendor.product();
    hook.answers(503);
    let sold: Vec<_> = (0..5).map(|_| office.sell("single_user").id).collect();
    vendor.kill();
    vendor.run();
    hook.answers(204);
    vendor.travel_to("2030-03-01T08:01:00Z");
    let done = || Some(messages(&vendor, &path, "state=sent")).filter(|sent| sent.len() == 5);
    eventually(20, "all are told", done);
    let mut told: Vec<_> = hook.told().iter().map(|told| told.data()["id"].as_str().unwrap().to_owned()).collect();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), sold.len());

    hook.answers(503);
    vendor.product_with(&json!({"slug": "library-maker", "name": "Library Maker"})).sell("single_user");
    let mut hours = 0;
    let failed = loop {
        let waits = eventually(10, "the end of a try", || {
            let waits = messages(&vendor, &path, "state=queued").pop();
            let is_over = |waits: &Value| was_tried(waits, u32::try_from(waits["attempts"].as_u64().unwrap()).unwrap());
            waits.as_ref().is_none_or(is_over).then_some(waits)
        });
        let Some(waits) = waits else { break messages(&vendor, &path, "state=failed").pop().unwrap() };
        hours += 13;
        assert!(hours < 400, "{waits}");
        let at: jiff::Timestamp = "2030-03-01T09:00:00Z".parse().unwrap();
        let before = u32::try_from(waits["attempts"].as_u64().unwrap()).unwrap();
        vendor.travel_to(&(at + jiff::SignedDuration::from_hours(hours)).to_string());
        eventually(10, "the next try", || {
            messages(&vendor, &path, "state=queued").pop().is_none_or(|now| was_tried(&now, before + 1)).then_some(())
        });
    };
    assert!((60..=90).contains(&hours), "{hours} h: {failed}");
    assert!(failed["last_error"].as_str().unwrap().contains("503"), "{failed}");
}

#[test]
fn a_receiver_that_is_gone_is_told_no_more() {
    let (vendor, hook) = (Vendor::start(), Hook::start());
    let office = vendor.product();
    let (path, _) = webhook(&vendor, &hook, &["subscription.changed"]);
    hook.answers(410);
    office.sell("single_user");
    let disabled = || Some(vendor.admin.get(&path).send().ok()).filter(|webhook| webhook["enabled"] == false);
    eventually(10, "it is disabled", disabled);
    assert!(messages(&vendor, &path, "state=failed")[0]["last_error"].as_str().unwrap().contains("410"));
    hook.answers(204);
    office.sell("single_user");
    assert_eq!(messages(&vendor, &path, "").len(), 1, "nothing is queued for it");
    vendor.admin.patch(&path).json(&json!({"enabled": true})).send().ok();
    office.sell("single_user");
    hook.wait_for(2);
}

#[test]
fn a_receiver_that_is_away_keeps_no_other_one_waiting() {
    let (vendor, hook) = (Vendor::with(&[("webhooks.timeout", "2s")]), Hook::start());
    let office = vendor.product();
    // It takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let new = json!({"url": url, "events": ["subscription.changed"]});
    vendor.admin.post("/api/v1/admin/webhooks").json(&new).send().created();
    webhook(&vendor, &hook, &["subscription.changed"]);
    for _ in 0..20 {
        office.sell("single_user");
    }
    hook.wait_for(20);
}

#[test]
fn webhooks_are_entered_changed_and_removed() {
    let vendor = Vendor::start();
    vendor.product();
    let list = "/api/v1/admin/webhooks";
    for url in ["ftp://x.example/", "https://anna:secret@x.example/", "x.example", "https://", "mailto:a@x.example"] {
        let new = json!({"url": url, "events": ["release.yanked"]});
        vendor.admin.post(list).json(&new).send().refused(422, "body_invalid").names(&["url"]);
    }
    let new = json!({"url": "https://x.example/", "events": []});
    vendor.admin.post(list).json(&new).send().refused(422, "body_invalid").names(&["events"]);
    let new = json!({"url": "https://x.example/", "events": ["release.eaten"]});
    vendor.admin.post(list).json(&new).send().refused(422, "body_invalid").names(&["events[0]"]);
    let new = json!({"url": "https://x.example/", "events": ["release.yanked"], "product": "nothing-maker"});
    vendor.admin.post(list).json(&new).send().refused(404, "product_not_found");
    let new = json!({"url": "https://x.example/", "events": ["release.yanked", "release.published", "release.yanked"],
        "product": "office-maker"});
    let made = vendor.admin.post(list).json(&new).send().expect(201);
    let tag = made.header("etag").to_owned();
    let made = made.json();
    assert_eq!(made["events"], json!(["release.published", "release.yanked"]));
    assert_eq!((&made["product"], &made["enabled"]), (&json!("office-maker"), &json!(true)));
    let path = format!("{list}/{}", made["id"].as_str().unwrap());
    let change = json!({"url": "https://y.example/", "enabled": false});
    let changed = vendor.admin.patch(&path).header("if-match", &tag).json(&change).send().ok();
    assert_eq!((&changed["url"], &changed["enabled"]), (&json!("https://y.example/"), &json!(false)));
    vendor.admin.patch(&path).header("if-match", &tag).json(&change).send().refused(412, "precondition_failed");
    vendor.admin.patch(&path).json(&json!({"product": null})).send().refused(422, "body_invalid").names(&["product"]);
    assert_eq!(vendor.admin.get(list).send().ok()["items"], json!([changed]));
    vendor.admin.delete(&path).send().no_content();
    vendor.admin.get(&path).send().refused(404, "webhook_not_found");
    vendor.admin.get(&format!("{path}/messages")).send().refused(404, "webhook_not_found");
}
