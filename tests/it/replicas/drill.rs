//! The failure drill: two replicas on PostgreSQL and S3 under a load of checks, reports, uploads and changes, while one
//! part after the other fails. Counted: checks that failed on a replica that lived, acknowledged writes that are gone,
//! reports that are lost or doubled, and how long a replica was behind once it could know better.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{IN_STEP, in_step};
use crate::harness::{
    Actor, Admin, Ci, Customer, S3, Server, Vendor,
    bytes::{noise, sha256},
    cluster::Cluster,
    database::Admin as DatabaseAdmin,
    pages,
};

/// How long PostgreSQL and the S3 server are away.
const AWAY: Duration = Duration::from_secs(20);
/// How long a replica is halted.
const HALTED: Duration = Duration::from_secs(10);

/// What the load has seen.
#[derive(Default)]
struct Seen {
    over: AtomicBool,
    checks: AtomicUsize,
    stale: AtomicUsize,
    /// Checks that were not answered as they must be, by replica, with the moment they were sent and ended.
    failed: Mutex<Vec<(usize, Instant, Instant, String)>>,
    /// Runs that were answered with 202.
    reported: Mutex<Vec<Uuid>>,
    refused: AtomicUsize,
    /// Files that were answered with 201: the version they are of, and their hash.
    uploaded: Mutex<BTreeMap<String, String>>,
    /// Customers that were answered with 201.
    added: Mutex<Vec<String>>,
}

impl Seen {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::SeqCst)
    }
}

fn check(customer: &Customer) -> Option<crate::harness::Answer> {
    let question = [("product", "office-maker"), ("version", "12.0.0"), ("platform", "linux"), ("arch", "x86_64")];
    customer.get("/api/v1/check").query(&question).try_send()
}

/// Checks, one after the other.
fn keep_checking(seen: &Seen, replica: usize, customer: &Customer) {
    while seen.goes_on() {
        let sent = Instant::now();
        let answer = check(customer);
        let is_good = answer
            .as_ref()
            .is_some_and(|answer| answer.status == 200 && answer.json()["update"]["version"] == json!("13.0.0"));
        seen.checks.fetch_add(1, Ordering::Relaxed);
        if answer.as_ref().is_some_and(|answer| answer.headers.contains_key("sluice-stale")) {
            seen.stale.fetch_add(1, Ordering::Relaxed);
        }
        if !is_good {
            let failure = (replica, sent, Instant::now(), format!("{answer:?}"));
            seen.failed.lock().unwrap().push(failure);
        }
        thread::sleep(Duration::from_millis(3));
    }
}

