//! Measures Sluice against what does the same with less: in turns, in one run, so that what disturbs the machine
//! disturbs both. Started by `benches/run`; what the figures mean is in `benches/README.md`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unchecked_time_subtraction,
    reason = "a measurement that meets what it does not expect has to end"
)]

mod bare;
mod checks;
mod client;
mod cluster;
mod fill;
mod million;
mod program;
mod reports;
mod start;
mod table;
mod transfers;

use std::{
    error::Error,
    path::{Path, PathBuf},
};

use clap::{Parser, ValueEnum};

use fill::Size;
use program::Program;
use table::Table;

/// Faster than the system's, and the same as Sluice's: the bare handler must not lose by it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Version checks against a bare handler.
    Checks,
    /// Uploads against hashing and writing the same bytes.
    Uploads,
    /// Downloads against nginx.
    Downloads,
    /// Checks while downloads run.
    Latency,
    /// The start, the memory, the size.
    Start,
    /// Reports made durable against the store's own commits, on `SQLite` and `PostgreSQL`.
    Reports,
    /// A million subscriptions, on `SQLite` and `PostgreSQL`. Only when it is named: it takes some ten minutes.
    Million,
}

/// Measure Sluice.
#[derive(Debug, Parser)]
struct Arguments {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Measure only this; may be given several times.
    #[arg(long)]
    only: Vec<Part>,
    /// How often each is measured; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each measurement of checks takes.
    #[arg(long, default_value_t = 4)]
    seconds: u32,
    /// How many subscriptions the server is filled with.
    #[arg(long, default_value_t = 100_000)]
    subscriptions: usize,
    /// How many subscriptions `million` fills its servers with.
    #[arg(long, default_value_t = 1_000_000)]
    many: usize,
    /// Measure this build of Sluice instead of the one that was just made.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_sluice"))]
    program: PathBuf,
    /// Only fill this new folder, as `data` of a server to try things with, and write its checks beside it.
    #[arg(long)]
    fill: Option<PathBuf>,
    /// Become one of the programs that Sluice is compared with.
    #[arg(long, hide = true)]
    become_bare: Option<bare::Kind>,
    /// The folder of a bare program.
    #[arg(long, hide = true, default_value = ".")]
    folder: PathBuf,
    /// What cargo says to benchmarks.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Arguments {
    fn wants(&self, part: Part) -> bool {
        (self.only.is_empty() && part != Part::Million) || self.only.contains(&part)
    }

    /// How much the server of all other parts is filled with.
    fn size(&self) -> Size {
        Size { products: 20, releases: 10, subscriptions: self.subscriptions }
    }
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    if let Some(kind) = arguments.become_bare {
        return bare::run(kind, &arguments.folder);
    }
    if !arguments.bench {
        println!("This measures for minutes; start it with benches/run.");
        return Ok(());
    }
    if let Some(folder) = &arguments.fill {
        let filled = fill::fill(&folder.join("data"), arguments.size())?;
        std::fs::write(folder.join("checks"), filled.lines(false))?;
        return Ok(());
    }
    let folder = tempfile::Builder::new().prefix("compare-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut table = Table::default();
    if arguments.wants(Part::Million) {
        million::measure(&mut table, &arguments, folder.path())?;
    }
    if arguments.wants(Part::Reports) {
        reports::measure(&mut table, &arguments, folder.path())?;
    }
    if [Part::Checks, Part::Uploads, Part::Downloads, Part::Latency, Part::Start]
        .iter()
        .any(|part| arguments.wants(*part))
    {
        measure(&mut table, &arguments, folder.path())?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&table)?);
    } else {
        println!("\n{table}");
    }
    Ok(())
}

/// Measures the parts that share one server.
fn measure(table: &mut Table, arguments: &Arguments, folder: &Path) -> Outcome<()> {
    note(&format!("filling a server with {} subscriptions", arguments.subscriptions));
    let data = folder.join("data");
    let filled = fill::fill(&data, arguments.size())?;

    if arguments.wants(Part::Checks) {
        checks::compare(table, arguments, folder, &filled)?;
    }
    let server = Program::sluice(&arguments.program, &data, &[], None)?;
    if arguments.wants(Part::Start) {
        table.figure("memory with the subscriptions, MB", server.resident_megabytes()?, None);
    }
    let transfers = [Part::Uploads, Part::Downloads, Part::Latency];
    if transfers.into_iter().any(|part| arguments.wants(part)) {
        let file = transfers::make_file(folder)?;
        transfers::compare_uploads(table, arguments, folder, &server, &filled, &file)?;
        let url = transfers::publish(&server, &filled)?;
        if arguments.wants(Part::Downloads) {
            transfers::compare_downloads(table, arguments, folder, &server, &url, &file)?;
        }
        if arguments.wants(Part::Latency) {
            checks::compare_latency(table, arguments, folder, &server, &filled, &url)?;
        }
    }
    drop(server);
    if arguments.wants(Part::Start) {
        start::measure(table, arguments, folder)?;
    }
    Ok(())
}

/// Says what is going on, apart from the result.
fn note(text: &str) {
    eprintln!("- {text}");
}
