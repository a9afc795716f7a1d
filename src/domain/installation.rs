//! Installations: what the last check of each said about itself.

use jiff::Timestamp;

use super::{
    id::{InstallationId, ProductId, ReleaseId, SubscriptionId},
    locale::LanguageTag,
    platform::{Component, MachineArch, Platform},
    slug::Slug,
    version::Version,
};

/// What one check told about its installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Who it was.
    pub installation: InstallationId,
    /// Of which product.
    pub product: ProductId,
    /// On whose subscription.
    pub subscription: Option<SubscriptionId>,
    /// Which program.
    pub component: Component,
    /// Its version.
    pub version: Version,
    /// Its operating system.
    pub platform: Platform,
    /// Its machine.
    pub arch: MachineArch,
    /// The channel it was answered on.
    pub channel: Slug,
    /// The language it asked for.
    pub locale: Option<LanguageTag>,
    /// The release that it was offered, if any.
    pub offered: Option<ReleaseId>,
    /// When.
    pub seen_at: Timestamp,
}
