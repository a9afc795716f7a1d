//! The canonical release manifest: the published content in the form that is signed (RFC 8785).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    artifact::{ArtifactKind, Filename, Sha256},
    id::{ArtifactId, ReleaseId},
    locale::LanguageTag,
    platform::{Arch, Component, Platform},
    release::{Access, Release, Severity},
    slug::Slug,
    version::{Requirement, Version},
};

/// What an updater can rely on about a release. The channel and the rollout are not part of it: they say who is offered
/// the release and when, and may change.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Manifest {
    /// The version of this document's form: 1.
    pub schema: u32,
    /// The product's slug.
    pub product: Slug,
    /// The release's id.
    pub release: ReleaseId,
    /// The release's version.
    pub version: Version,
    /// 1 at publication, plus one for every correction.
    pub revision: i64,
    /// From when it is offered.
    pub published_at: Timestamp,
    /// How urgent the update is.
    pub severity: Severity,
    /// Who may install it.
    pub access: Access,
    /// The lowest version that can update directly to it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min_from: Option<Version>,
    /// The client versions that a server of this version accepts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub compatible_clients: Option<Requirement>,
    /// The release notes in Markdown, by language.
    pub notes: BTreeMap<LanguageTag, String>,
    /// The files, ordered by name.
    pub artifacts: Vec<ManifestArtifact>,
}

/// A signed manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedManifest {
    pub release: ReleaseId,
    /// 1 at publication, plus one for every correction.
    pub revision: i64,
    /// The canonical JSON.
    pub body: Vec<u8>,
    /// The Ed25519 signature of the body.
    pub signature: Vec<u8>,
    pub key_id: String,
}

/// A file in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct ManifestArtifact {
    /// The artifact's id.
    pub id: ArtifactId,
    /// The program that it updates.
    pub component: Component,
    /// The operating system.
    pub platform: Platform,
    /// The architecture.
    pub arch: Arch,
    /// The form of the file.
    pub kind: ArtifactKind,
    /// The file's name.
    pub filename: Filename,
    /// The size in bytes.
    pub size: u64,
    /// The SHA-256 of the content.
    pub sha256: Sha256,
    /// The vendor's own signature of the file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature: Option<String>,
}

impl Manifest {
    /// The manifest of a release; `None` for a draft.
    #[must_use]
    pub fn of(product: &Slug, release: &Release) -> Option<Self> {
        let mut artifacts: Vec<ManifestArtifact> = release
            .artifacts
            .iter()
            .map(|artifact| ManifestArtifact {
                id: artifact.id,
                component: artifact.component,
                platform: artifact.platform,
                arch: artifact.arch,
                kind: artifact.kind,
                filename: artifact.filename.clone(),
                size: artifact.size,
                sha256: artifact.sha256,
                signature: artifact.signature.clone(),
            })
            .collect();
        artifacts.sort_by(|left, right| (&left.filename, left.id).cmp(&(&right.filename, right.id)));
        Some(Self {
            schema: 1,
            product: product.clone(),
            release: release.id,
            version: release.version.clone(),
            revision: release.manifest_revision,
            published_at: release.published_at?,
            severity: release.severity,
            access: release.access,
            min_from: release.min_from.clone(),
            compatible_clients: release.compatible_clients.clone(),
            notes: release.notes.clone(),
            artifacts,
        })
    }

    /// The bytes that are stored, signed and served.
    pub fn canonical(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json_canonicalizer::to_vec(self)
    }
}
