//! Mails: what people are told who do not look at a screen of Sluice's.

use super::{
    delivery::Delivery,
    id::{MailId, SubscriptionId},
    named_enum,
};

named_enum! {
    /// What a mail is about.
    MailKind, "kind of mail" {
        /// To the person who started an update: it is done.
        RunSucceeded = "run_succeeded",
        /// To the person who started an update: it did not work.
        RunFailed = "run_failed",
        /// To the vendor's staff: a rollout was halted.
        ReleaseHalted = "release_halted",
        /// To the vendor's staff: subscriptions are about to end.
        SubscriptionsEnding = "subscriptions_ending",
    }
}

/// A mail, in plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its id, which its `Message-ID` is made of: every try has the same.
    pub id: MailId,
    /// What it tells of; nothing is told twice.
    pub cause: String,
    /// What it is about.
    pub kind: MailKind,
    /// One plain address.
    pub recipient: String,
    /// On whose account it is sent, where it is not to staff.
    pub subscription: Option<SubscriptionId>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
    /// How its delivery stands.
    pub delivery: Delivery,
}
