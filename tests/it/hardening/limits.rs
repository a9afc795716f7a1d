//! How often somebody may ask: by license key, by token, by address.

use serde_json::json;

use crate::harness::{
    Actor, Answer, Server, Vendor, answer::Refused, bytes::noise, eventually, log_in, stores::Stores,
};

/// It was one too many, and says when to come again.
#[track_caller]
fn too_many(answer: Answer) -> u64 {
    let Refused { headers, .. } = answer.refused(429, "too_many_requests");
    let seconds = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds > 0);
    seconds
}

#[test]
fn a_key_that_asks_too_often_waits_and_no_other_does() {
    let vendor = Vendor::with(&[("limits.requests_per_key", "5/h")]);
    let office = vendor.product();
    let (eager, calm) = (office.sell("single_user").customer, office.sell("single_user").customer);
    for _ in 0..4 {
        eager.check("office-maker", "12.4.0", &[]).expect(200);
    }
    eager.get("/api/v1/subscription").send().expect(200);
    let wait = too_many(eager.check("office-maker", "12.4.0", &[]));
    assert!((700..=721).contains(&wait), "a fifth of an hour: {wait}");
    too_many(eager.get("/api/v1/subscription").send());
    too_many(eager.post("/api/v1/reports").json(&json!({})).send());
    calm.check("office-maker", "12.4.0", &[]).expect(200);
    vendor.anonymous().check("office-maker", "12.4.0", &[]).expect(200);
    let figures = vendor.anonymous().get("/metrics").send().text();
    assert!(figures.contains("sluice_limited_total 3"), "{figures}");
}

#[test]
fn guessing_clients_wait_and_others_at_their_address_do_not() {
    let vendor = Vendor::with(&[("limits.failures_per_address", "3/h")]);
    let customer = vendor.product().sell("single_user").customer;
    let guess = || vendor.customer("SLK-NOBODY").get("/api/v1/subscription").send();
    guess().refused(401, "license_key_unknown");
    vendor
        .person(&json!({"access_token": "a guess"}))
        .get("/api/v1/auth/me")
        .send()
        .refused(401, "authorization_invalid");
    vendor.anonymous().get("/setup?token=guess").send().refused(403, "setup_link_invalid");
    too_many(guess());
    too_many(vendor.anonymous().get("/setup?token=guess").send());
    // Who has nothing does not guess, and who is known goes on.
    vendor.anonymous().get("/api/v1/subscription").send().refused(401, "license_key_required");
    customer.check("office-maker", "12.4.0", &[]).expect(200);
    vendor.admin.get("/api/v1/auth/me").send().expect(200);
}

/// A check without a key, of which a proxy says where it comes from.
fn check_from(vendor: &Vendor, forwarded: &str) -> Answer {
    let parameters = [("product", "office-maker"), ("version", "12.4.0"), ("platform", "linux"), ("arch", "x86_64")];
    vendor.anonymous().get("/api/v1/check").query(&parameters).header("x-forwarded-for", forwarded).send()
}

#[test]
fn strangers_are_counted_by_the_address_a_trusted_proxy_names() {
    let vendor =
        Vendor::with(&[("limits.anonymous_per_address", "2/h"), ("server.trusted_proxies", "127.0.0.0/8,10.0.0.0/8")]);
    vendor.product();
    let from = |forwarded: &str| check_from(&vendor, forwarded);
    from("198.51.100.1").expect(200);
    from("198.51.100.1, 10.0.0.7").expect(200);
    too_many(from("198.51.100.1"));
    // What was there before the proxy wrote to it, anybody can have sent.
    too_many(from("192.0.2.99, 198.51.100.1"));
    from("198.51.100.2").expect(200);
    from("2a00:1:2:3::1").expect(200);
    from("[2a00:1:2:3:ffff::2]:4711").expect(200);
    too_many(from("2a00:1:2:3:8000::3"));
    from("2a00:1:2:4::1").expect(200);
}

#[test]
fn nobody_else_is_believed() {
    let vendor = Vendor::with(&[("limits.anonymous_per_address", "2/h"), ("server.trusted_proxies", "10.0.0.0/8")]);
    vendor.product();
    let from = |forwarded: &str| check_from(&vendor, forwarded);
    from("198.51.100.1").expect(200);
    from("198.51.100.2").expect(200);
    too_many(from("198.51.100.3"));
}

#[test]
fn a_token_that_asks_too_often_waits_and_no_other_does() {
    let vendor = Vendor::with(&[("limits.requests_per_token", "30/h")]);
    let office = vendor.product();
    let (runaway, calm) = (vendor.ci(&["releases:read"]), vendor.ci(&["releases:read"]));
    let list = format!("{}/releases", office.path);
    for _ in 0..30 {
        runaway.get(&list).send().expect(200);
    }
    too_many(runaway.get(&list).send());
    calm.get(&list).send().expect(200);
    vendor.admin.get(&list).send().expect(200);
}

#[test]
fn logins_are_counted_before_the_password_is_looked_at() {
    // The harness has logged in once.
    let vendor = Vendor::with(&[("limits.logins_per_address", "3/h")]);
    let wrong = json!({"email": "admin@vendor.example", "password": "a guess"});
    vendor.anonymous().post("/api/v1/auth/login").json(&wrong).send().refused(401, "login_failed");
    log_in(&vendor.anonymous()).ok();
    too_many(log_in(&vendor.anonymous()));
    vendor.admin.get("/api/v1/auth/me").send().expect(200);
}

#[test]
fn a_key_downloads_up_to_its_limit_of_files_at_once() {
    // Where clients are sent to the store there is nothing to count.
    let settings = [("limits.downloads_at_once_per_key", "2"), ("limits.downloads_at_once_per_address", "1")];
    let mut server = Server::on(Stores::new().without_s3(), &settings);
    server.run();
    let vendor = Vendor::of(server);
    let office = vendor.product();
    office.release("13.0.0").standalone(noise(40_000_000, "at once")).publish();
    let link = |customer: &dyn Fn() -> Answer| {
        let answer = customer().ok();
        answer["update"]["artifact"]["url"].as_str().expect("an offer").to_owned()
    };
    let (eager, calm) = (office.sell("single_user").customer, office.sell("single_user").customer);
    let url = link(&|| eager.check("office-maker", "12.4.0", &[]));
    let first = eager.get(&url).open();
    let second = eager.get(&url).header("range", "bytes=1000-").open();
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 206));
    too_many(eager.get(&url).send());
    eager.head(&url).send().expect(200);
    let other = link(&|| calm.check("office-maker", "12.4.0", &[]));
    calm.get(&other).header("range", "bytes=0-9").send().expect(206);
    drop(first);
    eventually(20, "a turn", || {
        let answer = eager.get(&url).header("range", "bytes=0-9").send();
        Some(answer).filter(|answer| answer.status == 206)
    });
    drop(second);
}

#[test]
fn limits_that_are_off_and_limits_that_are_none() {
    let vendor = Vendor::with(&[
        ("limits.requests_per_key", "off"),
        ("limits.anonymous_per_address", "0"),
        ("limits.failures_per_address", "off"),
    ]);
    for _ in 0..130 {
        vendor.customer("SLK-NOBODY").get("/api/v1/subscription").send().refused(401, "license_key_unknown");
    }
    for (key, value) in [("limits.requests_per_key", "often"), ("server.trusted_proxies", "10.0.0.300/8")] {
        let mut command = vendor.command(&["config"]);
        command.env(crate::harness::stores::variable(key), value);
        let ended = crate::harness::program::Ended::of(&mut command).expect(2);
        assert!(ended.stderr.contains(value), "{ended:?}");
    }
}
