//! `GET /api/v1/check` over HTTP. What is decided is tested in `decisions`; here is how it is asked and told.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    Actor, Vendor,
    body::{CheckAnswer, Current},
};

const ASKED: &str = "/api/v1/check?product=office-maker&version=12.4.0&platform=linux&arch=x86_64";

#[test]
fn a_covered_program_is_offered_the_newest_release_in_full() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("12.4.0").published_at("2020-06-01T00:00:00Z").publish();
    office.release("12.9.0").publish();
    office.release("13.0.0").with("severity", "important").standalone("the program").publish();
    let sold = office.sell("single_user");

    let answer = sold.customer.checked("office-maker", "12.4", &[]);
    assert_eq!(answer.verdict(), ("update_available", None));
    assert_eq!(answer.channel, "stable");
    assert_eq!(answer.current, Current { version: "12.4.0".to_owned(), yanked: false, supported: true });
    let cover = answer.subscription.as_ref().unwrap();
    assert_eq!((cover.status.as_str(), cover.ends_on.as_deref()), ("active", Some("2099-12-31")));
    assert_eq!(cover.renew_url.as_deref(), Some("https://vendor.example/renew"));
    assert_eq!(answer.help_url.as_deref(), Some("https://vendor.example/help"));
    assert_eq!(answer.next_check_after, 6 * 60 * 60);
    assert!(answer.message.contains("13.0.0"));
    let update = answer.offer();
    assert_eq!((update.version.as_str(), update.severity.as_str()), ("13.0.0", "important"));
    assert!(!update.mandatory);
    assert_eq!(update.applies_to, "standalone");
    assert_eq!(update.path, ["13.0.0"]);
    assert_eq!(update.companions, []);
    let notes: Vec<_> = update.notes.iter().map(|note| note.version.as_str()).collect();
    assert_eq!(notes, ["13.0.0", "12.9.0"]);
    let artifact = update.artifact.as_ref().unwrap();
    assert_eq!((artifact.filename.as_str(), artifact.size), ("standalone-13.0.0-linux-x86_64.tar.gz", 11));
    assert_eq!(sold.customer.get(answer.link()).send().expect(200).text(), "the program");

    let newest = sold.customer.checked("office-maker", "13.0.0", &[]);
    assert_eq!((newest.status.as_str(), newest.update), ("up_to_date", None));
}

#[test]
fn a_server_is_offered_its_client_a_client_learns_of_its_server() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("12.4.0").file("server", "linux", "x86_64", "s").file("client", "windows", "x86_64", "c").publish();
    office.release("13.0.0").file("server", "linux", "x86_64", "S").file("client", "windows", "x86_64", "C").publish();
    let sold = office.sell("multi_user");

    let server = sold.customer.checked("office-maker", "12.4.0", &[("component", "server")]);
    assert_eq!(server.offer().applies_to, "server");
    let companion = &server.offer().companions[0];
    assert_eq!(companion.component, "client");
    assert_eq!(sold.customer.get(&companion.url).send().expect(200).text(), "C");

    let asked = [("component", "client"), ("platform", "windows"), ("server_version", "12.4.0")];
    let client = sold.customer.checked("office-maker", "12.4.0", &asked);
    assert_eq!(client.offer().applies_to, "server");
    assert_eq!(client.offer().artifact, None);
    let asked = [("component", "client"), ("platform", "windows"), ("server_version", "13.0.0")];
    let client = sold.customer.checked("office-maker", "12.4.0", &asked);
    assert_eq!((client.offer().applies_to.as_str(), client.offer().mandatory), ("client", true));

    let alone = sold.customer.checked("office-maker", "12.4.0", &[("component", "client"), ("platform", "windows")]);
    assert_eq!(alone.reason.as_deref(), Some("server_version_required"));
}

#[test]
fn the_same_check_gets_the_same_answer() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("12.9.0").publish();
    office.release("13.0.0").percent(37.5).publish();
    let customers: Vec<_> = (0..8).map(|_| office.sell("single_user").customer).collect();
    let first: Vec<_> = customers.iter().map(|one| one.offered("office-maker", "12.4.0")).collect();
    for _ in 0..20 {
        let again: Vec<_> = customers.iter().map(|one| one.offered("office-maker", "12.4.0")).collect();
        assert_eq!(again, first);
    }
    for version in first {
        assert!(version.is_some(), "those outside a stage get the release before");
    }
}

