//! The answer: what is offered, or why nothing is, and what became of every release on the way.

use jiff::Timestamp;

use super::reason::{Reason, Status, Verdict};
use crate::domain::{
    artifact::Artifact, platform::Component, release::Release, slug::Slug, stop::Stop, version::Version,
};

/// What was decided.
#[derive(Clone, Debug)]
#[must_use]
pub struct Decision<'a> {
    /// The answer in one word.
    pub status: Status,
    /// Why, where the status alone does not say it.
    pub reason: Option<Reason>,
    /// The channel that answers (rule 2).
    pub channel: &'a Slug,
    /// What is offered; only with [`Status::UpdateAvailable`].
    pub offer: Option<Offer<'a>>,
    /// The highest release that entitlement holds back (rule 12).
    pub newer: Option<&'a Release>,
    /// When the site is to come for its maintenance window; only with [`Reason::OutsideMaintenanceWindow`].
    pub next_window_at: Option<Timestamp>,
    /// The stop that is in force; only with [`Status::Blocked`].
    pub stop: Option<&'a Stop>,
    /// What is to be said of the version that asks.
    pub current: Current,
    /// What became of each release that was considered: those above the version in use, in ascending order; of a client,
    /// first those above its server's version as servers, then those above its own as clients; of a client that its server
    /// refuses (rule 10a), all. Empty where it did not come to that.
    pub trace: Vec<Considered<'a>>,
}

/// What the catalogue says of the version in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// It was published and then yanked.
    pub yanked: bool,
    /// It is not below the product's `min_supported_version`.
    pub supported: bool,
}

/// An offer.
#[derive(Clone, Debug)]
pub struct Offer<'a> {
    /// The release to install next.
    pub release: &'a Release,
    /// Which program is to be updated.
    pub applies_to: Component,
    /// Whether it must be installed (rule 11).
    pub mandatory: bool,
    /// Whether it is what the asking client's server demands, upwards or downwards (rule 10a).
    pub matches_server: bool,
    /// This release and those that follow, hop by hop (rule 8).
    pub path: Vec<&'a Version>,
    /// The file to download; `None` where a client is told of its server's update.
    pub artifact: Option<&'a Artifact>,
    /// With a server's offer: the client files of that release.
    pub companions: Vec<&'a Artifact>,
    /// The releases whose notes tell what changes, newest first.
    pub notes: Vec<&'a Release>,
}

/// What became of one release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Considered<'a> {
    /// Its version.
    pub version: &'a Version,
    /// The program it was considered for.
    pub component: Component,
    /// What became of it.
    pub verdict: Verdict,
}
