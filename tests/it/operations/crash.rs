//! The server killed at random moments, and what is there afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::harness::{
    Actor, Admin, Customer, Vendor,
    bytes::{noise, sha256},
    eventually, manifest, pages,
    stores::{Kind, stores},
};

const ROUNDS: u32 = 60;
const RELEASES: &str = "/api/v1/products/office-maker/releases";
const FILE: &str = "office.tar.gz?component=standalone&platform=linux&arch=x86_64&kind=archive";
const STAGES: [&str; 7] =
    ["scheduled", "downloading", "downloaded", "backing_up", "draining", "installing", "migrating"];

/// Chance that can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % sides
    }
}

/// Where something stands: a release (`absent`, `draft <hash>`, `published <hash>`), or a run (its stage).
type Standing = String;

/// What may be found of each thing: where it stood when the last answer came, and where it was being brought since.
#[derive(Default)]
struct Ledger(BTreeMap<String, BTreeSet<Standing>>);

impl Ledger {
    /// Does something that brings a thing to a standing, and returns whether it was answered with success.
    fn bring(&mut self, thing: &str, to: Standing, deed: impl FnOnce() -> Option<u16>) -> bool {
        self.0.entry(thing.to_owned()).or_insert_with(|| BTreeSet::from(["absent".to_owned()])).insert(to.clone());
        let Some(status) = deed() else { return false };
        assert!((200..300).contains(&status), "{thing} to {to}: {status}");
        self.0.insert(thing.to_owned(), BTreeSet::from([to]));
        true
    }

    /// Holds what was found against what may be, and goes on from there.
    fn settle(&mut self, found: &BTreeMap<String, Standing>) {
        for (thing, may_be) in &mut self.0 {
            let standing = found.get(thing).map_or("absent", String::as_str);
            assert!(may_be.contains(standing), "{thing} is {standing}, and can only be {may_be:?}");
            *may_be = BTreeSet::from([standing.to_owned()]);
        }
        for thing in found.keys() {
            assert!(self.0.contains_key(thing), "{thing} was never asked for");
        }
    }
}

/// Drafts, uploads, replaces, deletes and publishes until the server is gone.
fn publish_releases(admin: &Admin, ledger: &mut Ledger, round: u32, worker: u32, mut dice: Dice) {
    for number in 0.. {
        let version = format!("{round}.{worker}.{number}");
        let path = format!("{RELEASES}/{version}");
        let status = |call: crate::harness::actor::Call| call.try_send().map(|answer| answer.status);
        let draft = || status(admin.post(RELEASES).json(&json!({"version": version, "notes": {"en": "New."}})));
        if !ledger.bring(&version, "draft ".to_owned(), draft) {
            return;
        }
        let mut hash = String::new();
        for upload in 0..=dice.roll(3) {
            let size = usize::try_from(1 + dice.roll(400_000)).unwrap();
            // Some contents are those of other releases.
            let seed = if dice.roll(4) == 0 { "shared".to_owned() } else { format!("{version} {upload}") };
            let content = noise(if seed == "shared" { 50_000 } else { size }, &seed);
            hash = sha256(&content);
            let put = || status(admin.put(&format!("{path}/artifacts/{FILE}")).body(content));
            if !ledger.bring(&version, format!("draft {hash}"), put) {
                return;
            }
        }
        let brought = match dice.roll(3) {
            0 => ledger.bring(&version, "absent".to_owned(), || status(admin.delete(&path))),
            _ => ledger.bring(&version, format!("published {hash}"), || status(admin.post(&format!("{path}/publish")))),
        };
        if !brought {
            return;
        }
    }
}

/// Reports runs until the server is gone.
fn report_runs(customer: &Customer, ledger: &mut Ledger, round: u32) {
    for number in 0.. {
        let run = format!("0199a0de-0000-4000-8000-{round:06}{number:06}");
        for stage in STAGES {
            let report = json!({"run": run, "installation": run, "product": "office-maker", "component": "standalone",
                "from_version": "1.0.0", "to_version": "2.0.0", "stage": stage});
            let send = || customer.post("/api/v1/reports").json(&report).try_send().map(|answer| answer.status);
            if !ledger.bring(&run, stage.to_owned(), send) {
                return;
            }
        }
    }
}