#[test]
fn the_public_address_is_configured_never_the_host_header() {
    let vendor = Vendor::with(&[("server.public_url", "https://updates.vendor.example/")]);
    let office = vendor.product();
    office.release("13.0.0").publish();
    let key = office.sell("single_user").customer;
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-forwarded-proto", "gopher"),
        ("x-original-host", "evil.example"),
    ] {
        let answer = key.get(ASKED).header(name, value).send();
        assert!(!answer.text().contains("evil") && !answer.text().contains("gopher"), "{}", answer.text());
        let answer: CheckAnswer = answer.expect(200).read_as();
        let url = answer.link();
        assert!(url.starts_with("https://updates.vendor.example/api/v1/downloads/"), "{url}");
    }
    // Also where the request names a whole address (RFC 9112, section 3.2.2).
    let link = key.checked("office-maker", "12.4.0", &[]).link().to_owned();
    assert_eq!(key.get(&link).header("host", "evil.example").send().status, 200);
}

#[test]
fn a_cloud_server_outside_its_window_waits_for_it() {
    let vendor = Vendor::start();
    let office = vendor.product();
    office.release("12.4.0").file("server", "linux", "x86_64", "s").file("client", "linux", "x86_64", "c").publish();
    office.release("13.0.0").file("server", "linux", "x86_64", "S").file("client", "linux", "x86_64", "C").publish();
    // One minute a day, half a day away.
    let start = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(12)).unwrap().to_string();
    vendor.hosting_group("tonight", &start[11..16], 1);
    vendor.hosting_group("always", "00:00", 1440);
    let waiting = office.sell_with("cloud", &json!({"hosting_group": "tonight"}));
    let server = [("component", "server")];
    let answer = waiting.customer.checked("office-maker", "12.4.0", &server);
    assert_eq!(answer.verdict(), ("deferred", Some("outside_maintenance_window")));
    // Of a window of one minute, the sites come in the first quarter.
    let opens: jiff::Timestamp = format!("{}:00Z", &start[..16]).parse().unwrap();
    let comes = answer.next_window_at.unwrap();
    assert!((0..15).contains(&comes.duration_since(opens).as_secs()), "{opens} {comes}");
    assert_eq!(answer.update, None);
    assert!((60..=6 * 60 * 60).contains(&answer.next_check_after), "{answer:?}");

    // Its window is changed, and it is open at the next check.
    let window = json!({"window": {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "duration_minutes": 1440}});
    vendor.admin.patch("/api/v1/admin/hosting-groups/tonight").json(&window).send().ok();
    let answer = waiting.customer.checked("office-maker", "12.4.0", &server);
    assert_eq!(answer.version(), Some("13.0.0"));

    let managed = waiting.customer.checked("office-maker", "12.4.0", &[("component", "client")]);
    assert_eq!(managed.status, "managed");
    let followed = [("component", "client"), ("server_version", "13.0.0")];
    let followed = waiting.customer.checked("office-maker", "12.4.0", &followed);
    assert_eq!(followed.version(), Some("13.0.0"));
}

