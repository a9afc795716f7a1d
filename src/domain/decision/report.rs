//! The output of a decision: what is offered, or why nothing is, and the verdict on every release.

use jiff::Timestamp;

use super::reason::{Reason, Status, Verdict};
use crate::domain::{
    artifact::Artifact, platform::Component, release::Release, slug::Slug, stop::Stop, version::Version,
};

/// A decision.
#[derive(Clone, Debug)]
#[must_use]
pub struct Decision<'a> {
    pub status: Status,
    /// Why, if the status alone does not say it.
    pub reason: Option<Reason>,
    /// The answering channel (rule 2).
    pub channel: &'a Slug,
    /// Only with [`Status::UpdateAvailable`].
    pub offer: Option<Offer<'a>>,
    /// The highest release that the entitlement excludes (rule 12).
    pub newer: Option<&'a Release>,
    /// When the site should ask again for its maintenance window; only with [`Reason::OutsideMaintenanceWindow`].
    pub next_window_at: Option<Timestamp>,
    /// The stop in force; only with [`Status::Blocked`].
    pub stop: Option<&'a Stop>,
    /// The state of the current version.
    pub current: Current,
    /// The verdict on each considered release above the current version, in ascending order. For a client: first the
    /// releases above its server's version as servers, then those above its own as clients. For a client that its
    /// server refuses (rule 10a): all releases. Empty if an earlier rule decided.
    pub trace: Vec<Considered<'a>>,
}

/// The catalogue's information on the current version.
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
    /// The program to update.
    pub applies_to: Component,
    /// Whether it must be installed (rule 11).
    pub mandatory: bool,
    /// Whether the client's server demands it, upwards or downwards (rule 10a).
    pub matches_server: bool,
    /// This release and the following hops (rule 8).
    pub path: Vec<&'a Version>,
    /// The file to download; `None` if a client is told of its server's update.
    pub artifact: Option<&'a Artifact>,
    /// With a server's offer: the client files of that release.
    pub companions: Vec<&'a Artifact>,
    /// The releases whose notes describe the changes, newest first.
    pub notes: Vec<&'a Release>,
}

/// The verdict on one release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Considered<'a> {
    pub version: &'a Version,
    /// The program that it was considered for.
    pub component: Component,
    pub verdict: Verdict,
}
