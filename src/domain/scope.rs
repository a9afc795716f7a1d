//! What an API token may do.

use super::named_enum;

named_enum! {
    /// One right of an API token.
    Scope, "scope" {
        /// See releases and products.
        ReleasesRead = "releases:read",
        /// Make drafts and upload artifacts.
        ReleasesWrite = "releases:write",
        /// Publish, yank, restore, promote, correct, steer rollouts, and stop a product.
        ReleasesPublish = "releases:publish",
        /// Lift a stop: a right of its own, so that no pipeline does it by the way.
        StopsLift = "stops:lift",
        /// See customers, subscriptions, installations and runs.
        SubscriptionsRead = "subscriptions:read",
        /// Change customers and subscriptions.
        SubscriptionsWrite = "subscriptions:write",
    }
}

impl Scope {
    /// Whether a token with this scope may do what `needed` asks: writing brings reading with it.
    #[must_use]
    pub fn grants(self, needed: Self) -> bool {
        self == needed
            || match needed {
                Self::ReleasesRead => matches!(self, Self::ReleasesWrite | Self::ReleasesPublish | Self::StopsLift),
                Self::SubscriptionsRead => self == Self::SubscriptionsWrite,
                _ => false,
            }
    }
}
