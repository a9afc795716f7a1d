//! Version checks: what one costs, against a bare handler that sends the same bytes; and what downloads do to them.

use std::{
    fs,
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::Value;

use crate::{
    Arguments, Outcome, bare, client,
    fill::Filled,
    note,
    program::{Program, on_processor},
    table::{Aim, Rounds, Table},
    transfers,
};

/// Answers that the bare handler sends in turn, so that their sizes are those of Sluice's.
const SAMPLES: usize = 64;

/// Where each side runs, so that neither disturbs the other more than it must.
pub const SERVERS: usize = 0;
/// See [`SERVERS`].
pub const CLIENTS: usize = 1;

/// The script that sends checks.
const CHECKS: &str = "load.lua";

/// What one run of the load generator said.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Requests that were answered.
    pub requests: u32,
    /// The time of half of them at most.
    pub median: Duration,
    /// The time of all but one in a hundred.
    pub slowest: Duration,
}

/// How the load is made.
#[derive(Clone, Copy, Debug)]
pub struct Pressure {
    /// How many connections.
    pub connections: u32,
    /// Between an answer and the next request, per connection.
    pub pause_milliseconds: u32,
    /// How long.
    pub seconds: u32,
    /// Where the load is made.
    pub processor: Option<usize>,
}

/// Sends what `script`, one of those beside this file, makes of a file of checks; nothing of it may fail.
pub fn press(address: &str, script: &str, checks: &Path, pressure: Pressure) -> Outcome<Load> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/compare").join(script);
    let output = on_processor("wrk".as_ref(), pressure.processor)
        .arg(format!("--connections={}", pressure.connections))
        .arg(format!("--duration={}s", pressure.seconds))
        .args(["--threads=1", "--timeout=10s", "--script"])
        .arg(script)
        .arg(format!("http://{address}"))
        .arg("--")
        .arg(checks)
        .arg(pressure.pause_milliseconds.to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let result = text.lines().find_map(|line| line.strip_prefix("RESULT ")).ok_or("wrk gave no result")?;
    let numbers: Vec<u32> = result.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [requests, 0, median, slowest] = numbers[..] else { return Err(format!("requests failed: {text}").into()) };
    let microseconds = |number: u32| Duration::from_micros(number.into());
    Ok(Load { requests, median: microseconds(median), slowest: microseconds(slowest) })
}

/// Microseconds of processor time per request, and requests a second.
pub fn cost(program: &Program, checks: &Path, pressure: Pressure) -> Outcome<(f64, f64)> {
    let before = program.processor_time()?;
    let load = press(&program.address, CHECKS, checks, pressure)?;
    let used = program.processor_time()? - before;
    let requests = f64::from(load.requests);
    Ok((used.as_secs_f64() * 1e6 / requests, requests / f64::from(pressure.seconds)))
}

/// Makes sure that the first checks get what they should; returns the answers.
pub fn verify(server: &Program, filled: &Filled, count: usize) -> Outcome<Vec<String>> {
    let mut answers = Vec::new();
    for (target, key) in filled.checks.iter().take(count) {
        let url = format!("http://{}{target}", server.address);
        let text = client::text(Method::GET, &url, &format!("License {key}"), None)?;
        let answer: Value = serde_json::from_str(&text)?;
        if answer["status"] != "update_available" || answer["update"]["artifact"]["url"].is_null() {
            return Err(format!("the server was not filled well: {target} got {answer}").into());
        }
        answers.push(text);
    }
    Ok(answers)
}

