//! Products.

use super::{
    channel::Channels,
    id::ProductId,
    line::Line,
    link::Link,
    locale::LanguageTag,
    named_enum,
    platform::{Arch, Component, Platform},
    slug::Slug,
    version::Version,
    zone::Zone,
};

named_enum! {
    /// What an expired subscription still covers.
    ExpiryPolicy, "expiry policy" {
        /// Releases that were published while it was covered.
        KeepPublished = "keep_published",
        None = "none",
    }
}

/// An artifact that every release of a product needs before its publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequiredArtifact {
    /// The program that the artifact is for.
    pub component: Component,
    /// The operating system that it runs on.
    pub platform: Platform,
    /// The architecture that it runs on.
    pub arch: Arch,
}

/// A product (contract section 2).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Product {
    pub id: ProductId,
    /// Never changes.
    pub slug: Slug,
    pub name: Line,
    /// The most stable first.
    pub channels: Channels,
    /// The language of texts if the requested one is missing.
    pub default_locale: LanguageTag,
    /// The page for users after a failed update.
    pub help_url: Option<Link>,
    /// The page to renew a subscription.
    pub renew_url: Option<Link>,
    /// What an expired subscription still covers.
    pub expiry_policy: ExpiryPolicy,
    /// Lower versions must update.
    pub min_supported_version: Option<Version>,
    /// The time zone of the days of its subscriptions.
    pub timezone: Zone,
    /// The artifacts that a release needs before its publication.
    pub required_artifacts: Vec<RequiredArtifact>,
    /// The languages of notes that a release needs before its publication.
    pub required_locales: Vec<LanguageTag>,
    /// Whether critical actions need a second person.
    pub two_person_rule: bool,
    /// Counts changes, for `If-Match`.
    pub revision: i64,
}
