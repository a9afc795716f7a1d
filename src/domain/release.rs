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
    /// Where a release stands.
    ReleaseState, "release state" {
        /// Being put together; nobody is offered it, and everything about it may change.
        Draft = "draft",
        /// Fixed and signed; offered from its `published_at` on.
        Published = "published",
        /// Withdrawn: offered to nobody, and not downloadable.
        Yanked = "yanked",
    }
}

named_enum! {
    /// How much a release matters.
    Severity, "severity" {
        /// An ordinary update.
        Normal = "normal",
        /// One that people should take soon.
        Important = "important",
        /// One that people must take.
        Critical = "critical",
    }
}

named_enum! {
    /// Who a release is for.
    Access, "access" {
        /// Those whose subscription covers it.
        Subscribers = "subscribers",
        /// Everybody, with or without a license key.
        Everyone = "everyone",
    }
}

/// A release (contract section 2).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// Of which product.
    pub product: ProductId,
    /// Its version; no two releases of a product have versions of equal precedence.
    pub version: Version,
    /// Its channel.
    pub channel: Slug,
    /// Where it stands.
    pub state: ReleaseState,
    /// From when it is offered; `None` on a draft.
    pub published_at: Option<Timestamp>,
    /// How much it matters.
    pub severity: Severity,
    /// Who it is for.
    pub access: Access,
    /// The lowest version that can update straight to it.
    pub min_from: Option<Version>,
    /// The client versions that a server program of this version accepts; `None` means its own major.minor.
    pub compatible_clients: Option<Requirement>,
    /// What changed, in Markdown by locale.
    pub notes: BTreeMap<LanguageTag, String>,
    /// How far it has been opened.
    pub rollout: Rollout,
    /// Why it was yanked.
    pub yank_reason: Option<String>,
    /// Its files.
    pub artifacts: Vec<Artifact>,
    /// When the draft was made.
    pub created_at: Timestamp,
    /// Counts the signed manifests: 0 on a draft, 1 at publication, one more with every correction.
    pub manifest_revision: i64,
    /// Counts changes, for `If-Match`.
    pub revision: i64,
    /// When others (webhooks) were told that it is out; `None` while its `published_at` is still to come.
    pub announced_at: Option<Timestamp>,
}

/// What cannot be done with a release in the state it is in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// It was published already.
    #[error("release {0} is published; what is published never changes")]
    AlreadyPublished(Version),
    /// It is no longer offered to anybody.
    #[error("release {0} is yanked; restore it first")]
    Yanked(Version),
    /// It is not published yet.
    #[error("release {0} is a draft; publish it first")]
    StillDraft(Version),
    /// It was not yanked.
    #[error("release {0} is not yanked, so there is nothing to restore")]
    NotYanked(Version),
}

impl Release {
    /// Whether it was published by `now`, yanked since or not.
    #[must_use]
    pub fn was_published_by(&self, now: Timestamp) -> bool {
        self.state != ReleaseState::Draft && self.published_at.is_some_and(|at| at <= now)
    }

    /// Whether it was published and then yanked.
    #[must_use]
    pub fn is_yanked(&self) -> bool {
        self.state == ReleaseState::Yanked
    }

    /// Whether its files may be downloaded by somebody who was given a link to them (contract, end of section 3).
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

    /// Fails unless this is a draft.
    ///
    /// # Errors
    /// [`TransitionError`] when it was published, yanked since or not.
    pub fn require_draft(&self) -> Result<(), TransitionError> {
        match self.state {
            ReleaseState::Draft => Ok(()),
            ReleaseState::Published | ReleaseState::Yanked => {
                Err(TransitionError::AlreadyPublished(self.version.clone()))
            }
        }
    }

    /// Fails unless this is published and not yanked.
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

    /// Publishes a draft, to be offered from `at` on.
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

    /// Takes a yank back; `published_at` and the rollout stay as they were.
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
