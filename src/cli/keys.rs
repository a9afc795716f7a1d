//! `sluice keys`: the signing keys, in the data folder or the shared database.

use clap::{Args, Subcommand};

use super::{Failure, say};
use crate::{
    app::vault,
    clock::{Clock as _, SystemClock},
    config::Config,
    data_folder::DataFolder,
    signing::{KEY_FILE, KeyFile, KeySet, Purpose},
    store::{Store, StoreError},
};

/// List or rotate the signing keys.
///
/// Of links and sessions there are two: the first signs, and what the second signed before the last rotation still holds;
/// rotate twice to end what an old key signed. Of manifests the first signs and the second will after the next rotation:
/// its public half is in /.well-known/jwks.json already, so that you can build it into your updaters in time. Public
/// halves of older ones stay there, so that what was published stays verifiable.
///
/// On the embedded default the keys are in the data folder, and the server must be stopped for a rotation. With `PostgreSQL`
/// they are in the database, and every replica takes the next key into use within two seconds.
#[derive(Debug, Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// List the ids of the keys; secrets are not shown.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take the next key into use.
    Rotate {
        /// What the key is for: links (download links), sessions (logins), manifests (release manifests).
        #[arg(value_parser = ["links", "sessions", "manifests"])]
        purpose: String,
    },
}

/// Runs the command.
///
/// # Errors
/// When the keys cannot be read or written.
pub fn run(arguments: &KeysArgs, config: &Config) -> Result<(), Failure> {
    if config.database.is_shared() {
        return on_server(arguments, config);
    }
    let path = config.data.folder.join(KEY_FILE);
    match &arguments.command {
        KeysCommand::List { json } => {
            list(KeyFile::read(&path).map_err(|error| Failure::failed(&error))?.keys(), *json);
        }
        KeysCommand::Rotate { purpose } => {
            let purpose: Purpose = purpose.parse().map_err(|error| Failure::failed(&error))?;
            let _folder = DataFolder::open(&config.data.folder).map_err(|error| Failure::failed(&error))?;
            let mut file = KeyFile::open(&path).map_err(|error| Failure::failed(&error))?;
            file.rotate(purpose).map_err(|error| Failure::failed(&error))?;
            list(file.keys(), false);
        }
    }
    Ok(())
}

fn on_server(arguments: &KeysArgs, config: &Config) -> Result<(), Failure> {
    let failed = |error: StoreError| Failure::failed(&error);
    let vault = vault(config).map_err(|error| Failure::failed(&error))?;
    let store = Store::connect(&config.database_url()?, config.database.connections).map_err(failed)?;
    match &arguments.command {
        KeysCommand::List { json } => match store.read(|connection| vault.open(connection)).map_err(failed)? {
            Some(keys) => list(&keys, *json),
            None => {
                return Err(Failure::failed(&format!(
                    "there are no keys in {}; `sluice serve` makes them at its first start",
                    store.place()
                )));
            }
        },
        KeysCommand::Rotate { purpose } => {
            let purpose: Purpose = purpose.parse().map_err(|error| Failure::failed(&error))?;
            list(&vault.rotate(&store, purpose, SystemClock.now()).map_err(failed)?, false);
        }
    }
    Ok(())
}

fn list(keys: &KeySet, json: bool) {
    let ids = |purpose: &Purpose| keys.of(*purpose).iter().map(|key| key.id.clone()).collect::<Vec<_>>();
    if json {
        let all: serde_json::Map<_, _> =
            Purpose::ALL.iter().map(|purpose| (purpose.to_string(), serde_json::json!(ids(purpose)))).collect();
        say(serde_json::Value::Object(all));
        return;
    }
    say(format_args!("{:<10} {:<14} {}", "for", "signs", "second"));
    for purpose in Purpose::ALL {
        let ids = ids(purpose);
        let at = |place: usize| ids.get(place).map_or("-", String::as_str);
        say(format_args!("{purpose:<10} {:<14} {}", at(0), at(1)));
    }
}
