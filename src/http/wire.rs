//! What several areas send in the same way: lists, products, releases, subscriptions and what belongs to them.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    directory::Catalogue,
    domain::{
        InvalidValue,
        artifact::{Artifact, ArtifactKind, Filename, Sha256},
        id::{ArtifactId, CustomerId, ProductId, ReleaseId, SubscriptionId},
        platform::{Arch, Component, Platform},
        product::{ExpiryPolicy, Product, RequiredArtifact},
        release::{Access, Release, ReleaseState, Severity},
        rollout::{Hours, Percent, RolloutState, Stage},
        slug::Slug,
        subscription::{Deployment, Status, Subscription, SubscriptionState},
        text_schema,
        version::{Requirement, Version},
        zone::Zone,
    },
    services::releasing::roll_out::Halt,
    store::Page,
};

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listed<T> {
    /// What is on the page.
    pub items: Vec<T>,
    /// What to send as `after` for the next page; `null` on the last one.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// A page that was read with one row more than `limit`, which tells whether there is another page.
    pub fn of(mut rows: Vec<T>, limit: i64, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(cursor) } else { None };
        Self { items: rows, next }
    }

    /// Turns the items into what is sent.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Listed<U> {
        Listed { items: self.items.into_iter().map(each).collect(), next: self.next }
    }
}

/// How many of a list at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(i64);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        if (1..=200).contains(&number) {
            Ok(Self(number))
        } else {
            Err(serde::de::Error::custom(InvalidValue::new("limit", &number.to_string(), "1 to 200")))
        }
    }
}

impl Limit {
    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The page to read: one row more than is sent, to know whether there is another.
    pub const fn page<T>(self, after: Option<T>) -> Page<T> {
        Page { after, limit: self.0 + 1 }
    }
}

/// Which page of a list whose rows have ids.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many at once.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    pub limit: Limit,
    /// The `next` of the page before.
    #[serde(default, deserialize_with = "cursor")]
    pub after: Option<Uuid>,
}

/// Reads a cursor that is an id; where it is none, says so with what was sent.
pub fn cursor<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    let id = Uuid::try_parse(&text);
    id.map(Some)
        .map_err(|_| serde::de::Error::custom(InvalidValue::new("cursor", &text, "the `next` of the page before")))
}

/// An answer with a JSON body.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    /// Most answers fit, and are then written without being moved.
    const USUAL: usize = 2048;
    let mut bytes = Vec::with_capacity(USUAL);
    if sonic_rs::to_writer(&mut bytes, body).is_err() {
        bytes.clear();
    }
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, header::HeaderValue::from_static("application/json")))
        .insert_header((header::CACHE_CONTROL, header::HeaderValue::from_static("no-store")))
        .body(bytes)
}

