//! The vocabulary of decisions: status, reason, and the verdict on each release. Each has one name, here, which is also
//! its code on the wire.

use crate::domain::{named_enum, subscription};

named_enum! {
    /// The answer in one word (contract section 4, `GET /api/v1/check`).
    Status, "status" {
        UpdateAvailable = "update_available",
        UpToDate = "up_to_date",
        /// A newer release exists that the subscription does not cover.
        NotEntitled = "not_entitled",
        /// The update is offered later.
        Deferred = "deferred",
        /// The vendor manages the updates.
        Managed = "managed",
        /// The client does not match its server, and no release would.
        Incompatible = "incompatible",
        Blocked = "blocked",
    }
}

named_enum! {
    /// Why, if the status alone does not say it (contract section 3).
    Reason, "reason" {
        /// The license key belongs to another product (rule 1).
        WrongProduct = "wrong_product",
        /// A stop covers the channel (rule 3).
        Stopped = "stopped",
        /// There is no subscription, and newer releases need one (rule 6).
        LicenseRequired = "license_required",
        /// Rule 6.
        SubscriptionPending = "subscription_pending",
        /// Rule 6.
        SubscriptionExpired = "subscription_expired",
        /// Rule 6.
        SubscriptionSuspended = "subscription_suspended",
        /// Rule 6.
        SubscriptionCancelled = "subscription_cancelled",
        /// The rollout has not reached this site (rule 7).
        RolloutPending = "rollout_pending",
        /// Rule 5.
        RolloutPaused = "rollout_paused",
        /// Rule 5.
        RolloutHalted = "rollout_halted",
        /// No newer release can be reached from this version (rule 8).
        NoPath = "no_path",
        /// The subscription is pinned to older versions (rule 4).
        Pinned = "pinned",
        /// The current version was withdrawn (rule 12).
        CurrentYanked = "current_yanked",
        /// The site's maintenance window is closed (rule 9).
        OutsideMaintenanceWindow = "outside_maintenance_window",
        /// The hosting group is at its limit (rule 9).
        GroupBusy = "group_busy",
        /// A multi-user client did not send its server's version (rule 10).
        ServerVersionRequired = "server_version_required",
        /// The server accepts no existing client (rule 10a).
        NoCompatibleClient = "no_compatible_client",
    }
}

impl Reason {
    /// The reason for which a subscription with this status is refused a release (rule 6).
    #[must_use]
    pub const fn of_status(status: subscription::Status) -> Self {
        match status {
            subscription::Status::Pending => Self::SubscriptionPending,
            subscription::Status::Suspended => Self::SubscriptionSuspended,
            subscription::Status::Cancelled => Self::SubscriptionCancelled,
            // Active and grace refuse nothing. The match is complete so that a new status cannot be forgotten.
            subscription::Status::Expired | subscription::Status::Active | subscription::Status::Grace => {
                Self::SubscriptionExpired
            }
        }
    }
}

named_enum! {
    /// What became of one release that was considered.
    Verdict, "verdict" {
        Offered = "offered",
        /// It follows the offer on the path.
        OnPath = "on_path",
        /// It could be offered, but a higher one is.
        Superseded = "superseded",
        /// Its channel is less stable than the answering one (rule 2).
        OtherChannel = "other_channel",
        /// Rule 4.
        Draft = "draft",
        /// Its `published_at` is in the future (rule 4).
        Scheduled = "scheduled",
        /// Rule 4.
        Yanked = "yanked",
        /// The subscription's `version_req` excludes it (rule 4).
        Pinned = "pinned",
        /// It has no file for the component, platform and architecture (rule 4).
        NoArtifact = "no_artifact",
        /// Rule 5.
        RolloutPaused = "rollout_paused",
        /// Rule 5.
        RolloutHalted = "rollout_halted",
        /// It requires a subscription (rule 6).
        LicenseRequired = "license_required",
        /// The subscription has not begun (rule 6).
        SubscriptionPending = "subscription_pending",
        /// The subscription had ended (rule 6).
        SubscriptionExpired = "subscription_expired",
        /// The subscription is suspended (rule 6).
        SubscriptionSuspended = "subscription_suspended",
        /// The subscription is cancelled (rule 6).
        SubscriptionCancelled = "subscription_cancelled",
        /// The rollout has not reached this site (rule 7).
        RolloutPending = "rollout_pending",
        /// It cannot be reached from the current version (rule 8).
        NoPath = "no_path",
        /// It would be offered in the maintenance window (rule 9).
        OutsideMaintenanceWindow = "outside_maintenance_window",
        /// It would be offered once the hosting group has a free slot (rule 9).
        GroupBusy = "group_busy",
        /// The server does not accept this client version (rule 10).
        NotAccepted = "not_accepted",
        /// The client version would be above its server's (rule 10).
        AboveServer = "above_server",
    }
}