/// Writers and checkers race: what a check answers may only be what held at some moment between its start and its end.
#[test]
fn a_write_holds_for_every_check_started_after_its_response() {
    // As fast as it goes, with one key.
    let vendor = Vendor::with(&[("limits.requests_per_key", "off")]);
    let office = vendor.product();
    office.release("12.9.0").publish();
    office.release("13.0.0").publish();
    let sold = office.sell("single_user");
    let spare = office.sell("single_user");
    // The writers' turns: even while on, odd while a write is under way.
    let turns = [const { AtomicU64::new(0) }; 3];
    let (enough, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let checks = AtomicU64::new(0);
    thread::scope(|scope| {
        let write = |number: usize, on: &(dyn Fn() + Sync), off: &(dyn Fn() + Sync)| {
            let mut rounds = 0;
            while rounds < 60 || !enough.load(Ordering::SeqCst) {
                rounds += 1;
                for action in [off, on] {
                    turns[number].fetch_add(1, Ordering::SeqCst);
                    action();
                    turns[number].fetch_add(1, Ordering::SeqCst);
                }
            }
        };
        let yank = || drop(office.steer("13.0.0", "yank", &json!({"reason": "a test"})));
        let restore = || drop(office.steer("13.0.0", "restore", &Value::Null));
        let stop = || drop(office.stop(Some("stable")));
        let lift = || vendor.admin.delete(&format!("{}/stop?channel=stable", office.path)).send().no_content();
        let set_aside = || drop(vendor.admin.post(&format!("{}/suspend", spare.path)).send().ok());
        let take_up = || drop(vendor.admin.post(&format!("{}/resume", spare.path)).send().ok());
        let writers = [
            scope.spawn(move || write(0, &restore, &yank)),
            scope.spawn(move || write(1, &lift, &stop)),
            scope.spawn(move || write(2, &take_up, &set_aside)),
        ];
        // What was the state of a writer's thing through a whole check: on, off, or unknown because it was being
        // changed?
        let state =
            |before: u64, after: u64| (before == after && before.is_multiple_of(2)).then_some(before.is_multiple_of(4));
        let (turns, done, checks) = (&turns, &done, &checks);
        let checkers = [&sold.customer, &spare.customer, &sold.customer, &spare.customer].map(|program| {
            let suspended = std::ptr::eq(program, &spare.customer);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    let before: Vec<_> = turns.iter().map(|turn| turn.load(Ordering::SeqCst)).collect();
                    let answer = program.checked("office-maker", "12.4.0", &[]);
                    let after: Vec<_> = turns.iter().map(|turn| turn.load(Ordering::SeqCst)).collect();
                    checks.fetch_add(1, Ordering::Relaxed);
                    let now = |number: usize| state(before[number], after[number]);
                    let (status, offered) = (answer.status.as_str(), answer.version());
                    if now(1) == Some(false) {
                        assert_eq!(status, "blocked", "{answer:?}");
                    }
                    if now(1) != Some(true) {
                        continue;
                    }
                    assert_ne!(status, "blocked", "{answer:?}");
                    match if suspended { now(2) } else { Some(true) } {
                        Some(false) => assert_eq!(status, "not_entitled", "{answer:?}"),
                        Some(true) => match now(0) {
                            Some(true) => assert_eq!(offered, Some("13.0.0"), "{answer:?}"),
                            Some(false) => assert_eq!(offered, Some("12.9.0"), "{answer:?}"),
                            None => assert_eq!(status, "update_available", "{answer:?}"),
                        },
                        None => {}
                    }
                }
            })
        });
        // The writers go on meanwhile, and whoever finds something wrong ends.
        while checks.load(Ordering::Relaxed) < 1000
            && !checkers.iter().chain(&writers).any(thread::ScopedJoinHandle::is_finished)
        {
            thread::sleep(Duration::from_millis(1));
        }
        enough.store(true, Ordering::SeqCst);
        let ended: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::SeqCst);
        ended.into_iter().for_each(|writer| writer.unwrap());
    });
    let checks = checks.load(Ordering::Relaxed);
    assert!(checks >= 1000, "only {checks} checks raced the writers");
}

#[test]
fn an_address_that_does_not_take_the_method_says_which_it_takes() {
    let vendor = Vendor::start();
    for (method, path, allow) in [
        (Method::POST, "/api/v1/check", "GET"),
        (Method::GET, "/api/v1/reports", "POST"),
        (Method::DELETE, "/api/v1/subscription", "GET"),
        (Method::PUT, "/api/v1/products/office-maker", "GET, PATCH"),
        (Method::POST, "/api/v1/downloads/0199a0de-0000-7000-8000-000000000001/a.zip", "GET, HEAD"),
        (Method::GET, "/api/v1/auth/login", "POST"),
        (Method::PATCH, "/api/v1/products/office-maker/stop", "GET, PUT, DELETE"),
        (Method::TRACE, "/livez", "GET"),
    ] {
        let refused = vendor.admin.call(method.clone(), path).send().refused(405, "method_not_allowed");
        assert_eq!(refused.headers["allow"], allow, "{method} {path}");
    }
    vendor.admin.get("/api/v1/nothing").send().refused(404, "not_found").says("/api/v1/nothing");
    vendor.admin.get("/").send().refused(404, "not_found");
}
