//! Figures for support and management.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, http::StatusCode};
use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    directory::Catalogue,
    domain::{
        id::{CustomerId, ProductId, SubscriptionId},
        named_enum,
        platform::{Component, Platform},
        run::FailureClass,
        slug::Slug,
        subscription::Deployment,
        version::Version,
    },
    http::{
        App, Problem,
        extract::{Caller, Query, Segments, caller::ReadSubscriptions},
        wire::{self, Limit, Listed, ReleasePath},
    },
    services::{
        figures::{self, Tally},
        manage_products, publish_release,
    },
    store::{
        adoption::{Count, Wanted},
        renewals::Asking,
    },
};

fn slug_of(catalogue: &Catalogue, product: ProductId) -> String {
    catalogue.product_by_id(product).map(|entry| entry.product.slug.to_string()).unwrap_or_default()
}

/// Which installations, and which days.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdoptionQuery {
    /// Only those of the product with this slug.
    #[param(example = "office-maker")]
    product: Option<Slug>,
    /// Only those of this program.
    #[param(inline)]
    component: Option<Component>,
    /// Only those on this operating system.
    #[param(inline)]
    platform: Option<Platform>,
    /// Only those on a subscription of this deployment.
    #[param(inline)]
    deployment: Option<Deployment>,
    /// The first day, in UTC; 29 days before the last unless given.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day, in UTC; today unless given.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
}

/// Versions over time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Adoption)]
pub struct AdoptionBody {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// The days for which there are figures.
    days: Vec<DayBody>,
}

/// A day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdoptionDay)]
pub struct DayBody {
    /// Which, in UTC.
    #[schema(value_type = String, format = Date)]
    day: Date,
    /// The versions that were in use, by product, the highest first.
    versions: Vec<CountBody>,
}

/// A version on a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdoptionCount)]
pub struct CountBody {
    /// The product's slug.
    product: String,
    /// The version.
    version: Version,
    /// Installations that had asked within 30 days, and had this version when they did last.
    installations: i64,
}

impl AdoptionBody {
    /// The counts, which are in the order of their days.
    fn of(catalogue: &Catalogue, figures::Days { from, to }: figures::Days, counts: Vec<Count>) -> Self {
        let mut days: Vec<DayBody> = Vec::new();
        for Count { day, product, version, installations } in counts {
            let count = CountBody { product: slug_of(catalogue, product), version, installations };
            match days.last_mut() {
                Some(last) if last.day == day => last.versions.push(count),
                _ => days.push(DayBody { day, versions: vec![count] }),
            }
        }
        Self { from, to, days }
    }
}

/// Show which versions are in use, day by day.
///
/// Of past days as it was written down within their last hour, of today as it is. A day on which no server ran is left out.
#[utoipa::path(
    tag = "Admin",
    params(AdoptionQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "Versions over time.", body = AdoptionBody))
)]
#[get("/api/v1/admin/stats/adoption")]
pub async fn get_adoption(
    app: App,
    caller: Caller<ReadSubscriptions>,
    query: Query<AdoptionQuery>,
) -> Result<HttpResponse, Problem> {
    let AdoptionQuery { product, component, platform, deployment, from, to } = query.0;
    let product = manage_products::resolve(&app.context, caller.reach, product.as_ref())?;
    let wanted = Wanted { product, component, platform, deployment };
    let (days, counts) = figures::adoption(&app.context, wanted, (from, to)).await?;
    let catalogue = app.context.directory.catalogue();
    Ok(wire::json(StatusCode::OK, &AdoptionBody::of(&catalogue, days, counts)))
}

named_enum! {
    /// How long the spans of time are that figures are given for.
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

/// In what detail.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RolloutStatsQuery {
    /// How long the spans of time are; `day` unless given.
    #[serde(default = "day")]
    #[param(inline, required = false)]
    bucket: Bucket,
}

/// What became of a release.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolloutStats)]
pub struct RolloutStatsBody {
    /// The product's slug.
    product: Slug,
    /// The release's version.
    version: Version,
    /// In all.
    total: TallyBody,
    /// How long the spans of time are.
    bucket: Bucket,
    /// By spans of time; those in which nothing happened are left out.
    buckets: Vec<BucketBody>,
}

/// What happened to a release within a span of time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolloutBucket)]
pub struct BucketBody {
    /// When it began.
    from: Timestamp,
    /// What happened.
    #[serde(flatten)]
    tally: TallyBody,
}

/// How often each thing happened. Sites are subscriptions, or installations without one; runs are updates of one installation.
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
    /// Runs that a person decided against.
    cancelled: i64,
    /// Runs that had begun to install and were not heard of again.
    lost: i64,
}

