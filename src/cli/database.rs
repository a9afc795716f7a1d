//! `sluice database`: works on a whole database.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{failure::Failure, machine::say};
use crate::{
    app::key_place,
    config::{Config, PrivateUrl},
    data_folder::DataFolder,
    services::running::copy_database::{self, Copied, CopyError, Progress, Side},
    signing::KEY_FILE,
    store::{Place, Store},
};

/// Work on a whole database
#[derive(Debug, Args)]
pub struct DatabaseArgs {
    #[command(subcommand)]
    command: DatabaseCommand,
}

#[derive(Debug, Subcommand)]
enum DatabaseCommand {
    /// Copy everything into an empty database, such as from the embedded default to `PostgreSQL`
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
/// All data is copied as of one moment of the source, in one transaction on the target. If it fails or is killed, the
/// target is still empty, and you can run it again. What has arrived is read back and compared: the number of rows and
/// a checksum per table. The source is not changed. Its server must be stopped, because later changes would be missing
/// in the copy.
///
/// The signing keys are copied too: without them no license key would be recognised. With `SQLite` they are in a file
/// of the data folder, with `PostgreSQL` in the database, encrypted with `keys.encryption_key` (the file only if that
/// is set). The artifacts stay where they are.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
struct CopyArgs {
    /// The source: `sqlite:PATH` or `postgres://USER@HOST/NAME`
    #[arg(long, value_name = "URL")]
    from: String,
    /// The target: the same kinds of URL. It must be empty; missing tables are created
    #[arg(long, value_name = "URL")]
    to: String,
    /// The file with the signing keys on the `SQLite` side [default: keys.json in the data folder]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Print JSON: tables, rows, checksums
    #[arg(long)]
    json: bool,
}

/// Runs `sluice database`.
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
                "the database {} does not exist; name another one with --from",
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
    report(source.store.place(), target.store.place(), &copied, arguments.json);
    Ok(())
}

/// A database named on the command line.
struct Given {
    url: String,
    /// The path, if it is a file.
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

/// Holds data folders, so that no server can run on them meanwhile. `make` creates those that do not exist.
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

fn report(from: &Place, to: &Place, copied: &[Copied], json: bool) {
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
        "{rows} rows and the signing keys copied from {from} to {to}; the copy was read back and compared"
    ));
}

/// A progress bar on a terminal.
struct Bar(ProgressBar);

/// Fits a terminal of 80 columns.
const TEMPLATE: &str = "{msg:28} {wide_bar} {percent:>3} % {per_sec:>16} {eta:>4}";

impl Bar {
    fn new() -> Self {
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        // It hides itself if there is no terminal.
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
