//! What a decision says: its status, its reason, and what became of each release that was considered.
//! Each is named once, here, with the code that goes out on the wire.

use crate::domain::{named_enum, subscription};

named_enum! {
    /// The answer in one word (contract section 4, `GET /api/v1/check`).
    Status, "status" {
        /// There is an update, and the asker may have it.
        UpdateAvailable = "update_available",
        /// Nothing to do.
        UpToDate = "up_to_date",
        /// There is something newer that the asker has no right to.
        NotEntitled = "not_entitled",
        /// There is an update, for later.
        Deferred = "deferred",
        /// The vendor sees to updates.
        Managed = "managed",
        /// The client does not fit its server, and nothing that would fit exists.
        Incompatible = "incompatible",
        /// The vendor has stopped all updates.
        Blocked = "blocked",
    }
}

named_enum! {
    /// Why, where the status alone does not say it (contract section 3).
    Reason, "reason" {
        /// The license key is one of another product (rule 1).
        WrongProduct = "wrong_product",
        /// A stop covers the channel (rule 3).
        Stopped = "stopped",
        /// There is no subscription, and what is newer needs one (rule 6).
        LicenseRequired = "license_required",
        /// The subscription has not begun (rule 6).
        SubscriptionPending = "subscription_pending",
        /// The subscription has ended (rule 6).
        SubscriptionExpired = "subscription_expired",
        /// The subscription was set aside (rule 6).
        SubscriptionSuspended = "subscription_suspended",
        /// The subscription was ended (rule 6).
        SubscriptionCancelled = "subscription_cancelled",
        /// The rollout has not reached this site (rule 7).
        RolloutPending = "rollout_pending",
        /// The rollout is paused (rule 5).
        RolloutPaused = "rollout_paused",
        /// The rollout was halted (rule 5).
        RolloutHalted = "rollout_halted",
        /// What is newer cannot be reached from this version (rule 8).
        NoPath = "no_path",
        /// The subscription is pinned to older versions (rule 4).
        Pinned = "pinned",
        /// The version in use was withdrawn (rule 12).
        CurrentYanked = "current_yanked",
        /// The site's maintenance window is closed (rule 9).
        OutsideMaintenanceWindow = "outside_maintenance_window",
        /// As many sites of the hosting group as may are being updated (rule 9).
        GroupBusy = "group_busy",
        /// A multi-user client did not say what its server is (rule 10).
        ServerVersionRequired = "server_version_required",
        /// No client that the server accepts exists (rule 10a).
        NoCompatibleClient = "no_compatible_client",
    }
}

impl Reason {
    /// The reason for which a subscription in this status is refused a release (rule 6).
    #[must_use]
    pub const fn of_status(status: subscription::Status) -> Self {
        match status {
            subscription::Status::Pending => Self::SubscriptionPending,
            subscription::Status::Suspended => Self::SubscriptionSuspended,
            subscription::Status::Cancelled => Self::SubscriptionCancelled,
            // Active and grace refuse nothing; the match is total so that a new status cannot be forgotten.
            subscription::Status::Expired | subscription::Status::Active | subscription::Status::Grace => {
                Self::SubscriptionExpired
            }
        }
    }
}

named_enum! {
    /// What became of one release that was considered.
    Verdict, "verdict" {
        /// It is the offer.
        Offered = "offered",
        /// It comes after the offer, in the path.
        OnPath = "on_path",
        /// It could be had, and a higher one is offered.
        Superseded = "superseded",
        /// Its channel is less stable than the one that answers (rule 2).
        OtherChannel = "other_channel",
        /// It is a draft (rule 4).
        Draft = "draft",
        /// Its `published_at` is still to come (rule 4).
        Scheduled = "scheduled",
        /// It was yanked (rule 4).
        Yanked = "yanked",
        /// The subscription's `version_req` leaves it out (rule 4).
        Pinned = "pinned",
        /// It has no file for the component, platform and arch (rule 4).
        NoArtifact = "no_artifact",
        /// Its rollout is paused (rule 5).
        RolloutPaused = "rollout_paused",
        /// Its rollout was halted (rule 5).
        RolloutHalted = "rollout_halted",
        /// Nobody without a subscription may have it (rule 6).
        LicenseRequired = "license_required",
        /// The subscription does not cover it: it has not begun (rule 6).
        SubscriptionPending = "subscription_pending",
        /// The subscription does not cover it: it had ended (rule 6).
        SubscriptionExpired = "subscription_expired",
        /// The subscription does not cover it: it was set aside (rule 6).
        SubscriptionSuspended = "subscription_suspended",
        /// The subscription does not cover it: it was ended (rule 6).
        SubscriptionCancelled = "subscription_cancelled",
        /// The rollout has not reached this site (rule 7).
        RolloutPending = "rollout_pending",
        /// It cannot be reached from the current version (rule 8).
        NoPath = "no_path",
        /// It would be offered, inside the maintenance window (rule 9).
        OutsideMaintenanceWindow = "outside_maintenance_window",
        /// It would be offered, once other sites of the hosting group are through (rule 9).
        GroupBusy = "group_busy",
        /// The server does not accept this client (rule 10).
        NotAccepted = "not_accepted",
        /// It is a client above its server (rule 10).
        AboveServer = "above_server",
    }
}
