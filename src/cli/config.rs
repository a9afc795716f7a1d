//! `sluice config`: the configuration in force.

use std::path::Path;

use clap::Args;

use super::{Failure, say};
use crate::config::{Config, DEFAULTS};

/// Show the configuration in force, secrets hidden.
///
/// It is read like `serve` reads it: the built-in defaults, then sluice.toml (or the file named with --config), then the
/// environment (`SLUICE__SECTION__KEY`). A key that does not exist, or a value that is none, is named, with exit code 2.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Show every key with its default and what it is for, ready to be saved as sluice.toml.
    #[arg(long)]
    defaults: bool,
    /// Show it as JSON.
    #[arg(long, conflicts_with = "defaults")]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the configuration is wrong.
pub fn run(arguments: &ConfigArgs, file: Option<&Path>) -> Result<(), Failure> {
    if arguments.defaults {
        say(DEFAULTS.trim_end());
        return Ok(());
    }
    let config = Config::load(file)?;
    let text = match arguments.json {
        true => serde_json::to_string_pretty(&config).map_err(|error| Failure::failed(&error))?,
        false => toml::to_string(&config).map_err(|error| Failure::failed(&error))?,
    };
    say(text.trim_end());
    Ok(())
}
