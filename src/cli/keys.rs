//! `sluice keys`: the signing keys, in the data folder or in the shared database.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{
    failure::Failure,
    machine::{existing_keys, open_store, operator, say},
};
use crate::{
    app::App,
    clock::{Clock as _, SystemClock},
    config::Config,
    data_folder::DataFolderError,
    domain::{audit::Record, subject::Subject},
    services::running::key_place::KeyPlaceError,
    signing::{KeySet, Purpose},
    store::Connection,
};

/// List, rotate or encrypt the signing keys.
///
/// Links and sessions have two keys: the first signs, the second still verifies what it signed before the last
/// rotation; rotate twice to invalidate everything that an old key signed. Manifests have two as well: the first signs
/// now, the second after the next rotation. Its public key is in /.well-known/jwks.json already, so that you can build
/// it into your updaters in time. Public keys of older ones stay there, so that published manifests stay verifiable.
///
/// On the embedded default the keys are in the data folder, and the server must be stopped for a rotation. With
/// `PostgreSQL` they are in the database, and every replica uses the new key within two seconds.
#[derive(Debug, Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// List the ids of the keys, without their secrets
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Encrypt the stored keys with `keys.encryption_key`
    ///
    /// The keys stay the same. To rotate the encryption key: set the new one as `keys.encryption_key` and the old one
    /// as `keys.previous_encryption_key`, restart every replica, run this, and remove the old one again.
    Encrypt,
    /// Rotate the keys of one purpose
    Rotate {
        /// The purpose: links (download links), sessions (logins) or manifests (release manifests)
        #[arg(value_parser = ["links", "sessions", "manifests"])]
        purpose: String,
    },
}

/// Runs `sluice keys`.
pub fn run(arguments: &KeysArgs, config: &Config) -> Result<(), Failure> {
    let (place, keys) = existing_keys(config)?;
    match &arguments.command {
        KeysCommand::List { json } => list(&keys, *json),
        KeysCommand::Rotate { purpose } => {
            let purpose: Purpose = purpose.parse().map_err(|error| Failure::failed(&error))?;
            let now = SystemClock.now();
            let keys = change(config, "keys.rotate", &purpose.to_string(), |connection| {
                place.rotate(connection, purpose, now)
            })?;
            list(&keys, false);
        }
        KeysCommand::Encrypt => {
            change(config, "keys.encrypt", "all", |connection| place.encrypt(connection))?;
            say("the keys are encrypted with keys.encryption_key");
        }
    }
    Ok(())
}

/// Changes the keys, and writes an audit entry. Keys in the data folder cannot be changed while a server runs there,
/// because it would not notice.
fn change<T>(
    config: &Config,
    action: &'static str,
    which: &str,
    work: impl FnOnce(&mut Connection) -> Result<T, KeyPlaceError>,
) -> Result<T, Failure> {
    let (store, folder) = open_store(config)?;
    if folder.is_none() && !store.is_shared() {
        return Err(Failure::failed(&DataFolderError::InUse(config.data.folder.clone())));
    }
    let keys = App::keys_or_new(config, &store).map_err(|error| Failure::failed(&error))?;
    let record = Record::change(action, Subject::Keys(which.to_owned()), None, Value::Null, Value::Null);
    let changed =
        operator(&store, &keys).change(|connection| Ok::<_, KeyPlaceError>((work(connection)?, vec![record])));
    changed.map_err(|error| Failure::failed(&error))
}

fn list(keys: &KeySet, json: bool) {
    let ids = |purpose: &Purpose| keys.of(*purpose).iter().map(|key| key.id.clone()).collect::<Vec<_>>();
    if json {
        let all: serde_json::Map<_, _> =
            Purpose::ALL.iter().map(|purpose| (purpose.to_string(), serde_json::json!(ids(purpose)))).collect();
        say(Value::Object(all));
        return;
    }
    say(format_args!("{:<10} {:<14} {}", "for", "signs", "second"));
    for purpose in Purpose::ALL {
        let ids = ids(purpose);
        let at = |place: usize| ids.get(place).map_or("-", String::as_str);
        say(format_args!("{purpose:<10} {:<14} {}", at(0), at(1)));
    }
}
