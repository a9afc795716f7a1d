//! What a mail, or a message to a webhook, tells of. Its text is unique in the database, so that nothing is told twice; it
//! is stored, so it stays as it is.

use std::{convert::Infallible, fmt, str::FromStr};

use jiff::civil::Date;

use super::{
    id::{ApprovalId, ReleaseId, RunId, SubscriptionId},
    run::Outcome,
    webhook::WebhookEvent,
};

/// What a mail tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailCause {
    /// A run has ended.
    Run {
        /// The run.
        run: RunId,
        /// Whose run it is: runs of two subscriptions differ, even where their updaters made the same id.
        subscription: SubscriptionId,
        /// How it has ended.
        outcome: Outcome,
    },
    /// A rollout was halted.
    Halted {
        /// The release.
        release: ReleaseId,
        /// The release's revision with the halt.
        revision: i64,
        /// One of the staff; each gets a mail.
        recipient: String,
    },
    /// Subscriptions are about to end.
    Ending {
        /// The day of the mail, in UTC.
        day: Date,
        /// One of the staff; each gets a mail.
        recipient: String,
    },
    /// One that this version does not know.
    Other(String),
}

impl MailCause {
    fn read(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "run" => {
                let [run, subscription, outcome] = parts(rest)?;
                let (subscription, outcome) = (subscription.parse().ok()?, outcome.parse().ok()?);
                Some(Self::Run { run: run.parse().ok()?, subscription, outcome })
            }
            "halted" => {
                let [release, revision, recipient] = parts(rest)?;
                let (revision, recipient) = (revision.parse().ok()?, recipient.to_owned());
                Some(Self::Halted { release: release.parse().ok()?, revision, recipient })
            }
            "ending" => {
                let [day, recipient] = parts(rest)?;
                Some(Self::Ending { day: day.parse().ok()?, recipient: recipient.to_owned() })
            }
            _ => None,
        }
    }
}

impl fmt::Display for MailCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { run, subscription, outcome } => write!(formatter, "run:{run}:{subscription}:{outcome}"),
            Self::Halted { release, revision, recipient } => {
                write!(formatter, "halted:{release}:{revision}:{recipient}")
            }
            Self::Ending { day, recipient } => write!(formatter, "ending:{day}:{recipient}"),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

impl FromStr for MailCause {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::read(text).unwrap_or_else(|| Self::Other(text.to_owned())))
    }
}

/// What a message to a webhook tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookCause {
    /// What became of a release.
    Release {
        /// `release.published`, `release.yanked` or `release.halted`.
        event: WebhookEvent,
        /// The release.
        release: ReleaseId,
        /// Its revision with that.
        revision: i64,
    },
    /// A second person was asked for.
    ApprovalRequested(ApprovalId),
    /// A run has failed, or is lost.
    RunFailed {
        /// Whose run it is: only a limited number of the runs of one subscription is told of.
        subscription: SubscriptionId,
        /// The run.
        run: RunId,
        /// How it has ended; `None` where it is lost.
        outcome: Option<Outcome>,
    },
    /// A subscription was added or changed.
    SubscriptionChanged {
        /// The subscription.
        subscription: SubscriptionId,
        /// Its revision with that.
        revision: i64,
    },
    /// One that this version does not know.
    Other(String),
}

/// How the outcome of a lost run, which has none, is written.
const LOST: &str = "lost";

impl WebhookCause {
    /// The subscription on whose account the message is sent, where such messages are limited.
    #[must_use]
    pub const fn account(&self) -> Option<SubscriptionId> {
        match self {
            Self::RunFailed { subscription, .. } => Some(*subscription),
            _ => None,
        }
    }

    /// How the texts of all causes on a subscription's account begin; the id of a run follows.
    #[must_use]
    pub fn account_prefix(subscription: SubscriptionId) -> String {
        format!("{}:{subscription}:", WebhookEvent::RunFailed)
    }

