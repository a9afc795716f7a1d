//! The bodies between this program and the publisher API (contract section 4). Fields that this program does not use
//! are left out; a server may add some.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        artifact::{ArtifactKind, Filename, Sha256},
        locale::LanguageTag,
        platform::{Arch, Component, Platform},
        release::{Access, ReleaseState, Severity},
        rollout::{Percent, Stage},
        slug::Slug,
        version::{Requirement, Version},
    },
    services::releasing::roll_out::Halt,
};

/// A release.
#[derive(Clone, Debug, Deserialize)]
pub struct Release {
    /// The version as the vendor wrote it.
    pub version: Version,
    pub channel: Slug,
    pub state: ReleaseState,
    /// From when it is offered.
    pub published_at: Option<Timestamp>,
    pub severity: Severity,
    pub access: Access,
    /// The lowest version that can update directly to it.
    pub min_from: Option<Version>,
    /// The client versions that a server of this version accepts.
    pub compatible_clients: Option<Requirement>,
    /// Markdown by language.
    pub notes: BTreeMap<LanguageTag, String>,
    pub artifacts: Vec<Artifact>,
    pub yank_reason: Option<String>,
}

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Artifact {
    pub component: Component,
    pub platform: Platform,
    pub arch: Arch,
    pub kind: ArtifactKind,
    pub filename: Filename,
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
    /// The vendor's own signature.
    pub signature: Option<String>,
}

/// The body of `POST …/releases`.
#[derive(Debug, Serialize)]
pub struct NewRelease<'a> {
    pub version: &'a Version,
    #[serde(flatten)]
    pub details: &'a Details,
}

/// The fields of a release that can be edited; the server keeps those that are `None`. The body of
/// `PATCH …/releases/{version}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Slug>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// The lowest version that can update straight to the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_from: Option<Version>,
    /// The client versions that a server program of the release accepts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatible_clients: Option<Requirement>,
    /// Markdown by locale. On the server it replaces all notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<BTreeMap<LanguageTag, String>>,
}

/// The body of `POST …/publish`.
#[derive(Debug, Serialize)]
pub struct Publication<'a> {
    /// From when it is offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutStart<'a>>,
    /// Set to publish although something required is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<Force<'a>>,
}

/// The answer of `POST …/publish` when a second person has to approve.
#[derive(Clone, Debug, Deserialize)]
pub struct Asked {
    pub approval: Approval,
}

/// An approval request.
#[derive(Clone, Debug, Deserialize)]
pub struct Approval {
    pub id: String,
    /// When the request can no longer be approved.
    pub expires_at: Timestamp,
}

/// What came of a publication.
#[derive(Clone, Debug)]
pub enum Published {
    Done(Box<Release>),
    /// A second person has to approve it.
    Asked(Approval),
}

/// How a rollout begins.
#[derive(Debug, Serialize)]
pub struct RolloutStart<'a> {
    /// The first percentage of sites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Percent>,
    /// Further stages and their times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<&'a [Stage]>,
    /// When the rollout is halted automatically.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halt: Option<Halt>,
}

/// Why missing requirements are ignored.
#[derive(Debug, Serialize)]
pub struct Force<'a> {
    pub reason: &'a str,
}

/// The answer of `POST …/publish?dry_run=true`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rehearsal {
    pub would_publish: bool,
    /// Whether a second person would have to approve it.
    #[serde(default)]
    pub needs_approval: bool,
    pub findings: Vec<Finding>,
    /// When it would first be offered.
    pub offered_from: Timestamp,
    /// The number of subscriptions that would be offered it, by subscription status.
    pub offered: BTreeMap<String, u64>,
    /// The number of subscriptions of the product.
    pub sites: u64,
}

/// A finding. Codes are texts here, because a newer server may know more of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    pub code: String,
    /// The field of the release that is concerned.
    pub field: String,
    pub message: String,
}
