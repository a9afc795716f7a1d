//! A fleet: many simulated sites ask for an update, take it, and report how it went.
//!
//! ```sh
//! cargo run --example fleet -- --server http://127.0.0.1:8080 --keys keys.txt --product office-maker --from 12.0.0 \
//!     --sites 500 --failure-rate 0.3 --class migration --seed 7 --over 60s
//! ```
//!
//! It shows what a rollout does with a release that is bad at some sites: how many take it before it is halted. Each site asks once,
//! at a moment of its own; nothing is downloaded or installed, but every stage is reported, with the updaters' own library.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use semver::Version;
use serde::de::{DeserializeOwned, IntoDeserializer as _, value};

use site::Site;
use tally::Tally;
use updater::{
    backoff::Backoff,
    client::Client,
    config::Config,
    failure::{Failure, FailureClass},
    wire::Component,
};

mod plan;
mod site;
mod tally;
#[path = "../updater/mod.rs"]
#[expect(dead_code, reason = "the library is shared, and nothing is installed here")]
mod updater;

/// A thread that mostly sleeps needs little.
const STACK: usize = 512 << 10;

/// How patient the sites are with a server that is away: for some minutes.
const BACKOFF: Backoff = Backoff { retries: 8, base: Duration::from_millis(500) };

/// Simulates a fleet of sites that are offered an update.
#[derive(Parser)]
pub struct Arguments {
    /// The update server.
    #[arg(long, value_name = "URL")]
    server: String,
    /// A file with a license key on each line; each site has one.
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// The product's slug.
    #[arg(long)]
    product: String,
    /// The version that all sites have.
    #[arg(long, value_name = "VERSION")]
    from: Version,
    /// How many sites; as many as there are keys unless given.
    #[arg(long)]
    sites: Option<usize>,
    /// The share of sites at which the update fails.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    failure_rate: f64,
    /// What fails there, such as `migration`, `environment` or `data_loss`.
    #[arg(long, default_value = "migration", value_parser = named::<FailureClass>)]
    class: FailureClass,
    /// Decides at which sites it fails, and when each asks.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Over how long the sites' checks are spread.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = length)]
    over: Duration,
    /// How long a site takes from one stage of its update to the next, more or less.
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = length)]
    pause: Duration,
    /// The program that each site runs: `standalone`, or `server`.
    #[arg(long, default_value = "standalone", value_parser = named::<Component>)]
    component: Component,
    /// The operating system of the sites.
    #[arg(long, default_value = "linux")]
    platform: String,
    /// Their machines.
    #[arg(long, default_value = "x86_64")]
    arch: String,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is 0 to 1, such as 0.3".to_owned())
}

fn length(text: &str) -> Result<Duration, String> {
    let length = text.parse::<jiff::SignedDuration>().map_err(|error| error.to_string())?;
    Duration::try_from(length).map_err(|_| "a time is not negative".to_owned())
}

/// Reads a word of the wire.
fn named<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    T::deserialize(text.into_deserializer()).map_err(|error: value::Error| error.to_string())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(tally) => {
            println!("{}", if arguments.json { tally.json() } else { tally.table(&arguments) });
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Lets every site live until its update is over.
fn run(arguments: &Arguments) -> Result<Tally, Failure> {
    let keys = keys(arguments)?;
    let client = Client::new(&config(arguments), BACKOFF)?;
    let plans = plan::of(keys.len(), arguments.failure_rate, arguments.over, arguments.seed);
    let tally = Mutex::new(Tally::default());
    let bar = bar(keys.len());
    let started = Instant::now();
    thread::scope(|scope| {
        for (key, plan) in keys.iter().zip(plans) {
            let site = Site { arguments, client: client.for_customer(key)?, plan, started, tally: &tally };
            let bar = &bar;
            let live = move || {
                site.live();
                bar.inc(1);
            };
            let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, live);
            thread.map_err(|error| Failure::internal("no_thread", error))?;
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    tally.into_inner().map_err(|_| Failure::internal("site_panicked", "a site ended in a panic"))
}

fn keys(arguments: &Arguments) -> Result<Vec<String>, Failure> {
    let path = &arguments.keys;
    let text = std::fs::read_to_string(path).map_err(Failure::io("read", path))?;
    let keys: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let wanted = arguments.sites.unwrap_or(keys.len());
    if keys.len() < wanted || wanted == 0 {
        let sentence = format!("{} has {} keys; {wanted} sites need one each", path.display(), keys.len());
        return Err(Failure::internal("too_few_keys", sentence));
    }
    Ok(keys.into_iter().take(wanted).collect())
}

/// What the library has to know where nothing is installed.
fn config(arguments: &Arguments) -> Config {
    Config {
        server_url: arguments.server.clone(),
        product: arguments.product.clone(),
        license_key: String::new(),
        install_dir: PathBuf::new(),
        database: None,
        work_dir: PathBuf::new(),
        shared_dir: None,
        platform: arguments.platform.clone(),
        arch: arguments.arch.clone(),
        locale: None,
        channel: None,
        carry_over: Vec::new(),
        pinned_keys: Vec::new(),
    }
}

/// How many sites are through; shown on a terminal only.
fn bar(sites: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(sites).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} sites  {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
