//! A publication that is only tried: what it is asked with, and what is answered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        lint::{Finding, FindingCode},
        subscription::Status,
    },
    http::release::ReleaseBody,
    services::releasing::rehearse_publication::Rehearsal,
};

/// Whether to publish.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PublishQuery {
    /// Changes nothing, and tells what would come of it.
    #[serde(default)]
    #[param(default = false)]
    pub dry_run: bool,
}

/// What comes of a publication: the release, or with `dry_run` what would come of it. Only describes: the one or the other is
/// sent as it is.
#[derive(Debug, ToSchema)]
#[schema(as = PublicationOutcome)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "there never is a value of it")]
pub enum PublicationBody {
    /// The release.
    Published(ReleaseBody),
    /// What would come of it.
    Rehearsed(RehearsalBody),
}

/// What would come of a publication.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rehearsal)]
pub struct RehearsalBody {
    /// Whether it would be published: nothing was found, or `force` overrides it.
    would_publish: bool,
    /// Whether a second person would have to approve it, by the product's two-person rule.
    needs_approval: bool,
    /// What was found.
    findings: Vec<FindingBody>,
    /// When it would first be offered: `published_at`, or now where that is past.
    offered_from: Timestamp,
    /// By what subscriptions are then: how many would be offered it, on the least stable channel that they may ask on.
    #[schema(value_type = BTreeMap<String, u64>, example = json!({"active": 120, "grace": 3, "expired": 0}))]
    offered: BTreeMap<Status, u64>,
    /// How many subscriptions of the product there are.
    sites: u64,
}

/// Something that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct FindingBody {
    /// What kind of thing.
    code: FindingCode,
    /// The field of the release that it is about.
    field: &'static str,
    /// What is wrong.
    message: String,
}

impl RehearsalBody {
    /// The rehearsal as it goes out.
    #[must_use]
    pub fn of(rehearsal: Rehearsal) -> Self {
        let finding = |finding: &Finding| FindingBody {
            code: finding.code(),
            field: finding.field(),
            message: finding.to_string(),
        };
        Self {
            would_publish: rehearsal.would_publish,
            needs_approval: rehearsal.needs_approval,
            findings: rehearsal.findings.iter().map(finding).collect(),
            offered_from: rehearsal.offered_from,
            offered: rehearsal.offered,
            sites: rehearsal.sites,
        }
    }
}
