//! Mails.

use super::{
    cause::MailCause,
    delivery::Delivery,
    id::{MailId, SubscriptionId},
    named_enum,
};

named_enum! {
    /// The kind of a mail.
    MailKind, "kind of mail" {
        /// To the person who started an update.
        RunSucceeded = "run_succeeded",
        /// To the person who started an update.
        RunFailed = "run_failed",
        /// To the vendor's staff.
        ReleaseHalted = "release_halted",
        /// To the vendor's staff.
        SubscriptionsEnding = "subscriptions_ending",
    }
}

/// A mail in plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The id in its `Message-ID`; the same for every attempt.
    pub id: MailId,
    /// What it tells of; nothing is told twice.
    pub cause: MailCause,
    pub kind: MailKind,
    /// One plain address.
    pub recipient: String,
    /// The subscription whose daily limit it counts against; `None` for mail to staff.
    pub subscription: Option<SubscriptionId>,
    pub subject: String,
    pub body: String,
    pub delivery: Delivery,
}