/// An answer with a JSON body and the `ETag` of its revision.
#[must_use]
pub fn json_with_etag(status: StatusCode, revision: i64, body: &impl Serialize) -> HttpResponse {
    let mut response = json(status, body);
    if let Ok(tag) = header::HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Where a product is.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProductPath {
    /// The product's slug.
    #[param(example = "office-maker")]
    pub slug: Slug,
}

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

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
#[expect(missing_docs, reason = "described where it is entered, in NewProduct")]
pub struct ProductBody {
    pub id: ProductId,
    pub slug: Slug,
    pub name: String,
    pub channels: Vec<String>,
    pub default_locale: String,
    pub help_url: Option<String>,
    pub renew_url: Option<String>,
    pub expiry_policy: ExpiryPolicy,
    pub min_supported_version: Option<Version>,
    pub timezone: Zone,
    pub required_artifacts: Vec<RequiredArtifact>,
    pub required_locales: Vec<String>,
    /// Whether what brings a release to customers takes a second person.
    pub two_person_rule: bool,
}

impl ProductBody {
    /// The product as it goes out.
    #[must_use]
    pub fn of(product: &Product) -> Self {
        Self {
            id: product.id,
            slug: product.slug.clone(),
            name: product.name.clone(),
            channels: product.channels.names().map(ToString::to_string).collect(),
            default_locale: product.default_locale.to_string(),
            help_url: product.help_url.clone(),
            renew_url: product.renew_url.clone(),
            expiry_policy: product.expiry_policy,
            min_supported_version: product.min_supported_version.clone(),
            timezone: product.timezone.clone(),
            required_artifacts: product.required_artifacts.clone(),
            required_locales: product.required_locales.iter().map(ToString::to_string).collect(),
            two_person_rule: product.two_person_rule,
        }
    }
}

/// A rollout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rollout)]
pub struct RolloutBody {
    /// The share of sites that is in, in percent.
    #[schema(value_type = f64, minimum = 0, maximum = 100)]
    pub percent: Percent,
    /// What it is doing.
    pub state: RolloutState,
    /// Why it was paused, halted or resumed last.
    pub reason: Option<String>,
    /// The shares that it opens to by itself, in their order.
    pub stages: Vec<StageBody>,
    /// When it is halted by itself.
    pub halt: Halt,
}

/// A stage of a rollout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolloutStage)]
pub struct StageBody {
    /// The share of sites that is in from then on, in percent.
    #[schema(value_type = f64, minimum = 0, maximum = 100)]
    pub percent: Percent,
    /// After so many hours of the rollout's clock.
    #[schema(value_type = f64)]
    pub after_hours: Hours,
    /// Whether it has opened.
    pub opened: bool,
    /// When it opens, if nothing comes in between; `null` once it has opened, and while the clock stands still.
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
    /// From when it is offered; `null` on a draft.
    pub published_at: Option<Timestamp>,
    pub severity: Severity,
    pub access: Access,
    pub min_from: Option<Version>,
    pub compatible_clients: Option<Requirement>,
    pub notes: BTreeMap<String, String>,
    pub rollout: RolloutBody,
    pub artifacts: Vec<ArtifactBody>,
    /// Why it was yanked.
    pub yank_reason: Option<String>,
    pub created_at: Timestamp,
    /// Counts the signed manifests: 0 on a draft, 1 at publication, one more with every correction.
    pub manifest_revision: i64,
}

impl ReleaseBody {
    /// The release as it goes out.
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
    /// The rollout of a release as it goes out.
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
    /// The artifact as it goes out.
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

/// A subscription, as staff see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Subscription)]
#[expect(missing_docs, reason = "described where it is entered, in NewSubscription, and in the fields that are not")]
pub struct SubscriptionBody {
    pub id: SubscriptionId,
    pub customer_id: CustomerId,
    pub product: String,
    pub deployment: Deployment,
    /// What staff have made of it.
    pub state: SubscriptionState,
    /// What it is today.
    pub status: Status,
    #[schema(value_type = String, format = Date)]
    pub starts_on: Date,
    #[schema(value_type = Option<String>, format = Date)]
    pub ends_on: Option<Date>,
    pub grace_days: u16,
    pub channels: Vec<String>,
    pub version_req: Option<Requirement>,
    pub hosting_group: Option<String>,
    pub external_ref: Option<String>,
    /// Whether it will be renewed at its end.
    pub renews: bool,
    pub created_at: Timestamp,
}

impl SubscriptionBody {
    /// The subscription as it goes out, with what it is at `now`.
    #[must_use]
    pub fn of(catalogue: &Catalogue, subscription: &Subscription, now: Timestamp) -> Self {
        let coverage = &subscription.coverage;
        let entry = catalogue.product_by_id(coverage.product);
        let zone = entry.map_or_else(Zone::utc, |entry| entry.product.timezone.clone());
        Self {
            id: coverage.id,
            customer_id: subscription.customer,
            product: entry.map(|entry| entry.product.slug.to_string()).unwrap_or_default(),
            deployment: coverage.deployment,
            state: coverage.state,
            status: coverage.status(&zone, now),
            starts_on: coverage.starts_on,
            ends_on: coverage.ends_on,
            grace_days: coverage.grace_days,
            channels: coverage.channels.iter().map(ToString::to_string).collect(),
            version_req: coverage.version_req.as_deref().cloned(),
            hosting_group: coverage
                .hosting_group
                .and_then(|id| catalogue.group(id))
                .map(|group| group.slug.to_string()),
            external_ref: subscription.external_ref.clone(),
            renews: subscription.renews,
            created_at: subscription.created_at,
        }
    }
}

/// Two ids in one cursor, for lists whose rows have two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub Uuid, pub Uuid);

text_schema!(
    Pair,
    "0199a0de-0000-7000-8000-0000000000f2.0199a0de-0000-7000-8000-0000000000a2",
    73,
    r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
);

impl std::fmt::Display for Pair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.0, self.1)
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let pair = text
            .split_once('.')
            .and_then(|(first, second)| Some(Self(Uuid::try_parse(first).ok()?, Uuid::try_parse(second).ok()?)))
            // Only as it was sent: other spellings of the same ids are no cursors.
            .filter(|pair| *text == pair.to_string());
        pair.ok_or_else(|| {
            serde::de::Error::custom(InvalidValue::new("cursor", &text, "the `next` of the page before"))
        })
    }
}
