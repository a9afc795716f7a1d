//! `sluice config`: shows the configuration, or checks that it works.

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{failure::Failure, machine::say};
use crate::{
    app,
    artifacts::{self, Examined},
    clock::{Clock as _, SystemClock},
    config::{Config, DEFAULTS},
    store::Store,
};

/// Show the configuration, secrets hidden; or check that it works.
///
/// It is read as `serve` reads it: the built-in defaults, then sluice.toml (or the file named with --config), then the
/// environment (`SLUICE__SECTION__KEY`). An unknown key or an invalid value is named, with exit code 2.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ConfigArgs {
    /// Show every key with its default and its description, ready to be saved as sluice.toml
    #[arg(long)]
    defaults: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "defaults")]
    json: bool,
    #[command(subcommand)]
    command: Option<ConfigCommand>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Test everything that the configuration names, before or while the server runs.
    ///
    /// Opens the database without changing it, and says what `serve` would do. In the artifact store a small probe is
    /// written, read, fetched by a signed link as a client would (through `storage.public_endpoint`), and deleted. The
    /// identity provider's discovery document is fetched. Each step is a line; each problem says what is wrong, where,
    /// and what to do.
    ///
    /// Exit codes: 0 everything works, 1 something does not, 2 the configuration is invalid.
    Check {
        /// Print one JSON object with the list of steps
        #[arg(long)]
        json: bool,
    },
}

/// Runs `sluice config`.
pub fn run(arguments: &ConfigArgs, file: Option<&Path>) -> Result<(), Failure> {
    if arguments.defaults {
        say(DEFAULTS.trim_end());
        return Ok(());
    }
    let config = Config::load(file)?;
    if let Some(ConfigCommand::Check { json }) = arguments.command {
        return check(&config, json);
    }
    let text = match arguments.json {
        true => serde_json::to_string_pretty(&config).map_err(|error| Failure::failed(&error))?,
        false => toml::to_string(&config).map_err(|error| Failure::failed(&error))?,
    };
    say(text.trim_end());
    Ok(())
}

fn check(config: &Config, as_json: bool) -> Result<(), Failure> {
    let mut done = vec![database(config)?];
    done.extend(artifacts::examine(app::artifact_options(config)?).map_err(|error| Failure::failed(&error))?);
    done.extend(identity_provider(config)?);
    let works = done.iter().all(|step| step.problem.is_none());
    if as_json {
        let steps: Vec<_> = done.iter().map(|step| json!({"what": step.what, "problem": step.problem})).collect();
        say(json!({"works": works, "checked": steps}));
    } else {
        for Examined { what, problem } in &done {
            match problem {
                None => say(format_args!("ok       {what}")),
                Some(problem) => say(format_args!("PROBLEM  {problem}")),
            }
        }
    }
    match works {
        true => Ok(()),
        false => Err(Failure { exit_code: 1, message: String::new() }),
    }
}

/// Fetches the discovery document of the identity provider, if one is configured.
fn identity_provider(config: &Config) -> Result<Option<Examined>, Failure> {
    let public_url = config.public_url(config.server.bind)?;
    let sign_on = app::single_sign_on(config, &public_url).map_err(|error| Failure::failed(&error))?;
    let Some(provider) = sign_on.map(|sign_on| sign_on.provider) else { return Ok(None) };
    let what = format!("the identity provider {} answers", provider.issuer());
    let answer = actix_web::rt::System::new().block_on(provider.examine(SystemClock.now()));
    let problem = answer.err().map(|error| format!("the identity provider {}: {error}", provider.issuer()));
    Ok(Some(Examined { what, problem }))
}

fn database(config: &Config) -> Result<Examined, Failure> {
    let url = config.database_url()?;
    // Opening a missing file would create it.
    if let Some(path) = url.strip_prefix("sqlite:").filter(|path| !Path::new(path).exists()) {
        let what = format!("the database {path} does not exist yet; `sluice serve` creates it");
        return Ok(Examined { what, problem: None });
    }
    let pending = Store::connect(&url, config.database.connections).and_then(|store| {
        let pending = store.pending().map_err(|error| error.at(store.place()))?;
        Ok((store.place().to_string(), pending.len()))
    });
    Ok(match pending {
        Ok((place, 0)) => Examined { what: format!("the database {place} is up to date"), problem: None },
        Ok((place, count)) => Examined {
            what: format!("the database {place} needs migrations ({count}); `sluice serve` runs them"),
            problem: None,
        },
        Err(error) => Examined { what: "the database".to_owned(), problem: Some(error.to_string()) },
    })
}
