//! Flow 3: a hosted installation. The vendor updates the server programs at night, and clients follow.
//!
//! ```sh
//! cargo run --example cloud -- server --config hosted.toml    # from a timer, every ten minutes
//! cargo run --example cloud -- client --config client.toml    # at the start of a client program
//! ```
//!
//! Nobody is asked anything: the vendor's server says `deferred` outside the maintenance window, and `managed` to a
//! client, unless that has to change to match its server.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use stand_in::{DrainArguments, SharedFolder};
use updater::{
    command_line::{self, CommonArguments},
    config::Config,
    ending::{self, Ending},
    failure::Failure,
    update::Updater,
    wire::{Component, ServerProgram, Trigger},
};

#[path = "../stand_in/mod.rs"]
#[expect(dead_code, reason = "shared with the multi-user flow, which schedules too")]
mod stand_in;
#[path = "../updater/mod.rs"]
#[expect(dead_code, reason = "the library is shared, and no flow uses all of it")]
mod updater;

/// Updates the programs of a hosted installation.
#[derive(Parser)]
#[command(after_help = command_line::EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    common: CommonArguments,
    #[command(subcommand)]
    program: Program,
}

#[derive(Subcommand)]
enum Program {
    /// The hosted server program: one look whether its time has come.
    Server(DrainArguments),
    /// The start of a client program.
    Client,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    ending::finish(match &arguments.program {
        Program::Server(drain) => server(&arguments.common, *drain),
        Program::Client => client(&arguments.common),
    })
}

fn server(common: &CommonArguments, drain: DrainArguments) -> Result<Ending, Failure> {
    let config = Config::load(&common.config)?;
    let shared = SharedFolder::of(&config)?;
    let (platform, arch) = (config.platform.clone(), config.arch.clone());
    let mut updater = Updater::open(config, Component::Server, common.backoff())?;

    let settled = updater.settle()?;
    let ending = match settled {
        Some(ending) => Ok(ending),
        None => update_hosted(&mut updater, &shared, drain),
    };
    // Whatever came of it, users may come back, and see which version they find.
    shared.open_doors()?;
    shared.announce(&ServerProgram { version: updater.installed()?, platform, arch })?;
    ending
}

fn update_hosted(updater: &mut Updater, shared: &SharedFolder, drain: DrainArguments) -> Result<Ending, Failure> {
    let question = updater.question(Trigger::Scheduled, None)?;
    let answer = updater.check(&question)?;
    match ending::offered(&answer) {
        Ok(_) => updater.carry_out(&question, &answer, Some(&mut || shared.disconnect_all(drain))),
        // Outside the window: the timer comes back; the answer says when it makes sense.
        Err(ending) => Ok(ending),
    }
}

fn client(common: &CommonArguments) -> Result<Ending, Failure> {
    let config = Config::load(&common.config)?;
    let shared = SharedFolder::of(&config)?;
    let mut updater = Updater::open(config, Component::Client, common.backoff())?;
    if let Some(ending) = updater.settle()? {
        return Ok(ending);
    }
    let question = updater.question(Trigger::Startup, shared.server()?)?;
    let answer = updater.check(&question)?;
    match ending::offered(&answer) {
        // Not asked: a client that does not match its server cannot work.
        Ok(_) => updater.carry_out(&question, &answer, None),
        Err(ending) => Ok(ending),
    }
}
