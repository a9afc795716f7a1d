//! The canonical release manifest: what was published, in the one form that is signed (RFC 8785).

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

/// What an updater can rely on about a release. Channel and rollout are not in it: they say who is offered the
/// release and when, and may change.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Manifest {
    /// The form of this document: 1.
    pub schema: u32,
    /// The product's slug.
    pub product: Slug,
    /// The release's id.
    pub release: ReleaseId,
    /// Its version.
    pub version: Version,
    /// 1 at publication, one more with every correction.
    pub revision: i64,
    /// From when it is offered.
    pub published_at: Timestamp,
    /// How much it matters.
    pub severity: Severity,
    /// Who it is for.
    pub access: Access,
    /// The lowest version that can update straight to it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min_from: Option<Version>,
    /// The client versions that a server program of this version accepts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub compatible_clients: Option<Requirement>,
    /// What changed, in Markdown by locale.
    pub notes: BTreeMap<LanguageTag, String>,
    /// Its files, in the order of their names.
    pub artifacts: Vec<ManifestArtifact>,
}

/// A manifest as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedManifest {
    /// Of which release.
    pub release: ReleaseId,
    /// 1 at publication, one more with every correction.
    pub revision: i64,
    /// The canonical JSON.
    pub body: Vec<u8>,
    /// The Ed25519 signature of the body.
    pub signature: Vec<u8>,
    /// The key it was signed with.
    pub key_id: String,
}

/// A file in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct ManifestArtifact {
    /// Its id.
    pub id: ArtifactId,
    /// The program it updates.
    pub component: Component,
    /// The operating system it is for.
    pub platform: Platform,
    /// The architecture it is for.
    pub arch: Arch,
    /// Its form.
    pub kind: ArtifactKind,
    /// The name it is saved under.
    pub filename: Filename,
    /// Bytes.
    pub size: u64,
    /// Of the content.
    pub sha256: Sha256,
    /// The vendor's own signature of the file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature: Option<String>,
}

impl Manifest {
    /// The manifest of a release that has a `published_at`; `None` on a draft.
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
