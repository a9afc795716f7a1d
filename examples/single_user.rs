//! Flow 1: a single-user program that updates itself.
//!
//! It asks at start-up. If there is a newer version and the subscription covers it, it shows what is new; on yes it
//! downloads, saves the database, replaces the program's folder, brings the database to the new version, and says so. If
//! anything fails, program and database are as before, and the user is shown where to find help.
//!
//! ```sh
//! cargo run --example single_user -- --config updater.toml
//! ```

use std::process::ExitCode;

use clap::Parser;

use updater::{
    command_line::{self, CommonArguments},
    config::Config,
    ending::{self, Ending},
    failure::Failure,
    update::Updater,
    wire::{Component, Trigger},
};

#[path = "updater/mod.rs"]
#[expect(dead_code, reason = "the library is shared, and no flow uses all of it")]
mod updater;

/// Updates a single-user program.
#[derive(Parser)]
#[command(after_help = command_line::EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    common: CommonArguments,
    /// The user chose Help > Check for update. Passes a staged rollout.
    #[arg(long)]
    manual: bool,
    /// Show the subscription, as an About box would, and do nothing else.
    #[arg(long)]
    about: bool,
}

fn main() -> ExitCode {
    ending::finish(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let config = Config::load(&arguments.common.config)?;
    let mut updater = Updater::open(config, Component::Standalone, arguments.common.backoff())?;

    // An update that was killed half-way comes first.
    if let Some(ending) = updater.settle()? {
        return Ok(ending);
    }
    if arguments.about {
        let subscription = updater.subscription()?;
        let until = subscription.ends_on.as_deref().unwrap_or("no end");
        return Ok(Ending::UpToDate(format!("Subscription: {}, until {until}", subscription.status)));
    }

    let trigger = if arguments.manual { Trigger::Manual } else { Trigger::Startup };
    let question = updater.question(trigger, None)?;
    let answer = updater.check(&question)?;
    let offer = match ending::offered(&answer) {
        Ok(offer) => offer,
        Err(ending) => return Ok(ending),
    };

    // Killed during the download last time: the user has said yes already.
    let agreed = updater.under_way().is_some_and(|run| run.to == offer.version);
    if !agreed {
        command_line::show_offer(&answer.message, offer);
        if !arguments.common.confirm("Update now?") {
            return Ok(Ending::Declined);
        }
    }
    // Here your program would quit, and a small helper of its own would do the rest: on Windows a running program
    // cannot be replaced.
    updater.carry_out(&question, &answer, None)
}
