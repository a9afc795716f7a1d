//! A million subscriptions, on either database: what the start takes, what is held in memory, what a check costs
//! against the same with a thousand; and how soon another replica answers by a change.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::blocking::Client;
use serde_json::{Value, json};
use sluice::{
    services::running::{
        copy_database::{self, Side},
        key_place::KeyPlace,
        share_keys::Vault,
    },
    signing::{EncryptionKey, EncryptionKeys},
    store::Store,
};

use crate::{
    Arguments, Outcome,
    checks::{self, CLIENTS, Pressure, SERVERS, cost},
    cluster::Cluster,
    fill::{self, Filled, Size},
    note,
    program::Program,
    start,
    table::{Aim, Rounds, Table, median, percentile},
};

/// What the vendor has, in both sizes.
const PRODUCTS: usize = 200;
const RELEASES: u64 = 10;

/// What the same is compared with.
const FEW: usize = 1_000;

/// So many different checks are sent: far more than any cache of the processor holds, and still little for `wrk`.
const CHECKS: usize = 200_000;

/// So many changes are made, and each may take so long.
const CHANGES: usize = 200;
const PATIENCE: Duration = Duration::from_secs(10);

/// What the keys in the databases are encrypted with.
const ENCRYPTION_KEY: &str = "c2x1aWNlIGJlbmNoIHNsdWljZSBiZW5jaCBzbHVpY2U=";

/// Where a server keeps its things, and what it was filled with.
pub struct Site<'f> {
    /// Its data folder.
    pub data: PathBuf,
    /// The URL of a database that is not in the folder.
    pub url: Option<String>,
    /// The checks that are sent to it.
    pub checks: PathBuf,
    /// What it was filled with.
    pub filled: &'f Filled,
}

impl Site<'_> {
    /// Starts a server with it.
    pub fn start(&self, arguments: &Arguments, processor: Option<usize>) -> Outcome<Program> {
        fs::create_dir_all(&self.data)?;
        let database = self.url.iter().flat_map(|url| {
            [("SLUICE__DATABASE__URL", url.as_str()), ("SLUICE__KEYS__ENCRYPTION_KEY", ENCRYPTION_KEY)]
        });
        Program::sluice_with(&arguments.program, &self.data, &[], processor, database)
    }
}

/// Measures all of it.
pub fn measure(table: &mut Table, arguments: &Arguments, folder: &Path) -> Outcome<()> {
    let cluster = Cluster::start()?;
    let mut filled = Vec::new();
    for (name, subscriptions) in [("many", arguments.many), ("few", FEW)] {
        note(&format!(
            "filling SQLite with {subscriptions} subscriptions, {PRODUCTS} products, {RELEASES} releases each"
        ));
        let began = Instant::now();
        let size = Size { products: PRODUCTS, releases: RELEASES, subscriptions };
        filled.push((name, fill::fill(&folder.join(name).join("data"), size)?));
        note(&format!("{:.0} s", began.elapsed().as_secs_f64()));
    }
    let (mut on_file, mut on_server) = (Vec::new(), Vec::new());
    for (name, filled) in &filled {
        let checks = folder.join(format!("checks-of-{name}"));
        fs::write(&checks, filled.some_lines(CHECKS))?;
        let url = cluster.database(name)?;
        note(&format!("copying to PostgreSQL: {name}"));
        let seconds = copy(filled, &url)?;
        if *name == "many" {
            table.figure("database copy to PostgreSQL, s", seconds, None);
        }
        cluster.settle(name)?;
        let data = folder.join(format!("{name}-on-server")).join("data");
        on_file.push(Site { data: filled.data.clone(), url: None, checks: checks.clone(), filled });
        on_server.push(Site { data, url: Some(url), checks, filled });
    }
    for (name, sites) in [("SQLite", &on_file), ("PostgreSQL", &on_server)] {
        measure_start(table, arguments, name, &sites[0])?;
        compare_checks(table, arguments, name, &sites[0], &sites[1])?;
    }
    measure_changes(table, arguments, &on_server[0], folder)
}

/// Copies what was filled into a database, as `sluice database copy` does; returns how many seconds it took.
pub fn copy(filled: &Filled, url: &str) -> Outcome<f64> {
    let source = Side {
        store: Store::open(&filled.data.join("sluice.sqlite3"))?,
        keys: KeyPlace::File(filled.data.join("keys.json"), None),
    };
    let encryption = EncryptionKeys::new(EncryptionKey::read(ENCRYPTION_KEY).ok_or("no key")?, None);
    let vault = Vault::new(Arc::new(encryption));
    let target = Side { store: Store::connect(url, 2)?, keys: KeyPlace::Database(vault) };
    let began = Instant::now();
    copy_database::copy(&source, &target, &mut |_| ())?;
    Ok(began.elapsed().as_secs_f64())
}