    fn read(text: &str) -> Option<Self> {
        let (event, rest) = text.split_once(':')?;
        match event.parse().ok()? {
            event @ (WebhookEvent::ReleasePublished | WebhookEvent::ReleaseYanked | WebhookEvent::ReleaseHalted) => {
                let [release, revision] = parts(rest)?;
                Some(Self::Release { event, release: release.parse().ok()?, revision: revision.parse().ok()? })
            }
            WebhookEvent::ApprovalRequested => rest.parse().ok().map(Self::ApprovalRequested),
            WebhookEvent::RunFailed => {
                let [subscription, run, outcome] = parts(rest)?;
                let outcome = if outcome == LOST { None } else { Some(outcome.parse().ok()?) };
                Some(Self::RunFailed { subscription: subscription.parse().ok()?, run: run.parse().ok()?, outcome })
            }
            WebhookEvent::SubscriptionChanged => {
                let [subscription, revision] = parts(rest)?;
                let (subscription, revision) = (subscription.parse().ok()?, revision.parse().ok()?);
                Some(Self::SubscriptionChanged { subscription, revision })
            }
        }
    }
}

impl fmt::Display for WebhookCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release { event, release, revision } => write!(formatter, "{event}:{release}:{revision}"),
            Self::ApprovalRequested(id) => write!(formatter, "{}:{id}", WebhookEvent::ApprovalRequested),
            Self::RunFailed { subscription, run, outcome } => {
                let outcome = outcome.map_or(LOST, Outcome::as_str);
                write!(formatter, "{}{run}:{outcome}", Self::account_prefix(*subscription))
            }
            Self::SubscriptionChanged { subscription, revision } => {
                write!(formatter, "{}:{subscription}:{revision}", WebhookEvent::SubscriptionChanged)
            }
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

impl FromStr for WebhookCause {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::read(text).unwrap_or_else(|| Self::Other(text.to_owned())))
    }
}

/// The parts of a text between colons, of which only the last may have colons itself.
fn parts<const COUNT: usize>(text: &str) -> Option<[&str; COUNT]> {
    text.splitn(COUNT, ':').collect::<Vec<_>>().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0199a0de-0000-7000-8000-000000000001";
    const TWO: &str = "0199a0de-0000-7000-8000-000000000002";

    #[test]
    fn the_cause_of_a_mail_reads_back_from_its_text() {
        for text in [
            format!("run:{ONE}:{TWO}:rolled_back"),
            format!("halted:{ONE}:7:anna@example.com"),
            "ending:2026-11-29:anna@example.com".to_owned(),
        ] {
            let cause: MailCause = text.parse().unwrap_or_else(|never| match never {});
            assert!(!matches!(cause, MailCause::Other(_)), "{text}");
            assert_eq!(cause.to_string(), text);
        }
    }

    #[test]
    fn the_cause_of_a_message_reads_back_from_its_text() {
        for (text, has_account) in [
            (format!("release.published:{ONE}:7"), false),
            (format!("release.yanked:{ONE}:7"), false),
            (format!("release.halted:{ONE}:7"), false),
            (format!("approval.requested:{ONE}"), false),
            (format!("run.failed:{ONE}:{TWO}:failed"), true),
            (format!("run.failed:{ONE}:{TWO}:lost"), true),
            (format!("subscription.changed:{ONE}:7"), false),
        ] {
            let cause: WebhookCause = text.parse().unwrap_or_else(|never| match never {});
            assert!(!matches!(cause, WebhookCause::Other(_)), "{text}");
            assert_eq!(cause.to_string(), text);
            let account = has_account.then(|| ONE.parse().expect("an id"));
            assert_eq!(cause.account(), account, "{text}");
            let starts = account.is_some_and(|id| text.starts_with(&WebhookCause::account_prefix(id)));
            assert_eq!(starts, has_account, "{text}");
        }
    }

    #[test]
    fn a_cause_that_is_not_known_is_kept_as_it_is() {
        for text in ["", "demo:1", "run:1:2:failed", "halted:", "release.published:1:2", "run.failed:a:b:c"] {
            let mail: MailCause = text.parse().unwrap_or_else(|never| match never {});
            assert_eq!(mail, MailCause::Other(text.to_owned()));
            let message: WebhookCause = text.parse().unwrap_or_else(|never| match never {});
            assert_eq!(message, WebhookCause::Other(text.to_owned()));
        }
    }
}
