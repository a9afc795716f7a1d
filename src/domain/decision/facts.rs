//! The input of a decision. It is complete: nothing else is looked up.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{
    artifact::FullKind,
    hosting_group::HostingGroup,
    id::InstallationId,
    named_enum,
    platform::{Component, MachineArch, Platform},
    product::Product,
    release::Release,
    slug::Slug,
    stop::Stop,
    subscription::{Coverage, Deployment},
    version::Version,
};

named_enum! {
    /// Why the program asks.
    Trigger, "trigger" {
        /// The program was started.
        Startup = "startup",
        /// A person asked, or scheduled the update that now begins.
        Manual = "manual",
        /// A periodic check.
        Scheduled = "scheduled",
    }
}

/// The request of the program that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub component: Component,
    pub version: Version,
    pub platform: Platform,
    pub arch: MachineArch,
    /// The form of file that it can install, if only one.
    pub kind: Option<FullKind>,
    /// The channel, which is one of the product's.
    pub channel: Slug,
    pub installation: Option<InstallationId>,
    /// For a client: the version of its server.
    pub server_version: Option<Version>,
    /// For a client: the operating system of its server.
    pub server_platform: Option<Platform>,
    /// For a client: the architecture of its server.
    pub server_arch: Option<MachineArch>,
    pub trigger: Trigger,
}

/// Who asks (contract section 3, rule 1).
#[derive(Clone, Copy, Debug)]
pub enum Entitlement<'a> {
    /// No license key.
    Nobody,
    /// A license key of another product.
    OtherProduct,
    /// A license key of this subscription, with its hosting group, if any.
    Subscriber(&'a Coverage, Option<&'a HostingGroup>),
}

/// Whether another site of a hosting group can be updated (rule 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// There is room, or no limit.
    #[default]
    Free,
    /// The group is at its limit, and this site holds no slot.
    Taken,
}

/// Everything that a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub now: Timestamp,
    pub product: &'a Product,
    /// All releases of the product, drafts included, by ascending version.
    pub releases: &'a [Arc<Release>],
    pub stops: &'a [Stop],
    pub check: &'a Check,
    pub entitlement: Entitlement<'a>,
    /// Whether the group has a free slot. It matters only if [`Self::hosted`] returns a group with a limit.
    pub slot: Slot,
}

impl<'a> Facts<'a> {
    /// The subscription and group of a hosted server; `None` for all others. Only hosted servers are bound to windows
    /// and slots (rule 9).
    #[must_use]
    pub fn hosted(&self) -> Option<(&'a Coverage, &'a HostingGroup)> {
        match self.entitlement {
            Entitlement::Subscriber(coverage, Some(group))
                if coverage.deployment == Deployment::Cloud && self.check.component == Component::Server =>
            {
                Some((coverage, group))
            }
            _ => None,
        }
    }
}