impl TallyBody {
    fn of(tally: Tally) -> Self {
        // A class that this version does not know is one of a later version's.
        let name = |class: String| class.parse::<FailureClass>().map_or("unknown", FailureClass::as_str).to_owned();
        let mut failed_by_class = BTreeMap::new();
        for (class, count) in tally.failed {
            *failed_by_class.entry(name(class)).or_default() += count;
        }
        Self {
            offered: tally.offered,
            downloaded: tally.downloaded,
            succeeded: tally.succeeded,
            failed: failed_by_class.values().sum(),
            failed_by_class,
            cancelled: tally.cancelled,
            lost: tally.lost,
        }
    }
}

/// Show what became of a release: who was offered it, and how their updates went.
#[utoipa::path(
    tag = "Admin",
    params(ReleasePath, RolloutStatsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "What became of it.", body = RolloutStatsBody))
)]
#[get("/api/v1/admin/stats/rollouts/{slug}/{version}")]
pub async fn get_rollout_stats(
    app: App,
    caller: Caller<ReadSubscriptions>,
    path: Segments<ReleasePath>,
    query: Query<RolloutStatsQuery>,
) -> Result<HttpResponse, Problem> {
    let ReleasePath { slug, version } = path.0;
    manage_products::resolve(&app.context, caller.reach, Some(&slug))?;
    let catalogue = app.context.directory.catalogue().clone();
    let release = catalogue.product(slug.as_str()).and_then(|entry| entry.release(&version));
    let release = release.ok_or_else(|| publish_release::not_found(&slug, &version))?;
    let bucket = query.0.bucket;
    let rollout = figures::rollout(&app.context, release.id, bucket.span()).await?;
    let spans = rollout.spans.into_iter();
    let body = RolloutStatsBody {
        product: slug,
        version: release.version.clone(),
        total: TallyBody::of(rollout.total),
        bucket,
        buckets: spans.map(|(from, tally)| BucketBody { from, tally: TallyBody::of(tally) }).collect(),
    };
    Ok(wire::json(StatusCode::OK, &body))
}

/// Which sites that may want to renew.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RenewalsQuery {
    /// Only those of the product with this slug.
    #[param(example = "office-maker")]
    product: Option<Slug>,
    /// Only those that have asked within so many days; 30 unless given.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 3650)]
    seen_within_days: Option<Within>,
    /// How many at once.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before.
    after: Option<SubscriptionId>,
}

/// A number of days to look back.
#[derive(Clone, Copy, Debug)]
pub struct Within(u16);

impl<'de> Deserialize<'de> for Within {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u16::deserialize(deserializer)? {
            days @ 1..=3650 => Ok(Self(days)),
            other => Err(serde::de::Error::custom(format!("`{other}` is no number of days; expected 1 to 3650"))),
        }
    }
}

/// Sites that may want to renew.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Renewals)]
pub struct RenewalsBody {
    /// How many there are, on all pages.
    total: usize,
    /// What is on the page.
    items: Vec<RenewalBody>,
    /// What to send as `after` for the next page; `null` on the last one.
    next: Option<String>,
}

/// A site that asks for updates although its subscription has expired.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Renewal)]
pub struct RenewalBody {
    /// Its subscription.
    subscription_id: SubscriptionId,
    /// The product's slug.
    product: String,
    /// When the subscription ended.
    #[schema(value_type = String, format = Date)]
    ends_on: Date,
    /// Whose it is.
    customer_id: CustomerId,
    /// What they are called.
    customer_name: String,
    /// How many of its installations asked.
    installations: i64,
    /// When one of them asked last.
    last_seen_at: Timestamp,
    /// Which version that had.
    version: Version,
}

impl RenewalBody {
    fn of(catalogue: &Catalogue, asking: Asking) -> Self {
        Self {
            subscription_id: asking.subscription,
            product: slug_of(catalogue, asking.product),
            ends_on: asking.ends_on,
            customer_id: asking.customer,
            customer_name: asking.customer_name,
            installations: asking.installations,
            last_seen_at: asking.last_seen_at,
            version: asking.version,
        }
    }
}

/// List sites that ask for updates although their subscription has expired.
#[utoipa::path(
    tag = "Admin",
    params(RenewalsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of sites.", body = RenewalsBody))
)]
#[get("/api/v1/admin/stats/renewals")]
pub async fn list_renewals(
    app: App,
    caller: Caller<ReadSubscriptions>,
    query: Query<RenewalsQuery>,
) -> Result<HttpResponse, Problem> {
    let RenewalsQuery { product, seen_within_days, limit, after } = query.0;
    let product = manage_products::resolve(&app.context, caller.reach, product.as_ref())?;
    let days = seen_within_days.map_or(30, |within| within.0);
    let (total, rows) = figures::renewals(&app.context, product, days, limit.page(after)).await?;
    let catalogue = app.context.directory.catalogue();
    let Listed { items, next } = Listed::of(rows, limit.get(), |row| row.subscription.to_string());
    let items = items.into_iter().map(|asking| RenewalBody::of(&catalogue, asking)).collect();
    Ok(wire::json(StatusCode::OK, &RenewalsBody { total, items, next }))
}