/// Holds everything that the server has against its files, and against what may be there.
fn check(vendor: &Vendor, releases: &mut Ledger, runs: &mut Ledger, verified: &mut BTreeSet<String>) {
    eventually(10, "what was on its way in to be cleared away", || vendor.incoming().is_empty().then_some(()));
    let listed = pages::all(&vendor.admin, RELEASES, 200);
    let mut found = BTreeMap::new();
    let mut hashes = BTreeSet::new();
    for release in &listed {
        let version = release["version"].as_str().unwrap().to_owned();
        let files = release["artifacts"].as_array().unwrap();
        assert!(files.len() <= 1, "{release}");
        let hash = files.first().map_or("", |file| file["sha256"].as_str().unwrap());
        found.insert(version.clone(), format!("{} {hash}", release["state"].as_str().unwrap()));
        if let Some(file) = files.first() {
            hashes.insert(hash.to_owned());
            check_content(vendor, file, hash, verified);
        }
        if release["state"] == "published" && verified.insert(format!("manifest of {version}")) {
            let answer = vendor.admin.get(&format!("{RELEASES}/{version}/manifest")).send().expect(200);
            manifest::verify(vendor, &answer);
            assert_eq!(answer.json()["artifacts"][0]["sha256"], hash);
        }
    }
    releases.settle(&found);
    eventually(10, "what no artifact has to be swept away", || (vendor.contents() == hashes).then_some(()));
    let reported = pages::all(&vendor.admin, "/api/v1/admin/runs", 200);
    let stage = |run: &Value| (run["id"].as_str().unwrap().to_owned(), run["stage"].as_str().unwrap().to_owned());
    runs.settle(&reported.iter().map(stage).collect());
}

/// The file of an artifact is there, whole; looked at once.
fn check_content(vendor: &Vendor, file: &Value, hash: &str, verified: &mut BTreeSet<String>) {
    let path = vendor.content(hash);
    let size = fs::metadata(&path).unwrap_or_else(|error| panic!("{hash} is listed: {error}")).len();
    assert_eq!(file["size"], size, "{hash}");
    if verified.insert(hash.to_owned()) {
        assert_eq!(sha256(&fs::read(&path).unwrap()), hash);
    }
}

#[test]
fn a_kill_at_any_moment_leaves_no_half_artifact_and_no_orphan() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    println!("the dice's seed: {seed}");
    let mut dice = Dice(seed);
    // What a crash left is swept away at the next start, and not kept for a day.
    let mut vendor = Vendor::with(&[("storage.keep_loose", "1ms")]);
    let customer = vendor.product().sell("single_user").customer;
    let admin = vendor.admin.clone();
    let (mut releases, mut runs) = (vec![Ledger::default(), Ledger::default()], Ledger::default());
    let mut verified = BTreeSet::new();
    let started = Instant::now();
    for round in 1..=ROUNDS {
        let pause = Duration::from_micros(dice.roll(120_000));
        thread::scope(|scope| {
            for (worker, ledger) in (0..).zip(&mut releases) {
                let (admin, dice) = (&admin, Dice(seed ^ (u64::from(round) << 32) ^ (u64::from(worker) + 1)));
                scope.spawn(move || publish_releases(admin, ledger, round, worker, dice));
            }
            let (customer, runs) = (&customer, &mut runs);
            scope.spawn(move || report_runs(customer, runs, round));
            thread::sleep(pause);
            vendor.kill();
        });
        vendor.run();
        let mut all = Ledger(releases.iter_mut().flat_map(|ledger| std::mem::take(&mut ledger.0)).collect());
        check(&vendor, &mut all, &mut runs, &mut verified);
        releases[0] = all;
    }
    let published = releases[0].0.values().filter(|standing| standing.iter().any(|one| one.starts_with("published")));
    println!(
        "{ROUNDS} kills in {:?}, {} releases published, {} runs",
        started.elapsed(),
        published.count(),
        runs.0.len()
    );
    assert!(releases[0].0.len() > 50 && runs.0.len() > 50, "the kills came before anything was done");
    verified.clear();
    check(&vendor, &mut releases[0], &mut runs, &mut verified);
    if stores() == Kind::SqliteAndFiles {
        let sound: String = vendor.file().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
        let broken = vendor.file().query_row("PRAGMA foreign_key_check", [], |_| Ok(())).is_ok();
        assert!(!broken, "a foreign key leads nowhere");
    }
}
