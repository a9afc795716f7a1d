//! The program's commands, one file each, and what they share.

pub mod admin;
mod audit;
pub mod check;
mod client;
pub mod config;
pub mod database;
pub mod health;
pub mod keys;
pub mod migrate;
pub mod publish;
pub mod release_file;
pub mod serve;
pub mod storage;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use nix::unistd::{User, getuid};

use crate::{
    app::key_place,
    clock::{Clock as _, SystemClock},
    config::{Config, ConfigError},
    data_folder::{DataFolder, DataFolderError},
    domain::actor::{Actor, ActorKind},
    services::{desk::operator::Operator, running::key_place::KeyPlace},
    signing::{KEY_FILE, KeyFile, KeyRing, KeySet},
    store::Store,
};

/// The update distribution server.
///
/// It gives every customer the versions that their subscription covers.
#[derive(Debug, Parser)]
#[command(name = "sluice", version, arg_required_else_help = true, after_long_help = HELP)]
pub struct Cli {
    /// The configuration file [default: `sluice.toml` in the working folder, if it exists]
    #[arg(long, global = true, value_name = "FILE", env = "SLUICE_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "Try it:
  sluice serve --demo                    a server with a made-up vendor, and curl lines to try
  sluice publish release.toml            what your pipeline runs: draft, upload, publish
  sluice check office-maker 12.4.0       ask a server for an update, as an updater would

Every setting can also come from the environment: SLUICE__DATA__FOLDER=/srv/sluice.
`sluice config --defaults` lists them all.";

/// Opens the database. If no server uses the data folder, this takes hold of it and migrates the schema; otherwise the
/// running server is responsible for the schema.
fn open_store(config: &Config) -> Result<(Store, Option<DataFolder>), Failure> {
    let folder = match (!config.database.is_shared()).then(|| DataFolder::open(&config.data.folder)) {
        None | Some(Err(DataFolderError::InUse(_))) => None,
        Some(Ok(folder)) => Some(folder),
        Some(Err(error)) => return Err(Failure::failed(&error)),
    };
    let store = Store::connect(&config.database_url()?, config.database.connections);
    let store = store.map_err(|error| Failure::failed(&error))?;
    let pending = match folder {
        Some(_) => store.migrate().map(|_| Vec::new()),
        None => store.pending(),
    };
    let pending = pending.map_err(|error| Failure::failed(&error.at(store.place())))?;
    if !pending.is_empty() {
        let place = store.place();
        return Err(Failure::failed(&format!(
            "{place} has the schema of an older Sluice; start the server, or run `sluice migrate`"
        )));
    }
    Ok((store, folder))
}

/// Reads the keys and their place, for commands that never create keys: they leave nothing behind on a machine without
/// a server.
fn existing_keys(config: &Config) -> Result<(KeyPlace, KeySet), Failure> {
    let file = (!config.database.is_shared()).then(|| config.data.folder.join(KEY_FILE));
    let place = key_place(config, file).map_err(|error| Failure::failed(&error))?;
    let keys = match &place {
        KeyPlace::File(path, encryption) => {
            let file = KeyFile::read(path, encryption.clone()).map_err(|error| Failure::failed(&error))?;
            file.keys().clone()
        }
        KeyPlace::Database(vault) => {
            let store = Store::connect(&config.database_url()?, config.database.connections);
            let keys = store.and_then(|store| store.read(|connection| vault.held(connection)));
            keys.map_err(|error| Failure::failed(&error))?
        }
    };
    Ok((place, keys))
}

/// The operating system's user, as the audit log names the person who runs a command.
fn whoever_runs_this() -> Actor {
    let user = User::from_uid(getuid()).ok().flatten();
    let name = user.map_or_else(|| format!("uid {}", getuid()), |user| user.name);
    Actor { name, ..Actor::nameless(ActorKind::Operator) }
}

/// The store and keys with the person who runs the command.
fn operator<'o>(store: &'o Store, keys: &'o KeyRing) -> Operator<'o> {
    Operator { store, keys, actor: whoever_runs_this(), now: SystemClock.now() }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::ServeArgs),
    /// Migrate the database's schema without starting the server
    Migrate(migrate::MigrateArgs),
    /// Copy a database into another one, such as from the embedded default to `PostgreSQL`
    Database(database::DatabaseArgs),
    /// Publish a release from a release.toml: create its draft, upload its files, publish it
    Publish(publish::PublishArgs),
    /// Ask a server for an update, as an updater would
    Check(check::CheckArgs),
    /// Move the files of artifacts from one store to another
    Storage(storage::StorageArgs),
    /// Ask a server whether it is healthy: 0 if it is, 1 if not
    Health(health::HealthArgs),
    /// Show the configuration, or check that it works
    Config(config::ConfigArgs),
    /// List, rotate or encrypt the signing keys
    Keys(keys::KeysArgs),
    /// Add users and reset passwords on the server's machine
    Admin(admin::AdminArgs),
    /// Verify the audit log
    Audit(audit::AuditArgs),
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// 1: failed; 2: wrong usage or configuration; 3: the server refused; 4: the server could not be reached; 10 and
    /// more: answers of `check`.
    pub exit_code: u8,
    /// One line for the person who ran the command; empty if the output has said it already.
    pub message: String,
}

impl Failure {
    /// A failure with exit code 1.
    #[must_use]
    pub fn failed(error: &dyn std::fmt::Display) -> Self {
        Self { exit_code: 1, message: error.to_string() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { exit_code: 2, message: error.to_string() }
    }
}

/// Writes a line to standard output. The reader may have gone (`sluice config | head -1`), which is no reason to fail.
fn say(line: impl std::fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Runs the command that was asked for.
#[must_use]
pub fn run() -> ExitCode {
    keep_memory_to_ourselves();
    let Cli { config, command } = Cli::parse();
    let done = match command {
        Command::Serve(arguments) => load(config.as_deref()).and_then(|config| serve::run(&arguments, &config)),
        Command::Migrate(arguments) => load(config.as_deref()).and_then(|config| migrate::run(&arguments, &config)),
        Command::Database(arguments) => load(config.as_deref()).and_then(|config| database::run(arguments, &config)),
        Command::Config(arguments) => config::run(&arguments, config.as_deref()),
        Command::Keys(arguments) => load(config.as_deref()).and_then(|config| keys::run(&arguments, &config)),
        Command::Admin(arguments) => load(config.as_deref()).and_then(|config| admin::run(&arguments, &config)),
        Command::Audit(arguments) => load(config.as_deref()).and_then(|config| audit::run(&arguments, &config)),
        Command::Storage(arguments) => load(config.as_deref()).and_then(|config| storage::run(&arguments, &config)),
        Command::Health(arguments) => wait_for(health::run(&arguments, config.as_deref())),
        Command::Publish(arguments) => wait_for(publish::run(arguments)),
        Command::Check(arguments) => wait_for(check::run(arguments)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                eprintln!("sluice: {}", failure.message);
            }
            ExitCode::from(failure.exit_code)
        }
    }
}

/// Keeps keys, passwords and tokens out of core dumps, and hides them from other processes of the same user.
fn keep_memory_to_ourselves() {
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        eprintln!("sluice: core dumps could not be turned off: {error}");
    }
}

fn load(file: Option<&std::path::Path>) -> Result<Config, Failure> {
    Ok(Config::load(file)?)
}

/// Runs a command that talks to a server.
fn wait_for(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| Failure::failed(&error))?.block_on(command)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_commands_are_well_formed() {
        super::Cli::command().debug_assert();
    }
}
