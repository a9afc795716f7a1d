//! What happened to a release.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, http::StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{named_enum, run::FailureClass, slug::Slug, version::Version},
    http::{
        App, Problem,
        extract::{Caller, Query, Segments, caller::ReadSubscriptions},
        json,
        release::ReleasePath,
    },
    services::{
        desk::lookup,
        field::figures::{self, Counts},
        releasing::release,
    },
};

named_enum! {
    /// The length of the time spans of the figures.
    Bucket, "bucket" {
        /// An hour.
        Hour = "hour",
        /// A day, in UTC.
        Day = "day",
    }
}

impl Bucket {
    const fn span(self) -> SignedDuration {
        match self {
            Self::Hour => SignedDuration::from_hours(1),
            Self::Day => SignedDuration::from_hours(24),
        }
    }
}

const fn day() -> Bucket {
    Bucket::Day
}

/// The detail of the figures.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RolloutStatsQuery {
    /// The length of the time spans; default `day`.
    #[serde(default = "day")]
    #[param(inline, required = false)]
    bucket: Bucket,
}

/// What happened to a release.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolloutStats)]
pub struct RolloutStatsBody {
    /// The product's slug.
    product: Slug,
    /// The release's version.
    version: Version,
    /// The figures of the whole rollout.
    total: TallyBody,
    /// The length of the time spans.
    bucket: Bucket,
    /// The figures by time span; spans without events are left out.
    buckets: Vec<BucketBody>,
}

/// What happened to a release within a time span.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolloutBucket)]
pub struct BucketBody {
    /// The start of the span.
    from: Timestamp,
    /// The figures of the span.
    #[serde(flatten)]
    tally: TallyBody,
}

/// How often each thing happened. Sites are subscriptions, or installations without one; runs are updates of one
/// installation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolloutTally)]
pub struct TallyBody {
    /// Sites that were offered it for the first time, by checks that say which `installation` they are of.
    offered: i64,
    /// Runs that had downloaded everything.
    downloaded: i64,
    /// Runs that succeeded.
    succeeded: i64,
    /// Runs that failed, rolled back or not.
    failed: i64,
    /// Of these, by the class of the failure; `unknown` for those that did not report one.
    #[schema(value_type = BTreeMap<String, i64>, example = json!({"migration": 2, "unknown": 1}))]
    failed_by_class: BTreeMap<String, i64>,
    /// Runs that a person cancelled.
    cancelled: i64,
    /// Runs that began to install and have not reported since.
    lost: i64,
}

impl TallyBody {
    fn of(counts: Counts) -> Self {
        // A later version may have stored classes that this one does not know.
        let name = |class: String| class.parse::<FailureClass>().map_or("unknown", FailureClass::as_str).to_owned();
        let mut failed_by_class = BTreeMap::new();
        for (class, count) in counts.failed {
            *failed_by_class.entry(name(class)).or_default() += count;
        }
        Self {
            offered: counts.offered,
            downloaded: counts.downloaded,
            succeeded: counts.succeeded,
            failed: failed_by_class.values().sum(),
            failed_by_class,
            cancelled: counts.cancelled,
            lost: counts.lost,
        }
    }
}

/// Show the progress of a release: how many sites were offered it, and how their updates went.
///
/// Only checks with an `installation` count as offers, while every reported run counts. So more can
/// have succeeded than were offered it.
#[utoipa::path(
    tag = "Admin",
    params(ReleasePath, RolloutStatsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "The figures.", body = RolloutStatsBody))
)]
#[get("/api/v1/admin/stats/rollouts/{slug}/{version}")]
pub async fn get_rollout_stats(
    app: App,
    caller: Caller<ReadSubscriptions>,
    path: Segments<ReleasePath>,
    query: Query<RolloutStatsQuery>,
) -> Result<HttpResponse, Problem> {
    let ReleasePath { slug, version } = path.0;
    lookup::narrowed(&app.context, caller.reach, Some(&slug))?;
    let release = release::get(&app.context, &slug, &version)?;
    let bucket = query.0.bucket;
    let figures = figures::of_release(&app.context, release.id, bucket.span()).await?;
    let spans = figures.spans.into_iter();
    let body = RolloutStatsBody {
        product: slug,
        version: release.version.clone(),
        total: TallyBody::of(figures.total),
        bucket,
        buckets: spans.map(|(from, counts)| BucketBody { from, tally: TallyBody::of(counts) }).collect(),
    };
    Ok(json::answer(StatusCode::OK, &body))
}
