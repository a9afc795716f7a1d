//! Installations: the content of their last check.

use jiff::Timestamp;

use super::{
    id::{InstallationId, ProductId, ReleaseId, SubscriptionId},
    locale::LanguageTag,
    platform::{Component, MachineArch, Platform},
    slug::Slug,
    version::Version,
};

/// One check of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    pub installation: InstallationId,
    pub product: ProductId,
    pub subscription: Option<SubscriptionId>,
    pub component: Component,
    pub version: Version,
    pub platform: Platform,
    pub arch: MachineArch,
    /// The channel that answered.
    pub channel: Slug,
    /// The language that was requested.
    pub locale: Option<LanguageTag>,
    /// The offered release, if any.
    pub offered: Option<ReleaseId>,
    pub seen_at: Timestamp,
}
