//! The input of a decision. It is complete: nothing else is looked up.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{
    artifact::FullKind,
    hosting_group::HostingGroup,
    id::InstallationId,
    locale::LanguageTag,
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

/// The request of the program that asks (contract section 4). The check reads it from its query, explain from its body,
/// and `sluice check` sends it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::IntoParams, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Check {
    /// The product's slug.
    #[param(example = "office-maker")]
    #[schema(example = "office-maker")]
    pub product: Slug,
    /// The program; default `standalone`.
    #[serde(default = "standalone")]
    #[param(inline, default = "standalone")]
    pub component: Component,
    /// Its version.
    #[param(example = "12.4.0")]
    pub version: Version,
    /// Its operating system.
    #[param(inline, example = "windows")]
    pub platform: Platform,
    /// Its machine.
    #[param(inline, example = "x86_64")]
    pub arch: MachineArch,
    /// The channel to check; default the product's most stable one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(example = "stable")]
    pub channel: Option<Slug>,
    /// The UUID that the updater chose for its installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installation: Option<InstallationId>,
    /// A client's: the version of its server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_version: Option<Version>,
    /// A client's: the operating system of its server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub server_platform: Option<Platform>,
    /// A client's: the machine of its server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub server_arch: Option<MachineArch>,
    /// The only kind of file that it can install; default any, an installer before an archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub kind: Option<FullKind>,
    /// The language for texts; default `Accept-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(example = "it")]
    pub locale: Option<LanguageTag>,
    /// The reason for the check; default `startup`.
    #[serde(default = "startup", skip_serializing_if = "is_startup")]
    #[param(inline, default = "startup")]
    pub trigger: Trigger,
    /// Whether it can apply deltas. No deltas are offered yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[param(default = false)]
    pub deltas: bool,
}

const fn standalone() -> Component {
    Component::Standalone
}

const fn startup() -> Trigger {
    Trigger::Startup
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_startup(trigger: &Trigger) -> bool {
    matches!(trigger, Trigger::Startup)
}

impl Check {
    /// A check with the parameters that every check has, and the defaults of the others.
    #[must_use]
    pub const fn new(product: Slug, version: Version, platform: Platform, arch: MachineArch) -> Self {
        Self {
            product,
            component: standalone(),
            version,
            platform,
            arch,
            channel: None,
            installation: None,
            server_version: None,
            server_platform: None,
            server_arch: None,
            kind: None,
            locale: None,
            trigger: startup(),
            deltas: false,
        }
    }
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
    /// The channel of the check, which is one of the product's.
    pub channel: &'a Slug,
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
