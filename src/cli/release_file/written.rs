//! The form of `release.toml`, before paths are resolved and values are combined.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::{
    domain::{
        artifact::{ArtifactKind, Filename},
        locale::LanguageTag,
        platform::{Arch, Component, Platform},
        release::{Access, Severity},
        rollout::{Percent, Stage},
        slug::Slug,
        version::{Requirement, Version},
    },
    services::releasing::roll_out::Halt,
};

/// The whole file. Values that may turn out to be wrong later keep their place in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenRelease {
    pub product: Slug,
    pub version: Version,
    pub channel: Option<Slug>,
    pub severity: Option<Severity>,
    pub access: Option<Access>,
    pub min_from: Option<Version>,
    pub compatible_clients: Option<Requirement>,
    #[serde(default)]
    pub notes: BTreeMap<LanguageTag, String>,
    #[serde(default)]
    pub notes_files: BTreeMap<LanguageTag, Spanned<String>>,
    pub artifacts: Vec<Spanned<WrittenArtifact>>,
    #[serde(default)]
    pub publish: WrittenPublish,
}

/// One `[[artifacts]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenArtifact {
    pub path: Spanned<String>,
    pub component: Component,
    pub platform: Platform,
    pub arch: Arch,
    #[serde(default = "installer")]
    pub kind: ArtifactKind,
    pub filename: Option<Filename>,
    pub signature: Option<Spanned<String>>,
    pub signature_file: Option<Spanned<String>>,
}

/// `[publish]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenPublish {
    pub published_at: Option<Spanned<toml::Value>>,
    pub percent: Option<Percent>,
    pub stages: Option<Vec<Stage>>,
    pub halt: Option<Halt>,
    pub force_reason: Option<Spanned<String>>,
}

/// The kind that the server assumes if none is given.
const fn installer() -> ArtifactKind {
    ArtifactKind::Installer
}