/// Reports as an updater does: each one again and again until it is taken.
fn keep_reporting(seen: &Seen, customers: &[Customer]) {
    while seen.goes_on() {
        let run = Uuid::new_v4();
        let report = json!({"run": run, "installation": Uuid::new_v4(), "product": "office-maker",
            "component": "standalone", "from_version": "12.0.0", "to_version": "13.0.0", "stage": "downloading"});
        for customer in customers.iter().cycle() {
            match customer.post("/api/v1/reports").json(&report).try_send() {
                Some(answer) if answer.status == 202 => {
                    seen.reported.lock().unwrap().push(run);
                    break;
                }
                // A replica that wakes finds that the time of this connection is up.
                Some(answer) if answer.status == 408 => {}
                Some(answer) => {
                    assert_eq!(answer.status, 503, "{answer:?}");
                    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
                    seen.refused.fetch_add(1, Ordering::Relaxed);
                }
                None => {}
            }
            if !seen.goes_on() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Uploads files into drafts, as several pipelines would.
fn keep_uploading(seen: &Seen, pipelines: &[Ci]) {
    for (number, ci) in pipelines.iter().cycle().enumerate() {
        if !seen.goes_on() {
            return;
        }
        let version = format!("20.0.{number}");
        let content = noise(300_000, &version);
        let releases = "/api/v1/products/office-maker/releases";
        let _ = ci.post(releases).json(&json!({"version": version})).try_send();
        let path =
            format!("{releases}/{version}/artifacts/program.bin?component=standalone&platform=linux&arch=x86_64");
        if ci.put(&path).body(content.clone()).try_send().is_some_and(|answer| answer.status == 201) {
            seen.uploaded.lock().unwrap().insert(version, sha256(&content));
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Adds customers.
fn keep_adding(seen: &Seen, people: &[Admin]) {
    for (number, admin) in people.iter().cycle().enumerate() {
        if !seen.goes_on() {
            return;
        }
        let name = format!("Customer {number}");
        let answer = admin.post("/api/v1/admin/customers").json(&json!({"name": name})).try_send();
        if answer.is_some_and(|answer| answer.status == 201) {
            seen.added.lock().unwrap().push(name);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// A subscription is suspended through one replica, as soon as that can be; returns when it was.
fn suspend(admin: &Admin, subscription: &str) -> Instant {
    let began = Instant::now();
    loop {
        let path = format!("/api/v1/admin/subscriptions/{subscription}/suspend");
        if admin.post(&path).json(&json!({})).try_send().is_some_and(|answer| answer.status == 200) {
            return Instant::now();
        }
        assert!(began.elapsed() < Duration::from_secs(20), "writes do not work again");
        thread::sleep(Duration::from_millis(50));
    }
}

/// How long it takes from a moment until a replica knows of a suspension.
fn behind(customer: &Customer, since: Instant) -> Duration {
    loop {
        let answer = check(customer).filter(|answer| answer.status == 200);
        if answer.is_some_and(|answer| answer.json()["status"] == "not_entitled") {
            return since.elapsed();
        }
        assert!(since.elapsed() < Duration::from_secs(20), "the replica stays behind");
        thread::sleep(Duration::from_millis(5));
    }
}

fn sell(vendor: &Vendor, buyer: &str) -> (String, String) {
    let sold = json!({"customer_id": buyer, "product": "office-maker", "deployment": "single_user",
        "starts_on": "2020-01-01", "ends_on": "2099-12-31"});
    let made = vendor.admin.post("/api/v1/admin/subscriptions").json(&sold).send().created();
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    (text("id"), text("license_key"))
}

#[test]
fn no_check_fails_and_nothing_is_lost_whatever_part_fails() {
    let mut cluster = Cluster::start(&[]);
    DatabaseAdmin::at(&cluster.url()).execute("CREATE DATABASE sluice");
    let mut s3 = S3::start();
    let url = cluster.url().replace("/postgres?", "/sluice?");
    let mut settings = s3.settings();
    settings.extend([("database.url", url), ("downloads.mode", "proxy".to_owned())]);
    // A few keys stand for thousands of programs here.
    settings.push(("limits.requests_per_key", "off".to_owned()));
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let start = || {
        let mut server = Server::prepare(&settings);
        server.run();
        let vendor = Vendor::of(server);
        vendor.announce_errors("cannot be used");
        vendor
    };
    let (mut first, second) = (start(), start());
    let office = first.product();
    office.release("13.0.0").standalone("the program").publish();
    let buyer = first.buyer();
    let (_, key) = sell(&first, &buyer);
    let watched: Vec<_> = (0..3).map(|_| sell(&first, &buyer)).collect();
    let scopes = ["releases:write"];
    let token = json!({"name": "drill", "scopes": scopes});
    let (pipeline, made) = first.ci_with(&token);
    let bearer = format!("Bearer {}", made["token"].as_str().expect("a token"));
    let pipelines = [pipeline, Ci(second.anonymous().line().with(bearer))];
    let customers = [first.customer(&key), second.customer(&key)];
    let people = [first.admin.clone(), second.admin.clone()];
    drop(office);
    in_step("a release", || {
        check(&customers[1]).is_some_and(|answer| answer.status == 200 && answer.json()["status"] == "update_available")
    });

    let seen = Arc::new(Seen::default());
    let mut threads = Vec::new();
    for (replica, customer) in customers.iter().enumerate() {
        for _ in 0..2 {
            let (seen, customer) = (Arc::clone(&seen), customer.clone());
            threads.push(thread::spawn(move || keep_checking(&seen, replica, &customer)));
        }
        let (seen, customers) = (Arc::clone(&seen), customers.clone());
        threads.push(thread::spawn(move || keep_reporting(&seen, &customers)));
    }
    let (told, files) = (Arc::clone(&seen), pipelines.clone());
    threads.push(thread::spawn(move || keep_uploading(&told, &files)));
    let (told, staff) = (Arc::clone(&seen), people.clone());
    threads.push(thread::spawn(move || keep_adding(&told, &staff)));
    thread::sleep(Duration::from_secs(2));

    // One replica is killed, and started again.
    let killed = Instant::now();
    first.kill();
    thread::sleep(Duration::from_secs(3));
    first.run();
    let back = Instant::now();
    thread::sleep(Duration::from_secs(1));

    // PostgreSQL is away.
    cluster.stop();
    thread::sleep(AWAY);
    cluster.run();
    let after_the_database = behind(&second.customer(&watched[0].1), suspend(&people[0], &watched[0].0));

    // The S3 server is away.
    s3.stop();
    thread::sleep(AWAY);
    s3.run();
    let after_the_store = behind(&first.customer(&watched[1].1), suspend(&people[1], &watched[1].0));

    // A replica is halted, and goes on.
    let halted = Instant::now();
    kill(second.pid(), Signal::SIGSTOP).expect("a signal");
    thread::sleep(HALTED / 2);
    suspend(&people[0], &watched[2].0);
    thread::sleep(HALTED / 2);
    let goes_on = Instant::now();
    kill(second.pid(), Signal::SIGCONT).expect("a signal");
    let after_the_halt = behind(&second.customer(&watched[2].1), goes_on);
    thread::sleep(Duration::from_secs(2));

    seen.over.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().expect("a part of the load");
    }
    let failed = seen.failed.lock().unwrap();
    // A dead or halted replica cannot answer. When it wakes, it answers 408 on connections that have timed out; these
    // answers count as part of the halt.
    let out = [(0, killed, back), (1, halted, goes_on + Duration::from_secs(1))];
    let counted: Vec<_> = failed
        .iter()
        .filter(|(replica, sent, ended, _)| {
            !out.iter().any(|(which, from, until)| which == replica && sent <= until && ended >= from)
        })
        .collect();
    let reported = seen.reported.lock().unwrap();
    let (lost, doubled) = compare_runs(&second, &reported);
    let uploads = seen.uploaded.lock().unwrap();
    let added = seen.added.lock().unwrap();
    let gone = lost_files(&second, &uploads) + lost_customers(&second, &added);
    println!(
        "checks: {} answered, {} said that they may be stale, {} failed on a living replica\n\
         reports: {} taken ({} refused with 503 and sent again), {lost} lost, {doubled} doubled\n\
         writes: {} files and {} customers acknowledged, {gone} lost\n\
         behind: {after_the_database:?} after the database's outage, {after_the_store:?} after the store's, \
         {after_the_halt:?} after the halt",
        seen.checks.load(Ordering::Relaxed),
        seen.stale.load(Ordering::Relaxed),
        counted.len(),
        reported.len(),
        seen.refused.load(Ordering::Relaxed),
        uploads.len(),
        added.len(),
    );
    assert!(counted.is_empty(), "{counted:?}");
    assert_eq!((lost, doubled, gone), (0, 0, 0));
    assert!(seen.stale.load(Ordering::Relaxed) > 0, "nobody was told during the outage");
    assert!(reported.len() > 50 && uploads.len() > 5 && added.len() > 20, "hardly any load");
    for time in [after_the_database, after_the_store, after_the_halt] {
        assert!(time <= IN_STEP, "{time:?}");
    }
}

/// How many of the runs are not there, and how many are there more than once.
fn compare_runs(vendor: &Vendor, reported: &[Uuid]) -> (usize, usize) {
    let mut there: BTreeMap<String, usize> = BTreeMap::new();
    for run in pages::all(&vendor.admin, "/api/v1/admin/runs", 200) {
        *there.entry(text(&run, "id")).or_default() += 1;
    }
    let lost = reported.iter().filter(|run| !there.contains_key(&run.to_string())).count();
    (lost, there.values().filter(|times| **times > 1).count())
}

fn lost_files(vendor: &Vendor, uploads: &BTreeMap<String, String>) -> usize {
    let is_there = |version: &String, hash: &String| {
        let release = vendor.admin.get(&format!("/api/v1/products/office-maker/releases/{version}")).send();
        release.status == 200 && release.json()["artifacts"][0]["sha256"] == json!(hash)
    };
    uploads.iter().filter(|(version, hash)| !is_there(version, hash)).count()
}

fn lost_customers(vendor: &Vendor, added: &[String]) -> usize {
    let there: Vec<_> =
        pages::all(&vendor.admin, "/api/v1/admin/customers", 200).iter().map(|one| text(one, "name")).collect();
    added.iter().filter(|name| !there.contains(name)).count()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().expect("a text").to_owned()
}
