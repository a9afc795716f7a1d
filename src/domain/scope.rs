//! Scopes of API tokens.

use super::named_enum;

named_enum! {
    /// A right of an API token.
    Scope, "scope" {
        /// Read releases and products.
        ReleasesRead = "releases:read",
        /// Create drafts and upload artifacts.
        ReleasesWrite = "releases:write",
        /// Publish, yank, restore, promote and correct releases, control rollouts, and stop a product.
        ReleasesPublish = "releases:publish",
        /// Lift a stop. It is a separate right, so that a pipeline does not get it by accident.
        StopsLift = "stops:lift",
        /// Read customers, subscriptions, installations and runs.
        SubscriptionsRead = "subscriptions:read",
        /// Change customers and subscriptions.
        SubscriptionsWrite = "subscriptions:write",
    }
}

impl Scope {
    /// Whether a token with this scope has the right `needed`. Writing includes reading.
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
