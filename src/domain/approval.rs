//! The two-person rule: what one person asks for, and a second one approves.

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
    /// What takes two people, where a product has the rule: whatever brings a release, or what was withheld, to customers, and
    /// what would undo the rule.
    Deed, "deed" {
        /// Publish a draft.
        Publish = "publish",
        /// Take a yank back.
        Restore = "restore",
        /// Move a release to a more stable channel.
        Promote = "promote",
        /// Go on with a rollout that was halted.
        ResumeHalt = "resume_halt",
        /// Lift a stop.
        LiftStop = "lift_stop",
        /// Turn the rule off, or change the order of the channels.
        ChangeProduct = "change_product",
        /// Have the product trust a pipeline.
        Trust = "trust",
    }
}

impl Deed {
    /// The roles of which somebody who approves it has one.
    #[must_use]
    pub const fn approvers(self) -> &'static [Role] {
        match self {
            Self::Publish | Self::Restore | Self::Promote | Self::ResumeHalt | Self::LiftStop => RELEASERS,
            Self::ChangeProduct | Self::Trust => &[Role::Owner],
        }
    }
}

/// Who approves what concerns releases.
pub const RELEASERS: &[Role] = &[Role::Owner, Role::ReleaseManager];

named_enum! {
    /// How a request stands.
    ApprovalStatus, "approval status" {
        /// It waits for a second person.
        Pending = "pending",
        /// It was approved, and carried out with that.
        Approved = "approved",
        /// It was rejected, or withdrawn by who asked for it.
        Rejected = "rejected",
        /// Nobody decided in time.
        Expired = "expired",
        /// What it is about has changed since, so it would not be what was asked for.
        Void = "void",
    }
}

named_enum! {
    /// What was decided.
    Verdict, "verdict" {
        /// That it is done.
        Approved = "approved",
        /// That it is not.
        Rejected = "rejected",
    }
}

/// A decision on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub verdict: Verdict,
    /// By whom.
    pub by: UserId,
    /// Their e-mail address.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// What they said.
    pub note: Option<String>,
}

/// What one person asks for, and a second one is to approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// Of which product.
    pub product: ProductId,
    /// What is to be done.
    pub deed: Deed,
    /// To what.
    pub subject: Subject,
    /// Of which release, where it is about one.
    pub version: Option<Version>,
    /// How it was asked for.
    pub parameters: Value,
    /// What it is about, as it was then: where that is another by now, the request is void.
    pub fingerprint: String,
    /// Who asked for it.
    pub requested_by: Actor,
    /// The person it counts as asked by, of a token the one who made it. `None` where the server knows none.
    pub requester: Option<UserId>,
    /// When.
    pub requested_at: Timestamp,
    /// From when on it can no longer be approved.
    pub expires_at: Timestamp,
    /// What was decided.
    pub decision: Option<Decision>,
}

impl Approval {
    /// How it stands, given the fingerprint that what it is about has now.
    #[must_use]
    pub fn status(&self, now: Timestamp, fingerprint: Option<&str>) -> ApprovalStatus {
        match &self.decision {
            Some(Decision { verdict: Verdict::Approved, .. }) => ApprovalStatus::Approved,
            Some(Decision { verdict: Verdict::Rejected, .. }) => ApprovalStatus::Rejected,
            None if now >= self.expires_at => ApprovalStatus::Expired,
            None if fingerprint != Some(self.fingerprint.as_str()) => ApprovalStatus::Void,
            None => ApprovalStatus::Pending,
        }
    }
}
