//! What a person may do.

use super::named_enum;

named_enum! {
    /// What a person is there for. Which rights that brings is written beside each right.
    Role, "role" {
        /// Everything, people and tokens too.
        Owner = "owner",
        /// Products and their releases, from the draft to the end of a rollout, and stops.
        ReleaseManager = "release_manager",
        /// Customers, subscriptions, keys and known problems; puts a stop on, but does not lift it.
        Support = "support",
        /// Sees, and changes nothing.
        Viewer = "viewer",
    }
}
