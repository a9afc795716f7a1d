//! What commands share on the server's own machine: its database and keys, the user who runs them, and their output.

use nix::unistd::{User, getuid};

use super::failure::Failure;
use crate::{
    app::key_place,
    clock::{Clock as _, SystemClock},
    config::Config,
    data_folder::{DataFolder, DataFolderError},
    domain::actor::{Actor, ActorKind},
    services::{desk::operator::Operator, running::key_place::KeyPlace},
    signing::{KEY_FILE, KeyFile, KeyRing, KeySet},
    store::Store,
};

/// Opens the database. If no server uses the data folder, this takes hold of it and migrates the schema; otherwise the
/// running server is responsible for the schema.
pub(super) fn open_store(config: &Config) -> Result<(Store, Option<DataFolder>), Failure> {
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
pub(super) fn existing_keys(config: &Config) -> Result<(KeyPlace, KeySet), Failure> {
    let file = (!config.database.is_shared()).then(|| config.data.folder.join(KEY_FILE));
    let place = key_place(config, file).map_err(|error| Failure::failed(&error))?;
    let keys = match &place {
        KeyPlace::File(path, encryption) => {
            let file = KeyFile::read(path, encryption.clone()).map_err(|error| Failure::failed(&error))?;
            file.keys().clone()
        }
        KeyPlace::Database(vault) => {
            let store = Store::connect(&config.database_url()?, config.database.connections);
            let keys = store.and_then(|store| store.read(|connection| vault.existing(connection)));
            keys.map_err(|error| Failure::failed(&error))?
        }
    };
    Ok((place, keys))
}

/// The operating system's user, as the audit log names the person who runs a command.
pub(super) fn operating_user() -> Actor {
    let user = User::from_uid(getuid()).ok().flatten();
    let name = user.map_or_else(|| format!("uid {}", getuid()), |user| user.name);
    Actor { name, ..Actor::nameless(ActorKind::Operator) }
}

/// The store and keys with the person who runs the command.
pub(super) fn operator<'o>(store: &'o Store, keys: &'o KeyRing) -> Operator<'o> {
    Operator { store, keys, actor: operating_user(), now: SystemClock.now() }
}

/// Writes a line to standard output. The reader may have gone (`sluice config | head -1`), which is no reason to fail.
pub(super) fn say(line: impl std::fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Runs a command that talks to a server.
pub(super) fn wait_for(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| Failure::failed(&error))?.block_on(command)
}
