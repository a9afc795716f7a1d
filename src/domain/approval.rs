//! The two-person rule: one person requests an action, a second one approves it.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    actor::Actor,
    id::{ApprovalId, ProductId, UserId},
    named_enum,
    role::Role,
    subject::Subject,
    version::Version,
};

named_enum! {
    /// An action that needs two people if the product has the rule: everything that brings a release, or a withheld
    /// one, to customers, and everything that would turn the rule off.
    #[schema(as = Deed)]
    ApprovalAction, "approval action" {
        Publish = "publish",
        /// Undo a yank.
        Restore = "restore",
        /// Move a release to a more stable channel.
        Promote = "promote",
        /// Resume a halted rollout.
        ResumeHalt = "resume_halt",
        LiftStop = "lift_stop",
        /// Turn the rule off, or change the order of the channels.
        ChangeProduct = "change_product",
        /// Add a trusted publisher.
        Trust = "trust",
    }
}

impl ApprovalAction {
    /// The roles that may approve it.
    #[must_use]
    pub const fn approvers(self) -> &'static [Role] {
        match self {
            Self::Publish | Self::Restore | Self::Promote | Self::ResumeHalt | Self::LiftStop => RELEASERS,
            Self::ChangeProduct | Self::Trust => &[Role::Owner],
        }
    }
}

/// The roles that may approve actions on releases.
pub const RELEASERS: &[Role] = &[Role::Owner, Role::ReleaseManager];

named_enum! {
    /// The status of an approval request.
    ApprovalStatus, "approval status" {
        Pending = "pending",
        /// It was approved and carried out.
        Approved = "approved",
        /// It was rejected, or withdrawn by the requester.
        Rejected = "rejected",
        Expired = "expired",
        /// Its subject has changed since, so the request no longer applies.
        Void = "void",
    }
}

named_enum! {
    /// The outcome of a decision.
    ApprovalVerdict, "verdict" {
        Approved = "approved",
        Rejected = "rejected",
    }
}

/// A decision on an approval request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalDecision {
    pub verdict: ApprovalVerdict,
    pub by: UserId,
    /// The e-mail address of the user who decided.
    pub name: String,
    pub at: Timestamp,
    pub note: Option<String>,
}

/// An approval request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub id: ApprovalId,
    pub product: ProductId,
    pub deed: ApprovalAction,
    pub subject: Subject,
    /// The version of the release, if the action is on one.
    pub version: Option<Version>,
    /// The parameters of the action.
    pub parameters: Value,
    /// The state of the subject at the time of the request. If it differs from the current one, the request is void.
    pub fingerprint: String,
    pub requested_by: Actor,
    /// The user that the request counts for; for a token, the user who created it. `None` if there is no such user.
    pub requester: Option<UserId>,
    pub requested_at: Timestamp,
    pub expires_at: Timestamp,
    pub decision: Option<ApprovalDecision>,
}

impl Approval {
    /// The status, given the current fingerprint of the subject.
    #[must_use]
    pub fn status(&self, now: Timestamp, fingerprint: Option<&str>) -> ApprovalStatus {
        match &self.decision {
            Some(ApprovalDecision { verdict: ApprovalVerdict::Approved, .. }) => ApprovalStatus::Approved,
            Some(ApprovalDecision { verdict: ApprovalVerdict::Rejected, .. }) => ApprovalStatus::Rejected,
            None if now >= self.expires_at => ApprovalStatus::Expired,
            None if fingerprint != Some(self.fingerprint.as_str()) => ApprovalStatus::Void,
            None => ApprovalStatus::Pending,
        }
    }
}
