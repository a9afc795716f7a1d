//! The updater of the server program of a multi-user installation.
//!
//! It runs beside the server program as a service and waits for a person's wish. After an update it ends, so that the
//! service manager starts the new version.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    stand_in::{DrainArguments, SharedFolder},
    updater::{
        command_line::CommonArguments,
        config::Config,
        ending::{self, Ending},
        failure::Failure,
        state::Phase,
        update::Updater,
        wire::{Component, ServerProgram, Trigger},
    },
};

/// Flags of the server program.
#[derive(clap::Args)]
pub struct ServerArguments {
    #[command(flatten)]
    drain: DrainArguments,
    /// Do what is to be done now, and end.
    #[arg(long)]
    once: bool,
    /// How often to look for a person's wish.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    poll_seconds: u64,
}

/// Waits for a schedule, and carries it out at its time.
pub fn run(common: &CommonArguments, own: &ServerArguments) -> Result<Ending, Failure> {
    let config = Config::load(&common.config)?;
    let shared = SharedFolder::of(&config)?;
    let (platform, arch) = (config.platform.clone(), config.arch.clone());
    let mut updater = Updater::open(config, Component::Server, common.backoff())?;

    let settled = updater.settle()?;
    // A kill may have left the doors closed.
    shared.open_doors()?;
    let here_i_am = |updater: &Updater| {
        let version = updater.installed()?;
        shared.announce(&ServerProgram { version, platform: platform.clone(), arch: arch.clone() })
    };
    here_i_am(&updater)?;
    if let Some(ending) = settled {
        return Ok(ending);
    }

    let mut not_before = Instant::now();
    loop {
        if let Some(wish) = shared.schedule()? {
            updater.schedule(wish.version, wish.at, wish.notify_email)?;
            shared.schedule_taken()?;
        }
        let due = match updater.under_way() {
            None => false,
            Some(run) if run.scheduled_for.is_some_and(|at| at > crate::updater::now()) => {
                if run.phase == Phase::Scheduled {
                    prefetch(&mut updater);
                }
                false
            }
            Some(_) => Instant::now() >= not_before,
        };
        if due {
            let ending = update(&mut updater, &shared, own.drain);
            // Whatever came of it, users may come back, and see which version they find.
            shared.open_doors()?;
            here_i_am(&updater)?;
            match ending {
                // Stopped or put off by the vendor: the whole field asks again later, not at once and for ever.
                Ok(Ending::Blocked(_) | Ending::Deferred { .. }) if !own.once => {
                    not_before = Instant::now() + ASK_AGAIN;
                }
                ending => return ending,
            }
        }
        if own.once {
            return Ok(match updater.under_way().and_then(|run| Some((run.to.clone(), run.scheduled_for?))) {
                Some((version, at)) => Ending::Scheduled { version, at },
                None => Ending::UpToDate(String::from("No update of the server is scheduled.")),
            });
        }
        thread::sleep(Duration::from_secs(own.poll_seconds));
    }
}

/// When to ask again after the vendor has stopped updates or put them off.
const ASK_AGAIN: Duration = Duration::from_mins(15);

/// The download takes as long as it takes: done ahead, so that the time that the person chose is the time at which
/// users are disconnected.
fn prefetch(updater: &mut Updater) {
    let fetched = updater.question(Trigger::Manual, None).and_then(|question| {
        let answer = updater.check(&question)?;
        if answer.update.is_some() { updater.prefetch(&question, &answer) } else { Ok(()) }
    });
    if let Err(failure) = fetched {
        eprintln!("could not download ahead of time, will try again then: {failure}");
    }
}

/// The time has come.
fn update(updater: &mut Updater, shared: &SharedFolder, drain: DrainArguments) -> Result<Ending, Failure> {
    // `manual`, because a person scheduled it: it passes a staged rollout.
    let question = updater.question(Trigger::Manual, None)?;
    let answer = updater.check(&question)?;
    match ending::offered(&answer) {
        Ok(_) => updater.carry_out(&question, &answer, Some(&mut || shared.disconnect_all(drain))),
        Err(ending) => Ok(ending),
    }
}
