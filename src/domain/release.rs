//! Releases: one version of a product, from draft to published, and yanked or restored.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    artifact::{Artifact, Target},
    id::{ProductId, ReleaseId},
    locale::LanguageTag,
    named_enum,
    rollout::{Rollout, RolloutState},
    slug::Slug,
    version::{Requirement, Version},
};

named_enum! {
    /// The state of a release.
    ReleaseState, "release state" {
        /// It is not offered, and everything about it may change.
        Draft = "draft",
        /// Fixed and signed; offered from its `published_at`.
        Published = "published",
        /// Withdrawn: not offered, and not downloadable.
        Yanked = "yanked",
    }
}

named_enum! {
    /// How urgent a release is.
    Severity, "severity" {
        Normal = "normal",
        /// Users should install it soon.
        Important = "important",
        /// Users must install it.
        Critical = "critical",
    }
}

named_enum! {
    /// Who may install a release.
    Access, "access" {
        /// Holders of a subscription that covers it.
        Subscribers = "subscribers",
        /// Everyone, with or without a license key.
        Everyone = "everyone",
    }
}

/// A release (contract section 2).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Release {
    pub id: ReleaseId,
    pub product: ProductId,
    /// No two releases of a product have versions of equal precedence.
    pub version: Version,
    pub channel: Slug,
    pub state: ReleaseState,
    /// From when it is offered; `None` on a draft.
    pub published_at: Option<Timestamp>,
    pub severity: Severity,
    pub access: Access,
    /// The lowest version that can update directly to it.
    pub min_from: Option<Version>,
    /// The client versions that a server of this version accepts; `None` for its own major.minor.
    pub compatible_clients: Option<Requirement>,
    /// Markdown by language.
    pub notes: BTreeMap<LanguageTag, String>,
    pub rollout: Rollout,
    pub yank_reason: Option<String>,
    pub artifacts: Vec<Artifact>,
    pub created_at: Timestamp,
    /// The number of signed manifests: 0 on a draft, 1 at publication, plus one for every correction.
    pub manifest_revision: i64,
    /// Counts changes, for `If-Match`.
    pub revision: i64,
    /// When its publication was announced to webhooks; `None` while its `published_at` is in the future.
    pub announced_at: Option<Timestamp>,
}

/// Why a change is impossible in a release's state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    #[error("release {0} is published and can no longer be changed")]
    AlreadyPublished(Version),
    #[error("release {0} is yanked; restore it first")]
    Yanked(Version),
    #[error("release {0} is a draft; publish it first")]
    StillDraft(Version),
    #[error("release {0} is not yanked; only a yanked release can be restored")]
    NotYanked(Version),
}

impl Release {
    /// Whether it was published by `now`, even if it was yanked later.
    #[must_use]
    pub fn was_published_by(&self, now: Timestamp) -> bool {
        self.state != ReleaseState::Draft && self.published_at.is_some_and(|at| at <= now)
    }

    /// Whether it was published and then yanked.
    #[must_use]
    pub fn is_yanked(&self) -> bool {
        self.state == ReleaseState::Yanked
    }

    /// Whether the holder of a link may download its files (contract, end of section 3).
    #[must_use]
    pub fn may_be_downloaded(&self, now: Timestamp) -> bool {
        self.state == ReleaseState::Published
            && self.was_published_by(now)
            && self.rollout.state != RolloutState::Halted
    }

    /// The file that fits the target best.
    #[must_use]
    pub fn artifact_for(&self, target: &Target) -> Option<&Artifact> {
        self.artifacts
            .iter()
            .filter_map(|artifact| Some((artifact.fit(target)?, artifact)))
            .min_by_key(|(fit, _)| *fit)
            .map(|(_, artifact)| artifact)
    }

    /// Fails unless it is a draft.
    ///
    /// # Errors
    /// [`TransitionError`] when it is published or yanked.
    pub fn require_draft(&self) -> Result<(), TransitionError> {
        match self.state {
            ReleaseState::Draft => Ok(()),
            ReleaseState::Published | ReleaseState::Yanked => {
                Err(TransitionError::AlreadyPublished(self.version.clone()))
            }
        }
    }

    /// Fails unless it is published and not yanked.
    ///
    /// # Errors
    /// [`TransitionError`] on a draft or a yanked release.
    pub fn require_published(&self) -> Result<(), TransitionError> {
        match self.state {
            ReleaseState::Published => Ok(()),
            ReleaseState::Draft => Err(TransitionError::StillDraft(self.version.clone())),
            ReleaseState::Yanked => Err(TransitionError::Yanked(self.version.clone())),
        }
    }

    /// Publishes a draft, to be offered from `at`.
    ///
    /// # Errors
    /// [`TransitionError::AlreadyPublished`] unless this is a draft.
    pub fn publish(&mut self, at: Timestamp, rollout: Rollout) -> Result<(), TransitionError> {
        self.require_draft()?;
        self.state = ReleaseState::Published;
        self.published_at = Some(at);
        self.rollout = rollout;
        Ok(())
    }

    /// Withdraws a published release.
    ///
    /// # Errors
    /// [`TransitionError`] on a draft or a yanked release.
    pub fn yank(&mut self, reason: String) -> Result<(), TransitionError> {
        self.require_published()?;
        self.state = ReleaseState::Yanked;
        self.yank_reason = Some(reason);
        Ok(())
    }

    /// Undoes a yank; `published_at` and the rollout stay.
    ///
    /// # Errors
    /// [`TransitionError::NotYanked`] unless it is yanked.
    pub fn restore(&mut self) -> Result<(), TransitionError> {
        if self.state != ReleaseState::Yanked {
            return Err(TransitionError::NotYanked(self.version.clone()));
        }
        self.state = ReleaseState::Published;
        self.yank_reason = None;
        Ok(())
    }
}
