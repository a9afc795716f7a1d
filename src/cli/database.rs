//! `sluice database`: what is done with a database as a whole.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Failure, say};
use crate::{
    app::key_place,
    config::{Config, PrivateUrl},
    data_folder::DataFolder,
    services::running::copy_database::{self, Copied, CopyError, Progress, Side},
    signing::KEY_FILE,
    store::{Place, Store},
};

/// Work on a database as a whole.
#[derive(Debug, Args)]
pub struct DatabaseArgs {
    #[command(subcommand)]
    command: DatabaseCommand,
}

#[derive(Debug, Subcommand)]
enum DatabaseCommand {
    /// Copy everything into an empty database, such as from the embedded default to `PostgreSQL`.
    Copy(CopyArgs),
}

const EXAMPLES: &str = "From the embedded default to PostgreSQL, with the server stopped:
  export SLUICE__KEYS__ENCRYPTION_KEY=$(openssl rand -base64 32)    # and keep it: every replica needs it
  sluice database copy --from sqlite:data/sluice.sqlite3 --to postgres://sluice@db.example.com/sluice
Then set database.url to the new one, leave storage.url as it is (if it is empty: `file:` and the folder `artifacts` of
the data folder), and start the server.

And back, into a new data folder:
  SLUICE__DATA__FOLDER=new sluice database copy --from postgres://sluice@db.example.com/sluice --to sqlite:new/sluice.sqlite3

A password need not stand in the command: PostgreSQL's library takes it from PGPASSWORD or ~/.pgpass.";

/// Copy everything into an empty database.
///
/// Products, releases, customers, subscriptions, license keys, users, tokens, reports, all of it, from one moment of the
/// source, in one transaction on the target: when it fails or is killed, the target is as empty as before, and you run it
/// again. What has arrived is read back and compared, by the number of rows and a checksum over all of them per table. The
/// source is not changed. Its server must be stopped, as what it would still write would be missing in the copy.
///
/// The signing keys go along: without them no license key would be recognised. On `SQLite` they are in a file of the data
/// folder, with `PostgreSQL` in the database; both are encrypted with `keys.encryption_key`, the file where it is set. The artifacts stay where they are.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
struct CopyArgs {
    /// What to copy: `sqlite:PATH` or `postgres://USER@HOST/NAME`.
    #[arg(long, value_name = "URL")]
    from: String,
    /// Where to: the same kinds of URL. It must be empty; tables are made where there are none.
    #[arg(long, value_name = "URL")]
    to: String,
    /// The file with the signing keys on the side of `SQLite`, where it is not `keys.json` of the data folder.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Print what was copied as JSON: tables, rows, checksums.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: DatabaseArgs, config: &Config) -> Result<(), Failure> {
    let DatabaseCommand::Copy(arguments) = arguments.command;
    copy(arguments, config)
}

fn copy(arguments: CopyArgs, config: &Config) -> Result<(), Failure> {
    let keys = arguments.keys.unwrap_or_else(|| config.data.folder.join(KEY_FILE));
    let from = Given::read(config, "--from", arguments.from)?;
    let to = Given::read(config, "--to", arguments.to)?;
    let mut held = BTreeMap::new();
    if let Some(file) = &from.file {
        if !file.exists() {
            return Err(Failure::failed(&format!(
                "there is no database {}; name another one with --from",
                file.display()
            )));
        }
        hold(&mut held, &[folder_of(file), folder_of(&keys)], false)?;
    }
    if let Some(file) = &to.file {
        hold(&mut held, &[folder_of(file)], false)?;
        hold(&mut held, &[folder_of(&keys)], true)?;
    }
    let (source, target) = (from.open(config, &keys)?, to.open(config, &keys)?);
    let bar = Bar::new();
    let copied = copy_database::copy(&source, &target, &mut |progress| bar.show(progress));
    bar.0.finish_and_clear();
    let copied = copied.map_err(|error: CopyError| Failure::failed(&error))?;
    report((source.store.place(), target.store.place()), &copied, arguments.json);
    Ok(())
}

/// A database that was named on the command line.
struct Given {
    url: String,
    /// The file, where it is one.
    file: Option<PathBuf>,
}

impl Given {
    fn read(config: &Config, name: &str, url: String) -> Result<Self, Failure> {
        let url = config.database_url_of(name, &PrivateUrl::from(url))?;
        let file = url.strip_prefix("sqlite:").map(PathBuf::from);
        Ok(Self { url, file })
    }

    fn open(&self, config: &Config, keys: &Path) -> Result<Side, Failure> {
        let keys = key_place(config, self.file.as_ref().map(|_| keys.to_owned()));
        let keys = keys.map_err(|error| Failure::failed(&error))?;
        let store = Store::connect(&self.url, config.database.connections).map_err(|error| Failure::failed(&error))?;
        Ok(Side { store, keys })
    }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Holds data folders, so that no server runs on them meanwhile: those that have been some, and others if they are to
/// become some.
fn hold(held: &mut BTreeMap<PathBuf, DataFolder>, folders: &[PathBuf], make: bool) -> Result<(), Failure> {
    for folder in folders {
        if !make && !DataFolder::is_one(folder) {
            continue;
        }
        let known = folder.canonicalize().is_ok_and(|whole| held.contains_key(&whole));
        if !known {
            let held_now = DataFolder::open(folder).map_err(|error| Failure::failed(&error))?;
            let whole = folder.canonicalize().map_err(|error| Failure::failed(&error))?;
            held.insert(whole, held_now);
        }
    }
    Ok(())
}

fn report((from, to): (&Place, &Place), copied: &[Copied], json: bool) {
    let rows: u64 = copied.iter().map(|table| table.rows).sum();
    if json {
        let (from, to) = (from.to_string(), to.to_string());
        say(serde_json::json!({"from": from, "to": to, "rows": rows, "tables": copied}));
        return;
    }
    say(format_args!("{:<16} {:>10}  sha256 of the rows", "table", "rows"));
    for table in copied {
        say(format_args!("{:<16} {:>10}  {}", table.table, table.rows, table.sha256));
    }
    say(format_args!(
        "{rows} rows and the signing keys copied from {from} to {to}; what arrived was read back and is the same"
    ));
}

/// How far it is, on a terminal.
struct Bar(ProgressBar);

/// Fits a terminal of 80 columns.
const TEMPLATE: &str = "{msg:28} {wide_bar} {percent:>3} % {per_sec:>16} {eta:>4}";

impl Bar {
    fn new() -> Self {
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        // Hidden by itself where there is no terminal.
        Self(ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()).with_style(style))
    }

    fn show(&self, progress: Progress) {
        match progress {
            Progress::Rows(rows) => self.0.set_length(rows),
            Progress::Copying(table) => self.0.set_message(format!("copying {table}")),
            Progress::Comparing(table) => self.0.set_message(format!("comparing {table}")),
            Progress::Done(rows) => self.0.inc(rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_a_right_template() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