/// The processor time of a check against that of the bare handler.
pub fn compare(table: &mut Table, arguments: &Arguments, folder: &Path, filled: &Filled) -> Outcome<()> {
    let plain = folder.join("checks");
    fs::write(&plain, filled.lines(false))?;
    let noted = folder.join("checks-with-installation");
    fs::write(&noted, filled.lines(true))?;
    let sluice = Program::sluice(&arguments.program, &filled.data, &[], Some(SERVERS))?;
    let mut size = 0;
    fs::create_dir(folder.join(bare::ANSWERS))?;
    for (number, text) in verify(&sluice, filled, SAMPLES)?.into_iter().enumerate() {
        size += text.len();
        fs::write(folder.join(bare::ANSWERS).join(number.to_string()), text)?;
    }
    let bare = Program::bare(bare::Kind::Checks, folder, Some(SERVERS))?;

    note(&format!("checks, {} bytes an answer on average", size / SAMPLES.min(filled.checks.len()).max(1)));
    let pressure =
        Pressure { connections: 32, pause_milliseconds: 0, seconds: arguments.seconds, processor: Some(CLIENTS) };
    let warm = Pressure { seconds: 1, ..pressure };
    cost(&sluice, &plain, warm)?;
    cost(&bare, &plain, warm)?;
    let (mut processor, mut rate, mut with_installation) = (Rounds::default(), Rounds::default(), Rounds::default());
    for round in 1..=arguments.rounds {
        let (ours, our_rate) = cost(&sluice, &plain, pressure)?;
        let (theirs, their_rate) = cost(&bare, &plain, pressure)?;
        let (ours_noted, _) = cost(&sluice, &noted, pressure)?;
        // So that what was gathered is written before the next turn, and not during it.
        std::thread::sleep(Duration::from_secs(6));
        note(&format!("round {round}: {ours:.2} against {theirs:.2} µs a request, {:.2}", ours / theirs));
        processor.add(ours, theirs);
        rate.add(our_rate, their_rate);
        with_installation.add(ours_noted, theirs);
    }
    table.compared("check, processor µs a request (bare actix-web)", &processor, Some(Aim::AtMost(1.4)));
    table.compared("check, requests a second on one processor", &rate, None);
    table.compared("check that names its installation, processor µs", &with_installation, None);
    Ok(())
}

/// How long checks take while nothing else happens, and while eight large downloads run.
pub fn compare_latency(
    table: &mut Table,
    arguments: &Arguments,
    folder: &Path,
    server: &Program,
    filled: &Filled,
    url: &str,
) -> Outcome<()> {
    const DOWNLOADS: usize = 8;
    let checks = folder.join("checks");
    fs::write(&checks, filled.lines(false))?;
    let pressure = Pressure { connections: 16, pause_milliseconds: 10, seconds: arguments.seconds, processor: None };
    press(&server.address, CHECKS, &checks, Pressure { seconds: 1, ..pressure })?;
    note("checks alone, and while downloads run");
    let (mut median, mut slowest) = (Rounds::default(), Rounds::default());
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    for round in 1..=arguments.rounds {
        let alone = press(&server.address, CHECKS, &checks, pressure)?;
        let over = Arc::new(AtomicBool::new(false));
        let downloads: Vec<_> = (0..DOWNLOADS)
            .map(|_| {
                let (over, url, address) = (Arc::clone(&over), url.to_owned(), server.address.clone());
                std::thread::spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        if client::download(&address, &url).is_err() {
                            return false;
                        }
                    }
                    true
                })
            })
            .collect();
        let beside = press(&server.address, CHECKS, &checks, pressure);
        over.store(true, Ordering::Relaxed);
        if !downloads.into_iter().all(|download| download.join().unwrap_or(false)) {
            return Err("a download failed".into());
        }
        let beside = beside?;
        note(&format!(
            "round {round}: p50 {:.2} ms, p99 {:.2} ms; beside downloads {:.2} and {:.2} ms",
            milliseconds(alone.median),
            milliseconds(alone.slowest),
            milliseconds(beside.median),
            milliseconds(beside.slowest)
        ));
        median.add(milliseconds(beside.median), milliseconds(alone.median));
        slowest.add(milliseconds(beside.slowest), milliseconds(alone.slowest));
    }
    let megabytes = transfers::FILE_SIZE / 1_000_000;
    table.compared(&format!("check, p50 ms beside {DOWNLOADS} downloads of {megabytes} MB (alone)"), &median, None);
    table.compared(&format!("check, p99 ms beside {DOWNLOADS} downloads of {megabytes} MB (alone)"), &slowest, None);
    Ok(())
}
