//! The causes of mails and webhook messages. The text of a cause is unique in the database, so that nothing is sent
//! twice. It is stored, so its form must not change.

use std::{convert::Infallible, fmt, str::FromStr};

use jiff::civil::Date;

use super::{
    id::{ApprovalId, ReleaseId, RunId, SubscriptionId},
    run::Outcome,
    webhook::WebhookEvent,
};

/// The cause of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailCause {
    /// A run has ended.
    Run {
        run: RunId,
        /// Runs of different subscriptions are different runs, even with the same id.
        subscription: SubscriptionId,
        outcome: Outcome,
    },
    /// A rollout was halted.
    Halted {
        release: ReleaseId,
        /// The release's revision after the halt.
        revision: i64,
        /// A member of staff; each gets a mail.
        recipient: String,
    },
    /// Subscriptions end soon.
    Ending {
        /// The day of the mail, in UTC.
        day: Date,
        /// A member of staff; each gets a mail.
        recipient: String,
    },
    /// A cause that this version does not know.
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

/// The cause of a webhook message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookCause {
    /// A change of a release.
    Release {
        /// `release.published`, `release.yanked` or `release.halted`.
        event: WebhookEvent,
        release: ReleaseId,
        /// The revision after the change.
        revision: i64,
    },
    ApprovalRequested(ApprovalId),
    /// A run failed or was lost.
    RunFailed {
        /// The subscription that the run counts against: the number of messages per subscription is limited.
        subscription: SubscriptionId,
        run: RunId,
        /// `None` if the run was lost.
        outcome: Option<Outcome>,
    },
    /// A subscription was added or changed.
    SubscriptionChanged {
        subscription: SubscriptionId,
        /// The revision after the change.
        revision: i64,
    },
    /// A cause that this version does not know.
    Other(String),
}

/// The text for the outcome of a lost run, which has none.
const LOST: &str = "lost";

impl WebhookCause {
    /// The subscription that the message counts against, if such messages are limited.
    #[must_use]
    pub const fn account(&self) -> Option<SubscriptionId> {
        match self {
            Self::RunFailed { subscription, .. } => Some(*subscription),
            _ => None,
        }
    }

    /// The beginning of all causes that count against a subscription; the id of a run follows.
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
