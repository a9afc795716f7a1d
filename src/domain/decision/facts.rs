//! What a decision is made from. Everything is in here: there is nothing else to look up.

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
    /// What made the program ask.
    Trigger, "trigger" {
        /// It was started.
        Startup = "startup",
        /// A person asked, or scheduled the update that is now carried out.
        Manual = "manual",
        /// It asks by itself from time to time.
        Scheduled = "scheduled",
    }
}

/// What the program that asks says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which program it is.
    pub component: Component,
    /// Its version.
    pub version: Version,
    /// Its operating system.
    pub platform: Platform,
    /// Its machine.
    pub arch: MachineArch,
    /// The form of file it can install, if only one will do.
    pub kind: Option<FullKind>,
    /// The channel it asks on, one of the product's.
    pub channel: Slug,
    /// Which installation it is.
    pub installation: Option<InstallationId>,
    /// A client's: the version of its server.
    pub server_version: Option<Version>,
    /// A client's: the operating system of its server.
    pub server_platform: Option<Platform>,
    /// A client's: the machine of its server.
    pub server_arch: Option<MachineArch>,
    /// What made it ask.
    pub trigger: Trigger,
}

/// Who asks (contract section 3, rule 1).
#[derive(Clone, Copy, Debug)]
pub enum Entitlement<'a> {
    /// Somebody without a license key.
    Nobody,
    /// The holder of a key of another product.
    OtherProduct,
    /// The holder of a key of this subscription, with its hosting group, if it has one.
    Subscriber(&'a Coverage, Option<&'a HostingGroup>),
}

/// Whether the other sites of a hosting group leave room for one more to be updated (rule 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// They do, or the group has no limit.
    #[default]
    Free,
    /// As many as may are being updated, and the one that asks is none of them.
    Taken,
}

/// Everything a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The moment for which the decision is made.
    pub now: Timestamp,
    /// The product asked about.
    pub product: &'a Product,
    /// All of its releases, drafts too, in ascending order of their versions.
    pub releases: &'a [Arc<Release>],
    /// Its stops.
    pub stops: &'a [Stop],
    /// What the program says of itself.
    pub check: &'a Check,
    /// Who asks.
    pub entitlement: Entitlement<'a>,
    /// What is known of the group's slots; matters only where [`Self::hosted`] says so and the group has a limit.
    pub slot: Slot,
}

impl<'a> Facts<'a> {
    /// The subscription and the group of a hosted server, where one asks: only such a one is bound to a window, and to the
    /// slots of its group (rule 9).
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
