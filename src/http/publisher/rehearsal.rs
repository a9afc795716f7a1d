//! A rehearsed publication: its query and its answer.

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
    /// Changes nothing and returns what would happen.
    #[serde(default)]
    #[param(default = false)]
    pub dry_run: bool,
}

/// What comes of a publication: the release, or with `dry_run` what would come of it. Only describes: the one or the
/// other is sent as it is.
#[derive(Debug, ToSchema)]
#[schema(as = PublicationOutcome)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "there never is a value of it")]
pub enum PublicationBody {
    /// The release.
    Published(ReleaseBody),
    /// The result of the rehearsal.
    Rehearsed(RehearsalBody),
}

/// The result of a rehearsed publication.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rehearsal)]
pub struct RehearsalBody {
    /// Whether it would be published: the lint found nothing, or `force` overrides the findings.
    would_publish: bool,
    /// Whether the product's two-person rule requires the approval of a second person.
    needs_approval: bool,
    /// The findings of the publish lint.
    findings: Vec<FindingBody>,
    /// When it would first be offered: `published_at`, or now where that is past.
    offered_from: Timestamp,
    /// The number of subscriptions that would be offered it, by status at that time, on the least stable channel they
    /// may use.
    #[schema(value_type = BTreeMap<String, u64>, example = json!({"active": 120, "grace": 3, "expired": 0}))]
    offered: BTreeMap<Status, u64>,
    /// How many subscriptions of the product there are.
    sites: u64,
}

/// A finding of the publish lint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct FindingBody {
    /// The code of the finding.
    code: FindingCode,
    /// The field of the release.
    field: &'static str,
    /// What is wrong.
    message: String,
}

impl RehearsalBody {
    /// The body for a rehearsal.
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
