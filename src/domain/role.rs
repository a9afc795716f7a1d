//! Roles of users.

use super::named_enum;

named_enum! {
    /// The role of a user, which decides what the user may do.
    Role, "role" {
        /// Everything, including users and tokens.
        Owner = "owner",
        /// Products, releases, rollouts and stops.
        ReleaseManager = "release_manager",
        /// Customers, subscriptions, license keys and known problems; can set a stop but not lift it.
        Support = "support",
        /// Reads everything, changes nothing.
        Viewer = "viewer",
    }
}
