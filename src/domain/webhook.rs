//! Webhooks: other systems of the vendor's that are told of events (<https://www.standardwebhooks.com>).

use jiff::{SignedDuration, Timestamp};

use super::{
    delivery::Delivery,
    id::{ProductId, WebhookId, WebhookMessageId},
    named_enum,
};

named_enum! {
    /// What can be told of.
    WebhookEvent, "event" {
        /// A release is out, for the first time or once more after a yank.
        ReleasePublished = "release.published",
        /// A release was withdrawn.
        ReleaseYanked = "release.yanked",
        /// A rollout was halted.
        ReleaseHalted = "release.halted",
        /// Something takes a second person, who is to approve or reject it.
        ApprovalRequested = "approval.requested",
        /// An update did not work, or was not heard of again.
        RunFailed = "run.failed",
        /// A subscription was made or changed.
        SubscriptionChanged = "subscription.changed",
    }
}

/// After a rotation messages are signed with the secret before too, for so long.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// Where a system wants to be told, and of what.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// The address that messages are sent to.
    pub url: String,
    /// The events it is told of.
    pub events: Vec<WebhookEvent>,
    /// The only product it is told about.
    pub product: Option<ProductId>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Counts its secrets, which are derived and not stored.
    pub secret_number: i64,
    /// When it got the present secret, unless that is its first.
    pub rotated_at: Option<Timestamp>,
    /// When it was entered.
    pub created_at: Timestamp,
    /// Counts changes, for `If-Match`.
    pub revision: i64,
}

impl Webhook {
    /// Whether it is to be told of such an event about this product.
    #[must_use]
    pub fn wants(&self, event: WebhookEvent, product: ProductId) -> bool {
        self.enabled && self.events.contains(&event) && self.product.is_none_or(|only| only == product)
    }

    /// The numbers of the secrets that a message is signed with: the present one, and for a day the one before.
    pub fn secret_numbers(&self, now: Timestamp) -> impl Iterator<Item = i64> {
        let overlaps = self.rotated_at.is_some_and(|at| now.duration_since(at) < OVERLAP);
        [Some(self.secret_number), overlaps.then(|| self.secret_number.saturating_sub(1))].into_iter().flatten()
    }
}

/// A message to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookMessage {
    /// Its id, the `webhook-id` of every try.
    pub id: WebhookMessageId,
    /// To which webhook.
    pub webhook: WebhookId,
    /// What it tells of; nothing is told twice.
    pub cause: String,
    /// Which event.
    pub event: WebhookEvent,
    /// The bytes that every try sends.
    pub payload: String,
    /// How its delivery stands.
    pub delivery: Delivery,
}
