//! Webhooks: the vendor's other systems that are notified of events (<https://www.standardwebhooks.com>).

use jiff::{SignedDuration, Timestamp};

use super::{
    id::{ProductId, WebhookId},
    named_enum,
};

named_enum! {
    /// An event that webhooks can subscribe to.
    WebhookEvent, "event" {
        /// A release was published, or restored after a yank.
        ReleasePublished = "release.published",
        ReleaseYanked = "release.yanked",
        ReleaseHalted = "release.halted",
        /// An approval request waits for a second person.
        ApprovalRequested = "approval.requested",
        /// An update failed or was lost.
        RunFailed = "run.failed",
        /// A subscription was created or changed.
        SubscriptionChanged = "subscription.changed",
    }
}

/// How long the previous secret still signs after a rotation.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// A receiver of events.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Webhook {
    pub id: WebhookId,
    pub url: String,
    pub events: Vec<WebhookEvent>,
    /// The only product whose events are sent; `None` for all.
    pub product: Option<ProductId>,
    pub enabled: bool,
    /// The number of the current secret. Secrets are derived from it, not stored.
    pub secret_number: i64,
    /// When the current secret was made; `None` for the first one.
    pub rotated_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Counts changes, for `If-Match`.
    pub revision: i64,
}

impl Webhook {
    /// Whether it subscribes to this event of this product.
    #[must_use]
    pub fn wants(&self, event: WebhookEvent, product: ProductId) -> bool {
        self.enabled && self.events.contains(&event) && self.product.is_none_or(|only| only == product)
    }

    /// The numbers of the secrets that sign messages: the current one and, for a day, the previous one.
    pub fn secret_numbers(&self, now: Timestamp) -> impl Iterator<Item = i64> {
        let overlaps = self.rotated_at.is_some_and(|at| now.duration_since(at) < OVERLAP);
        [Some(self.secret_number), overlaps.then(|| self.secret_number.saturating_sub(1))].into_iter().flatten()
    }
}