fn measure_start(table: &mut Table, arguments: &Arguments, name: &str, site: &Site<'_>) -> Outcome<()> {
    note(&format!("starts on {name}"));
    // What only the first start does, such as to mark the folder of the artifacts.
    drop(site.start(arguments, None)?);
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        let began = Instant::now();
        let server = site.start(arguments, None)?;
        start::answer(&server.address)?;
        times.push(began.elapsed().as_secs_f64());
        memory.push(server.resident_megabytes()?);
    }
    note(&format!("{times:.2?} s, {memory:.0?} MB"));
    let many = arguments.many;
    table.figure(&format!("{name}: first answer with {many} subscriptions, s"), median(times), None);
    table.figure(&format!("{name}: memory then, MB"), median(memory), None);
    Ok(())
}

/// What a check costs among many subscriptions, against the same among few.
fn compare_checks(
    table: &mut Table,
    arguments: &Arguments,
    name: &str,
    many: &Site<'_>,
    few: &Site<'_>,
) -> Outcome<()> {
    let servers = (many.start(arguments, Some(SERVERS))?, few.start(arguments, Some(SERVERS))?);
    for (server, site) in [(&servers.0, many), (&servers.1, few)] {
        checks::verify(server, site.filled, 20)?;
    }
    note(&format!("checks on {name}, among many and among few"));
    let pressure =
        Pressure { connections: 32, pause_milliseconds: 0, seconds: arguments.seconds, processor: Some(CLIENTS) };
    let warm = Pressure { seconds: 1, ..pressure };
    cost(&servers.0, &many.checks, warm)?;
    cost(&servers.1, &few.checks, warm)?;
    let (mut processor, mut rate) = (Rounds::default(), Rounds::default());
    for round in 1..=arguments.rounds {
        let (ours, our_rate) = cost(&servers.0, &many.checks, pressure)?;
        let (theirs, their_rate) = cost(&servers.1, &few.checks, pressure)?;
        note(&format!(
            "round {round}: {ours:.2} against {theirs:.2} µs a check, {our_rate:.0} against {their_rate:.0} a second, {:.2}",
            our_rate / their_rate
        ));
        processor.add(ours, theirs);
        rate.add(our_rate, their_rate);
    }
    let among = format!("among {} (among {FEW})", arguments.many);
    table.compared(&format!("{name}: checks a second {among}"), &rate, Some(Aim::AtLeast(0.9)));
    table.compared(&format!("{name}: check, processor µs {among}"), &processor, None);
    Ok(())
}

/// How long after the answer to a change another replica answers by it.
fn measure_changes(table: &mut Table, arguments: &Arguments, site: &Site<'_>, folder: &Path) -> Outcome<()> {
    note("changes, followed by another replica");
    // A folder of its own for the other one, which has to look like that of the first.
    let data = folder.join("replica").join("data");
    fs::create_dir_all(data.join("artifacts"))?;
    for entry in fs::read_dir(site.data.join("artifacts"))?.flatten() {
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), data.join("artifacts").join(entry.file_name()))?;
        }
    }
    let other = Site { data, url: site.url.clone(), checks: site.checks.clone(), filled: site.filled };
    let (first, second) = (site.start(arguments, None)?, other.start(arguments, None)?);
    let client = Client::new();
    let step = (site.filled.checks.len() / CHANGES).max(1);
    let mut times = Vec::new();
    for ((target, key), id) in site.filled.checks.iter().zip(&site.filled.subscriptions).step_by(step).take(CHANGES) {
        let suspend = format!("http://{}/api/v1/admin/subscriptions/{id}/suspend", first.address);
        let suspend = client.post(suspend).header("authorization", &site.filled.authorization).json(&json!({}));
        suspend.send()?.error_for_status()?;
        let answered = Instant::now();
        loop {
            let check = client.get(format!("http://{}{target}", second.address));
            let answer: Value = check.header("authorization", format!("License {key}")).send()?.json()?;
            if answer["status"] == "not_entitled" {
                break;
            }
            if answered.elapsed() > PATIENCE {
                return Err(format!("the other replica did not follow a change in {PATIENCE:?}: {answer}").into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        times.push(answered.elapsed().as_secs_f64() * 1e3);
    }
    let what = format!("PostgreSQL: {} changes, answered by the other replica after ms", times.len());
    table.figure(&format!("{what}, p50"), percentile(&times, 50), None);
    table.figure(&format!("{what}, p99"), percentile(&times, 99), Some(Aim::AtMost(2000.0)));
    Ok(())
}
