//! The program's commands, one file each.

pub mod admin;
mod audit;
pub mod check;
mod client;
pub mod config;
pub mod database;
pub mod failure;
pub mod health;
pub mod keys;
mod machine;
pub mod migrate;
pub mod publish;
pub mod release_file;
pub mod serve;
pub mod storage;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use self::{failure::Failure, machine::wait_for};
use crate::config::Config;

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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_commands_are_well_formed() {
        super::Cli::command().debug_assert();
    }
}
