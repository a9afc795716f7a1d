//! The server killed while reports come in, and mails and webhooks go out: what was acknowledged is there once, and
//! everybody who was to be told of it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{
    Actor as _, Vendor, eventually,
    hook::Hook,
    pages,
    smtp::Smtp,
    stores::{Kind, stores},
    vendor::Sold,
};

const KILLS: u32 = 50;
/// Updaters that report at the same time, each on a subscription of its own.
const WORKERS: u32 = 6;
const STAGES: [&str; 6] = ["scheduled", "downloading", "downloaded", "backing_up", "installing", "migrating"];
const OUTCOMES: [&str; 4] = ["succeeded", "rolled_back", "failed", "cancelled"];
const FAILURES: [&str; 2] = ["migration", "environment"];

/// What runs were last acknowledged to be.
type Acknowledged = BTreeMap<String, Standing>;

/// The stage of a run, how it ended, and what went wrong.
type Standing = (String, Value, Value);

/// What the workers and the one who kills share.
struct Game<'v> {
    sites: &'v [Sold],
    over: AtomicBool,
    /// Of each worker.
    acknowledged: Vec<Mutex<Acknowledged>>,
    answers: AtomicU32,
    /// Reports that had to be sent more than once.
    met: AtomicU32,
}

impl Game<'_> {
    /// Reports run after run, each stage in its order and again until it is acknowledged, until the game is over.
    fn report(&self, worker: u32) {
        let customer = &self.sites[worker as usize].customer;
        for number in 0.. {
            let run = format!("0199a0de-0000-4000-8000-{worker:04}{number:08}");
            let outcome = OUTCOMES[number % OUTCOMES.len()];
            // Some are not brought to an end.
            let stages = if number % 5 == 4 { &STAGES[..1 + number % STAGES.len()] } else { &STAGES[..] };
            let ends = stages.len() == STAGES.len();
            for stage in stages.iter().copied().chain(ends.then_some("ended")) {
                let outcome = if stage == "ended" { json!(outcome) } else { Value::Null };
                let error = match outcome.as_str() {
                    Some("rolled_back" | "failed") => {
                        json!({"class": FAILURES[number / 2 % FAILURES.len()], "code": "x", "message": "y"})
                    }
                    _ => Value::Null,
                };
                let report = json!({"run": run, "installation": run, "product": "office-maker", "component": "standalone",
                    "from_version": "12.0.0", "to_version": "13.0.0", "stage": stage, "outcome": outcome, "error": error,
                    "notify_email": format!("{run}@example.com")});
                let (began, mut is_met) = (Instant::now(), 0);
                loop {
                    if let Some(answer) = customer.post("/api/v1/reports").json(&report).try_send() {
                        assert_eq!(answer.status, 202, "{}", answer.text());
                        assert_eq!(answer.json()["stage"], stage, "what was acknowledged before went further");
                        break;
                    }
                    assert!(began.elapsed() < Duration::from_secs(30), "the server does not come back");
                    is_met = 1;
                    thread::sleep(Duration::from_millis(2));
                }
                self.answers.fetch_add(1, Ordering::Relaxed);
                self.met.fetch_add(is_met, Ordering::Relaxed);
                let mut acknowledged = self.acknowledged[worker as usize].lock().unwrap();
                acknowledged.insert(run.clone(), (stage.to_owned(), outcome, error));
                if self.over.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    }
}

#[test]
fn acknowledged_reports_outlive_50_kills_and_each_counts_once() {
    let (smtp, hook) = (Smtp::start(), Hook::start());
    let mut settings = smtp.settings().to_vec();
    settings.push(("webhooks.runs_per_subscription_per_day", "1000000".to_owned()));
    settings.push(("mail.per_subscription_per_day", "1000000".to_owned()));
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let mut vendor = Vendor::at("2030-03-01T08:00:00Z", &settings);
    let office = vendor.product();
    let webhook = json!({"url": hook.url(), "events": ["run.failed"]});
    let webhook = vendor.admin.post("/api/v1/admin/webhooks").json(&webhook).send().created();
    office.release("13.0.0").publish();
    let sites: Vec<Sold> = (0..WORKERS).map(|_| office.sell("single_user")).collect();
    let game = Game {
        sites: &sites,
        over: AtomicBool::new(false),
        acknowledged: (0..WORKERS).map(|_| Mutex::default()).collect(),
        answers: AtomicU32::new(0),
        met: AtomicU32::new(0),
    };
    let started = Instant::now();
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let game = &game;
            scope.spawn(move || game.report(worker));
        }
        let mut moment = 0x9E37_79B9_u32;
        for kill in 0..KILLS {
            // After some reports, and a moment that is never the same: before, within and after a commit.
            let enough = game.answers.load(Ordering::Relaxed) + kill % 24;
            eventually(30, "reports", || (game.answers.load(Ordering::Relaxed) >= enough).then_some(()));
            moment = moment.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            thread::sleep(Duration::from_micros(u64::from(moment >> 16) % 8_000));
            vendor.kill();
            vendor.run();
        }
        game.over.store(true, Ordering::Relaxed);
    });
    let (answers, met) = (game.answers.into_inner(), game.met.into_inner());
    println!("{KILLS} kills in {:?} met {met} of {answers} reports on their way", started.elapsed());
    assert!(met >= KILLS, "the kills met hardly any report: {met}");

    // What was being sent at a kill is sent again when the one who was sending it can be doing so no more.
    vendor.travel_to("2030-03-01T09:00:00Z");
    let mut expected = Acknowledged::new();
    for worker in game.acknowledged {
        expected.extend(worker.into_inner().unwrap());
    }
    check(&vendor, &expected);
    count_outcomes(&vendor, &expected);
    count_votes(&vendor, &expected);
    for queue in ["mails".to_owned(), format!("webhooks/{}/messages", webhook["id"].as_str().unwrap())] {
        let path = format!("/api/v1/admin/{queue}?state=queued");
        let is_empty = || vendor.admin.get(&path).send().ok()["items"].as_array().unwrap().is_empty();
        // What the kills broke off is tried again at once: nobody else can be trying it. On a shared database it is
        // claimed.
        eventually(180, &queue, || is_empty().then_some(()));
    }
    count_mails(&smtp, &expected);
    count_messages(&hook, &expected);
    if stores() == Kind::SqliteAndFiles {
        let sound: String = vendor.file().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
    }
}

