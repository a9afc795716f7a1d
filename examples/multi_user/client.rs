//! The client program of a multi-user installation, at its start.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    stand_in::{Schedule, Session, SharedFolder},
    updater::{
        command_line::{self, CommonArguments},
        config::Config,
        ending::{self, Ending},
        failure::Failure,
        update::Updater,
        wire::{Component, Offer, Trigger},
    },
};

/// Flags of the client program.
#[derive(clap::Args)]
pub struct ClientArguments {
    /// When to disconnect users and update the server: `now`, or a time such as 2027-01-31T22:00:00Z. Asked for when
    /// left out.
    #[arg(long, value_name = "TIME")]
    schedule_at: Option<String>,
    /// Who gets an e-mail when the server is updated. Asked for when left out.
    #[arg(long, value_name = "ADDRESS")]
    notify_email: Option<String>,
    /// Then connect to the server as this user and work until the time is up or the server closes.
    #[arg(long, value_name = "NAME")]
    work_as: Option<String>,
    /// How long to work.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    work_seconds: u64,
}

/// One start of the client program.
pub fn run(common: &CommonArguments, own: &ClientArguments) -> Result<Ending, Failure> {
    let config = Config::load(&common.config)?;
    let shared = SharedFolder::of(&config)?;
    let mut updater = Updater::open(config, Component::Client, common.backoff())?;
    if let Some(ending) = updater.settle()? {
        return Ok(ending);
    }
    if let Some(closing) = shared.closing()? {
        let message = String::from("The server is being updated.");
        return Ok(Ending::Deferred { message, next_window_at: Some(closing.at) });
    }

    // The handshake with its server tells the client which version that is. The vendor's answer hangs on it.
    let question = updater.question(Trigger::Startup, shared.server()?)?;
    let answer = updater.check(&question)?;
    let ending = match ending::offered(&answer) {
        Ok(offer) if offer.applies_to == Component::Server => schedule(common, own, &shared, &answer.message, offer)?,
        Ok(offer) => {
            // A client that its server would turn away cannot work: nothing to ask then.
            command_line::show_offer(&answer.message, offer);
            if offer.mandatory || common.confirm("Update now?") {
                return updater.carry_out(&question, &answer, None);
            }
            Ending::Declined
        }
        Err(ending) => ending,
    };
    if let Some(user) = &own.work_as {
        work(&shared, user, Duration::from_secs(own.work_seconds))?;
    }
    Ok(ending)
}

/// The server has an update: when, and who is to be told?
fn schedule(
    common: &CommonArguments,
    own: &ClientArguments,
    shared: &SharedFolder,
    message: &str,
    offer: &Offer,
) -> Result<Ending, Failure> {
    command_line::show_offer(message, offer);
    let interactive = || {
        if common.yes { None } else { command_line::ask("Update the server when? [time, now, or nothing]") }
    };
    let Some(at) = own.schedule_at.clone().or_else(interactive) else {
        return Ok(Ending::Declined);
    };
    let at = match at.as_str() {
        "now" => crate::updater::now(),
        text => {
            text.parse().map_err(|error| Failure::internal("time_invalid", format!("{text} is no time: {error}")))?
        }
    };
    let interactive = || {
        if common.yes { None } else { command_line::ask("Who is to get an e-mail? [address, or nothing]") }
    };
    let notify_email = own.notify_email.clone().or_else(interactive);

    let version = offer.version.clone();
    shared.leave_schedule(&Schedule { version: version.clone(), at, notify_email })?;
    Ok(Ending::Scheduled { version, at })
}

/// A user at work, until done or until the server closes.
fn work(shared: &SharedFolder, user: &str, how_long: Duration) -> Result<(), Failure> {
    let session = shared.connect(user, &Session { busy: false })?;
    println!("{user} is connected.");
    let start = Instant::now();
    while start.elapsed() < how_long {
        if !session.exists() {
            println!("{user} was disconnected.");
            return Ok(());
        }
        if let Some(closing) = shared.closing()? {
            println!("The server closes at {}. {user} saves and leaves.", closing.at);
            break;
        }
        thread::sleep(Duration::from_millis(200));
    }
    super::updater::durable::remove(&session)
}
