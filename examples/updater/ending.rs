//! How a start of an updater ends: what the person is told, and the exit code for a script.

use std::process::ExitCode;

use jiff::Timestamp;
use semver::Version;

use super::{
    failure::Failure,
    wire::{Answer, Offer, Status},
};

/// What came of it.
#[derive(Clone, Debug)]
pub enum Ending {
    /// There is nothing to do. The sentence is the server's.
    UpToDate(String),
    /// The new version is in place.
    Updated {
        /// Instead of this one.
        from: Version,
        /// This one.
        to: Version,
    },
    /// The update is set for later.
    Scheduled {
        /// To this version.
        version: Version,
        /// When.
        at: Timestamp,
    },
    /// There is an update that the subscription does not cover.
    NotEntitled {
        /// The server's sentence.
        message: String,
        /// Where to renew.
        renew_url: Option<String>,
    },
    /// There is an update, but not now.
    Deferred {
        /// The server's sentence.
        message: String,
        /// When to ask again.
        next_window_at: Option<Timestamp>,
    },
    /// The vendor has stopped updates.
    Blocked(String),
    /// The person said no.
    Declined,
    /// No client program fits the server program.
    Incompatible(String),
    /// It failed, and everything is as before.
    RolledBack {
        /// What failed.
        because: Failure,
        /// Where to find help.
        help_url: Option<String>,
    },
    /// It failed, and so did bringing the old state back. The next start tries that again.
    Broken {
        /// What failed last.
        because: Failure,
        /// Where to find help.
        help_url: Option<String>,
    },
}

impl Ending {
    /// The exit code, one per case that a script would treat differently.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::UpToDate(_) | Self::Updated { .. } | Self::Scheduled { .. } => 0,
            Self::NotEntitled { .. } => 10,
            Self::Deferred { .. } => 11,
            Self::Blocked(_) => 12,
            Self::Declined => 13,
            Self::Incompatible(_) => 14,
            Self::RolledBack { .. } => 20,
            Self::Broken { .. } => 21,
        }
    }

    /// Tells the person.
    pub fn show(&self) {
        match self {
            Self::UpToDate(message) | Self::Blocked(message) | Self::Incompatible(message) => {
                println!("{message}");
            }
            Self::Updated { from, to } => println!("Updated from {from} to {to}."),
            Self::Scheduled { version, at } => println!("The update to {version} is set for {at}."),
            Self::Declined => println!("No update this time."),
            Self::NotEntitled { message, renew_url } => {
                println!("{message}");
                show_link("Renew it", renew_url.as_deref());
            }
            Self::Deferred { message, next_window_at } => {
                println!("{message}");
                if let Some(at) = next_window_at {
                    println!("The next window opens at {at}.");
                }
            }
            Self::RolledBack { because, help_url } => {
                println!("The update failed, and everything is as it was before: {because}");
                show_link("Help", help_url.as_deref());
            }
            Self::Broken { because, help_url } => {
                println!("The update failed, and the old version could not be brought back: {because}");
                println!("Do not start the program. The next start of the updater tries again.");
                show_link("Help", help_url.as_deref());
            }
        }
    }
}

/// The update that an answer offers, or what it means that it offers none.
pub fn offered(answer: &Answer) -> Result<&Offer, Ending> {
    let message = answer.message.clone();
    match (answer.status, &answer.update) {
        (Status::UpdateAvailable, Some(offer)) => Ok(offer),
        (Status::NotEntitled, _) => {
            let renew_url = answer.subscription.as_ref().and_then(|subscription| subscription.renew_url.clone());
            Err(Ending::NotEntitled { message, renew_url })
        }
        (Status::Deferred, _) => Err(Ending::Deferred { message, next_window_at: answer.next_window_at }),
        (Status::Blocked, _) => Err(Ending::Blocked(message)),
        (Status::Incompatible, _) => Err(Ending::Incompatible(message)),
        (Status::UpdateAvailable | Status::UpToDate | Status::Managed | Status::Unknown, _) => {
            Err(Ending::UpToDate(message))
        }
    }
}

/// The exit code of a start that could not even ask, for example because there is no network. The program itself can
/// start all the same: an update server that is away must never keep a customer from working.
const COULD_NOT_ASK: u8 = 30;

/// Tells the person how it ended, and the caller by the exit code.
#[must_use]
pub fn finish(result: Result<Ending, Failure>) -> ExitCode {
    match result {
        Ok(ending) => {
            ending.show();
            ExitCode::from(ending.exit_code())
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(COULD_NOT_ASK)
        }
    }
}

fn show_link(label: &str, url: Option<&str>) {
    if let Some(url) = url {
        println!("{label}: {url}");
    }
}
