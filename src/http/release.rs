//! A release with its rollout and artifacts: its address and its body.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        artifact::{Artifact, ArtifactKind, Filename, Sha256},
        id::{ArtifactId, ReleaseId},
        platform::{Arch, Component, Platform},
        release::{Access, Release, ReleaseState, Severity},
        rollout::{Hours, Percent, RolloutState, Stage},
        slug::Slug,
        version::{Requirement, Version},
    },
    services::releasing::roll_out::Halt,
};

/// Where a release is.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReleasePath {
    /// The product's slug.
    #[param(example = "office-maker")]
    pub slug: Slug,
    /// The release's version.
    #[param(example = "13.0.0")]
    pub version: Version,
}

/// A rollout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rollout)]
pub struct RolloutBody {
    /// The percentage of sites included.
    #[schema(value_type = f64, minimum = 0, maximum = 100)]
    pub percent: Percent,
    /// The state of the rollout.
    pub state: RolloutState,
    /// The reason for the last pause, halt or resumption.
    pub reason: Option<String>,
    /// The stages in their order; each opens by itself.
    pub stages: Vec<StageBody>,
    /// The conditions for an automatic halt.
    pub halt: Halt,
}

/// A stage of a rollout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolloutStage)]
pub struct StageBody {
    /// The percentage of sites included from this stage on.
    #[schema(value_type = f64, minimum = 0, maximum = 100)]
    pub percent: Percent,
    /// The hours on the rollout's clock after which the stage opens.
    #[schema(value_type = f64)]
    pub after_hours: Hours,
    /// Whether the stage is open.
    pub opened: bool,
    /// When it is expected to open; `null` once it is open, and while the rollout's clock stands still.
    pub opens_at: Option<Timestamp>,
}

/// A release.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Release)]
#[expect(missing_docs, reason = "described where it is entered, in NewRelease, and in the fields that are not")]
pub struct ReleaseBody {
    pub id: ReleaseId,
    pub product: Slug,
    pub version: Version,
    pub channel: Slug,
    pub state: ReleaseState,
    /// When it is first offered; `null` on a draft.
    pub published_at: Option<Timestamp>,
    pub severity: Severity,
    pub access: Access,
    pub min_from: Option<Version>,
    pub compatible_clients: Option<Requirement>,
    pub notes: BTreeMap<String, String>,
    pub rollout: RolloutBody,
    pub artifacts: Vec<ArtifactBody>,
    /// The reason for the yank.
    pub yank_reason: Option<String>,
    pub created_at: Timestamp,
    /// The number of signed manifests: 0 on a draft, 1 at publication, one more with every correction.
    pub manifest_revision: i64,
}

impl ReleaseBody {
    /// The body for a release.
    #[must_use]
    pub fn of(product: &Slug, release: &Release) -> Self {
        Self {
            id: release.id,
            product: product.clone(),
            version: release.version.clone(),
            channel: release.channel.clone(),
            state: release.state,
            published_at: release.published_at,
            severity: release.severity,
            access: release.access,
            min_from: release.min_from.clone(),
            compatible_clients: release.compatible_clients.clone(),
            notes: release.notes.iter().map(|(locale, text)| (locale.to_string(), text.clone())).collect(),
            rollout: RolloutBody::of(release),
            artifacts: release.artifacts.iter().map(ArtifactBody::of).collect(),
            yank_reason: release.yank_reason.clone(),
            created_at: release.created_at,
            manifest_revision: release.manifest_revision,
        }
    }
}

impl RolloutBody {
    /// The body for the rollout of a release.
    #[must_use]
    pub fn of(release: &Release) -> Self {
        let rollout = &release.rollout;
        let stage = |(number, stage): (usize, &Stage)| StageBody {
            percent: stage.percent,
            after_hours: stage.after_hours,
            opened: number < rollout.plan.opened,
            opens_at: rollout.opens_at(stage).filter(|_| number >= rollout.plan.opened),
        };
        Self {
            percent: rollout.percent,
            state: rollout.state,
            reason: rollout.reason.clone(),
            stages: rollout.plan.stages.iter().enumerate().map(stage).collect(),
            halt: Halt::of(&rollout.plan.halt),
        }
    }
}

/// An artifact, as staff and pipelines see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Artifact)]
#[expect(missing_docs, reason = "described where it is entered, at the upload")]
pub struct ArtifactBody {
    pub id: ArtifactId,
    pub component: Component,
    pub platform: Platform,
    pub arch: Arch,
    pub kind: ArtifactKind,
    pub filename: Filename,
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
    pub signature: Option<String>,
}

impl ArtifactBody {
    /// The body for an artifact.
    #[must_use]
    pub fn of(artifact: &Artifact) -> Self {
        Self {
            id: artifact.id,
            component: artifact.component,
            platform: artifact.platform,
            arch: artifact.arch,
            kind: artifact.kind,
            filename: artifact.filename.clone(),
            size: artifact.size,
            sha256: artifact.sha256,
            signature: artifact.signature.clone(),
        }
    }
}
