//! What goes over the wire between this program and the publisher API (contract section 4). Fields that this
//! program does not use are not named; a server may add some.

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

/// A release as the server has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Release {
    /// Its version, as it was written.
    pub version: Version,
    /// Its channel.
    pub channel: Slug,
    /// Where it stands.
    pub state: ReleaseState,
    /// From when it is offered.
    pub published_at: Option<Timestamp>,
    /// How much it matters.
    pub severity: Severity,
    /// Who it is for.
    pub access: Access,
    /// The lowest version that can update straight to it.
    pub min_from: Option<Version>,
    /// The client versions that a server program of this version accepts.
    pub compatible_clients: Option<Requirement>,
    /// What changed, in Markdown by locale.
    pub notes: BTreeMap<LanguageTag, String>,
    /// Its files.
    pub artifacts: Vec<Artifact>,
    /// Why it was withdrawn.
    pub yank_reason: Option<String>,
}

/// A file as the server has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Artifact {
    /// The program it updates.
    pub component: Component,
    /// The operating system it is for.
    pub platform: Platform,
    /// The architecture it is for.
    pub arch: Arch,
    /// Its form.
    pub kind: ArtifactKind,
    /// The name it is offered under.
    pub filename: Filename,
    /// Bytes.
    pub size: u64,
    /// Of the content.
    pub sha256: Sha256,
    /// The vendor's own signature.
    pub signature: Option<String>,
}

/// The body of `POST …/releases`.
#[derive(Debug, Serialize)]
pub struct NewRelease<'a> {
    /// Its version.
    pub version: &'a Version,
    /// What else is said about it.
    #[serde(flatten)]
    pub said: Changes<'a>,
}

/// The body of `PATCH …/releases/{version}`: what is to change, and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes<'a> {
    /// Another channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<&'a Slug>,
    /// Another severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Other readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Another stepping stone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_from: Option<&'a Version>,
    /// Other clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatible_clients: Option<&'a Requirement>,
    /// All notes, those that stay as they are included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<BTreeMap<&'a LanguageTag, &'a str>>,
}

/// The body of `POST …/publish`.
#[derive(Debug, Serialize)]
pub struct Publication<'a> {
    /// From when it is offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// How many get it at first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutStart<'a>>,
    /// That it is published although something is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<Force<'a>>,
}

/// The answer of `POST …/publish` where a second person is to approve it.
#[derive(Clone, Debug, Deserialize)]
pub struct Asked {
    /// What waits for them.
    pub approval: Approval,
}

/// What waits for a second person.
#[derive(Clone, Debug, Deserialize)]
pub struct Approval {
    /// Its id.
    pub id: String,
    /// From when on it can no longer be approved.
    pub expires_at: Timestamp,
}

/// What became of a publication.
#[derive(Clone, Debug)]
pub enum Published {
    /// The release is published.
    Done(Box<Release>),
    /// A second person is to approve it.
    Asked(Approval),
}

/// How a rollout begins.
#[derive(Debug, Serialize)]
pub struct RolloutStart<'a> {
    /// How many get it at first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Percent>,
    /// How far it opens by itself, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<&'a [Stage]>,
    /// When it is halted by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halt: Option<Halt>,
}

/// Why a check is passed over.
#[derive(Debug, Serialize)]
pub struct Force<'a> {
    /// In words.
    pub reason: &'a str,
}

/// The answer of `POST …/publish?dry_run=true`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rehearsal {
    /// Whether it would be published.
    pub would_publish: bool,
    /// Whether a second person would have to approve it.
    #[serde(default)]
    pub needs_approval: bool,
    /// What was found.
    pub findings: Vec<Finding>,
    /// When it would first be offered.
    pub offered_from: Timestamp,
    /// By what subscriptions are then: how many would be offered it.
    pub offered: BTreeMap<String, u64>,
    /// How many subscriptions of the product there are.
    pub sites: u64,
}

/// Something that was found. Codes are texts here: a server may know more of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of thing.
    pub code: String,
    /// The field of the release that it is about.
    pub field: String,
    /// What is wrong.
    pub message: String,
}
