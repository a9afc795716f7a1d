//! Products: what the vendor sells.

use super::{
    channel::Channels,
    id::ProductId,
    locale::LanguageTag,
    named_enum,
    platform::{Arch, Component, Platform},
    slug::Slug,
    version::Version,
    zone::Zone,
};

named_enum! {
    /// What an expired subscription still gives.
    ExpiryPolicy, "expiry policy" {
        /// What was published while it was covered.
        KeepPublished = "keep_published",
        /// Nothing.
        None = "none",
    }
}

/// An artifact that every release of a product must have before it can be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequiredArtifact {
    /// The program.
    pub component: Component,
    /// Its operating system.
    pub platform: Platform,
    /// Its architecture.
    pub arch: Arch,
}

/// A product (contract section 2).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Its name in URLs; never changes.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// Its channels, the most stable first.
    pub channels: Channels,
    /// The language of texts when the asker's is not there.
    pub default_locale: LanguageTag,
    /// Where a failed update sends the user.
    pub help_url: Option<String>,
    /// Where a subscription is renewed.
    pub renew_url: Option<String>,
    /// What an expired subscription still gives.
    pub expiry_policy: ExpiryPolicy,
    /// Versions below it must update.
    pub min_supported_version: Option<Version>,
    /// Where the days of its subscriptions begin and end.
    pub timezone: Zone,
    /// What a release must have before it can be published.
    pub required_artifacts: Vec<RequiredArtifact>,
    /// The languages that a release's notes must have before it can be published.
    pub required_locales: Vec<LanguageTag>,
    /// Whether what matters most of it takes a second person.
    pub two_person_rule: bool,
    /// Counts changes, for `If-Match`.
    pub revision: i64,
}
