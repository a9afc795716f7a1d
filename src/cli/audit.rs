//! `sluice audit`: verifies the audit log.

use clap::{Args, Subcommand};

use super::{
    failure::Failure,
    machine::{existing_keys, say},
};
use crate::{
    config::Config,
    domain::audit::{Hash, hexadecimal},
    services::desk::audit,
    signing::KeyRing,
    store::Store,
};

/// Verify the audit log
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Read the whole log and say whether an entry was altered or removed: 0 if not, 1 if so.
    ///
    /// Every entry holds the hash of the previous one, and the server's keys vouch for the newest. Someone who can
    /// write the database and has the keys too could still rewrite the log: keep the head that this prints in another
    /// place, and verify against it later. The server may be running.
    /// verify against it later. The server may go on running.
    #[command(after_long_help = "Examples:
  sluice audit verify
  sluice audit verify --head 1041:9b64c1a19efb274a1593ec6e60e73c43956eb2d15593ea555bd34147a0cdab03")]
    Verify {
        /// A head that was kept earlier, as NUMBER:HASH; the log must still contain that entry
        #[arg(long, value_parser = head)]
        head: Option<(i64, Hash)>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Reads `NUMBER:HASH`.
fn head(text: &str) -> Result<(i64, Hash), String> {
    let wrong = || "expected NUMBER:HASH, as this command prints it".to_owned();
    let (number, hash) = text.split_once(':').ok_or_else(wrong)?;
    let digits: Vec<u8> = hash
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    Ok((number.parse().map_err(|_| wrong())?, Hash::try_from(digits).map_err(|_| wrong())?))
}

/// Runs `sluice audit`.
pub fn run(arguments: &AuditArgs, config: &Config) -> Result<(), Failure> {
    let AuditCommand::Verify { head, json } = &arguments.command;
    let (_, keys) = existing_keys(config)?;
    let keys = KeyRing::of(&keys).map_err(|error| Failure::failed(&error))?;
    let store = Store::connect(&config.database_url()?, config.database.connections);
    let store = store.map_err(|error| Failure::failed(&error))?;
    match audit::verify(&store, &keys, *head) {
        Ok((number, hash)) if *json => {
            say(
                serde_json::json!({"whole": true, "entries": number, "head": format!("{number}:{}", hexadecimal(&hash))}),
            );
            Ok(())
        }
        Ok((number, hash)) => {
            say(format_args!("the audit log is whole: {number} entries"));
            say(format_args!("head {number}:{}", hexadecimal(&hash)));
            Ok(())
        }
        Err(error) => {
            if *json {
                say(serde_json::json!({"whole": false, "problem": error.to_string()}));
            }
            Err(Failure::failed(&format!("the audit log is not whole: {error}")))
        }
    }
}
