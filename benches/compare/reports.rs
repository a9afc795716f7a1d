//! Reports: how many a second are made durable, against commits of a single row on the same database in the same run.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use crate::{
    Arguments, Outcome,
    checks::{Pressure, press},
    cluster::Cluster,
    fill::{self, Size},
    million::{Site, copy},
    note,
    table::{Rounds, Table},
};

/// Connections that report at once: a morning at a vendor with some thousand sites.
const CONNECTIONS: u32 = 256;

/// Measures both stores.
pub fn measure(table: &mut Table, arguments: &Arguments, folder: &Path) -> Outcome<()> {
    let folder = folder.join("reports");
    fs::create_dir_all(&folder)?;
    let filled = fill::fill(&folder.join("data"), Size { products: 5, releases: 10, subscriptions: 10_000 })?;
    let checks = folder.join("checks");
    fs::write(&checks, filled.lines(false))?;
    let cluster = Cluster::start()?;
    let url = cluster.database("reports")?;
    copy(&filled, &url)?;
    let limit_url = cluster.database("limit")?;
    let seconds = Duration::from_secs(arguments.seconds.into());

    let on_sqlite = Site { data: filled.data.clone(), url: None, checks: checks.clone(), filled: &filled };
    let file = folder.join("limit.sqlite3");
    compare(table, arguments, &on_sqlite, "SQLite", || single_rows(&file, seconds))?;
    let on_postgresql = Site { data: folder.join("replica"), url: Some(url), checks, filled: &filled };
    compare(table, arguments, &on_postgresql, "PostgreSQL", || {
        cluster.single_row_commits(&limit_url, arguments.seconds)
    })
}

fn compare(
    table: &mut Table,
    arguments: &Arguments,
    site: &Site<'_>,
    name: &str,
    limit: impl Fn() -> Outcome<f64>,
) -> Outcome<()> {
    let server = site.start(arguments, None)?;
    let pressure =
        Pressure { connections: CONNECTIONS, pause_milliseconds: 0, seconds: arguments.seconds, processor: None };
    let mut rounds = Rounds::default();
    press(&server.address, "reports.lua", &site.checks, Pressure { seconds: 1, ..pressure })?;
    for round in 1..=arguments.rounds {
        let load = press(&server.address, "reports.lua", &site.checks, pressure)?;
        let ours = f64::from(load.requests) / f64::from(arguments.seconds);
        let theirs = limit()?;
        note(&format!(
            "round {round}: {ours:.0} reports a second on {name}, p50 {:.1} ms, p99 {:.1} ms; {theirs:.0} commits of a row",
            load.median.as_secs_f64() * 1e3,
            load.slowest.as_secs_f64() * 1e3
        ));
        rounds.add(ours, theirs);
    }
    table.compared(&format!("reports made durable a second, {name} (single-row commits)"), &rounds, None);
    Ok(())
}

/// How many rows a second one connection commits one by one, as durably as Sluice's own.
fn single_rows(file: &Path, time: Duration) -> Outcome<f64> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b TEXT);",
    )?;
    let mut insert =
        connection.prepare("INSERT INTO t (b) VALUES ('a row of the length of a short report, or a little more')")?;
    let began = Instant::now();
    let mut rows = 0_u32;
    while began.elapsed() < time {
        insert.execute([])?;
        rows += 1;
    }
    Ok(f64::from(rows) / began.elapsed().as_secs_f64())
}
