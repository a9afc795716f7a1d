//! `sluice migrate`: migrates the database's schema.

use clap::Args;

use super::{failure::Failure, machine::say};
use crate::{config::Config, data_folder::DataFolder, store::Store};

/// Migrate the database's schema without starting the server.
///
/// `serve` does the same when it starts; this is for operators who want to see it done first. Running it again changes
/// nothing. The schema of a newer Sluice is refused.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Print the migrations that were run as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `sluice migrate`.
pub fn run(arguments: &MigrateArgs, config: &Config) -> Result<(), Failure> {
    // With a running server, only a shared database can be migrated.
    let folder = (!config.database.is_shared()).then(|| DataFolder::open(&config.data.folder));
    let _folder = folder.transpose().map_err(|error| Failure::failed(&error))?;
    let store = Store::connect(&config.database_url()?, config.database.connections);
    let store = store.map_err(|error| Failure::failed(&error))?;
    let run = store.migrate().map_err(|error| Failure::failed(&error.at(store.place())))?;
    match (arguments.json, run.is_empty()) {
        (true, _) => say(serde_json::json!({"database": store.place().to_string(), "migrations": run})),
        (false, true) => say(format_args!("{} is up to date", store.place())),
        (false, false) => run.iter().for_each(|migration| say(format_args!("ran {migration}"))),
    }
    Ok(())
}