/// Every run is there once, and just as far as was acknowledged.
fn check(vendor: &Vendor, expected: &Acknowledged) {
    let mut found = Acknowledged::new();
    for run in pages::all(&vendor.admin, "/api/v1/admin/runs", 200) {
        let standing = (run["stage"].as_str().unwrap().to_owned(), run["outcome"].clone(), run["error"].clone());
        assert!(found.insert(run["id"].as_str().unwrap().to_owned(), standing).is_none(), "twice: {run}");
    }
    let differing: Vec<_> = expected.iter().filter(|(run, standing)| found.get(*run) != Some(standing)).collect();
    assert!(differing.is_empty(), "acknowledged, and not so: {differing:#?}");
    assert_eq!(found.len(), expected.len(), "a run that nobody reported");
}

/// The server counts as many of each outcome as were acknowledged.
fn count_outcomes(vendor: &Vendor, expected: &Acknowledged) {
    for outcome in OUTCOMES {
        let listed = pages::all(&vendor.admin, &format!("/api/v1/admin/runs?outcome={outcome}"), 200).len();
        let acknowledged = expected.values().filter(|(_, ended, _)| ended == outcome).count();
        assert_eq!(listed, acknowledged, "{outcome}");
    }
}

/// Each subscription has one vote on the release: its last outcome that says something of it.
fn count_votes(vendor: &Vendor, expected: &Acknowledged) {
    let (mut succeeded, mut failed) = (0, 0);
    for worker in 0..WORKERS {
        let own = format!("0199a0de-0000-4000-8000-{worker:04}");
        let says = |(run, (_, outcome, error)): (&String, &Standing)| match outcome.as_str() {
            _ if !run.starts_with(&own) => None,
            Some("succeeded") => Some(true),
            Some("failed" | "rolled_back") if error["class"] == "migration" => Some(false),
            _ => None,
        };
        match expected.iter().rev().find_map(says) {
            Some(true) => succeeded += 1,
            Some(false) => failed += 1,
            None => {}
        }
    }
    let path = "/api/v1/products/office-maker/releases/13.0.0/rollout";
    let votes = json!({"succeeded": succeeded, "failed": failed, "data_loss": 0});
    assert_eq!(vendor.admin.get(path).send().ok()["votes"], votes);
}

/// The runs that ended so.
fn ended(expected: &Acknowledged, outcomes: &[&str]) -> BTreeSet<String> {
    let is_one =
        |(_, (_, outcome, _)): &(&String, &Standing)| outcome.as_str().is_some_and(|one| outcomes.contains(&one));
    expected.iter().filter(is_one).map(|(run, _)| run.clone()).collect()
}

/// The person who started each run got one mail. A kill between the sending and its being noted repeats that mail, and
/// it is the same one.
fn count_mails(smtp: &Smtp, expected: &Acknowledged) {
    let told = ended(expected, &["succeeded", "failed", "rolled_back"]);
    let mails = eventually(60, "the mails", || {
        let mut mails: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for mail in smtp.received() {
            let run = mail.recipients[0].split('@').next().unwrap().to_owned();
            mails.entry(run).or_default().insert(mail.message_id());
        }
        (mails.len() >= told.len()).then_some(mails)
    });
    let twice: Vec<_> = mails.iter().filter(|(_, ids)| ids.len() != 1).collect();
    assert!(twice.is_empty(), "told twice: {twice:?}");
    assert_eq!(mails.into_keys().collect::<BTreeSet<_>>(), told);
}

/// Likewise the vendor's other systems, of each run that failed.
fn count_messages(hook: &Hook, expected: &Acknowledged) {
    let told = ended(expected, &["failed", "rolled_back"]);
    let messages = eventually(60, "the messages", || {
        let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for message in hook.told() {
            let run = message.data()["run"].as_str().unwrap().to_owned();
            messages.entry(run).or_default().insert(message.id);
        }
        (messages.len() >= told.len()).then_some(messages)
    });
    let twice: Vec<_> = messages.iter().filter(|(_, ids)| ids.len() != 1).collect();
    assert!(twice.is_empty(), "told twice: {twice:?}");
    assert_eq!(messages.into_keys().collect::<BTreeSet<_>>(), told);
}
