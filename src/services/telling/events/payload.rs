//! The contents of webhook messages. Other systems depend on every field here, so none may be removed.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use crate::{
    domain::{
        approval::{Approval, ApprovalAction},
        id::{ApprovalId, CustomerId, InstallationId, ReleaseId, RunId, SubscriptionId},
        platform::Component,
        product::Product,
        release::{Release, Severity},
        run::{FailureClass, Run},
        slug::Slug,
        subscription::{Deployment, Subscription, SubscriptionState},
        version::{Requirement, Version},
        webhook::WebhookEvent,
    },
    store::StoreError,
};

/// A message in the format of Standard Webhooks.
#[derive(Serialize)]
struct Envelope<'a, D> {
    #[serde(rename = "type")]
    event: WebhookEvent,
    timestamp: Timestamp,
    data: &'a D,
}

/// Writes a message about an event as JSON.
pub(super) fn write<D: Serialize>(event: WebhookEvent, timestamp: Timestamp, data: &D) -> Result<String, StoreError> {
    serde_json::to_string(&Envelope { event, timestamp, data })
        .map_err(|error| StoreError::Other(format!("a webhook's message cannot be written: {error}")))
}

/// A release in a message.
#[derive(Serialize)]
pub(super) struct ReleaseData<'a> {
    id: ReleaseId,
    product: &'a Slug,
    version: &'a Version,
    channel: &'a Slug,
    severity: Severity,
    published_at: Option<Timestamp>,
    /// The reason of a yank or halt.
    reason: Option<&'a str>,
}

impl<'a> ReleaseData<'a> {
    pub(super) fn of(event: WebhookEvent, product: &'a Product, release: &'a Release) -> Self {
        let reason = match event {
            WebhookEvent::ReleaseYanked => release.yank_reason.as_deref(),
            WebhookEvent::ReleaseHalted => release.rollout.reason.as_deref(),
            _ => None,
        };
        Self {
            id: release.id,
            product: &product.slug,
            version: &release.version,
            channel: &release.channel,
            severity: release.severity,
            published_at: release.published_at,
            reason,
        }
    }
}

/// An approval request in a message.
#[derive(Serialize)]
pub(super) struct ApprovalData<'a> {
    id: ApprovalId,
    product: &'a Slug,
    deed: ApprovalAction,
    version: Option<&'a Version>,
    /// The person's e-mail address, or the token's name.
    requested_by: &'a str,
    expires_at: Timestamp,
}

impl<'a> ApprovalData<'a> {
    pub(super) fn of(product: &'a Product, approval: &'a Approval) -> Self {
        Self {
            id: approval.id,
            product: &product.slug,
            deed: approval.deed,
            version: approval.version.as_ref(),
            requested_by: &approval.requested_by.name,
            expires_at: approval.expires_at,
        }
    }
}

/// A failed or lost run in a message.
#[derive(Serialize)]
pub(super) struct RunData<'a> {
    run: RunId,
    product: &'a Slug,
    subscription_id: SubscriptionId,
    installation: InstallationId,
    component: Component,
    from_version: &'a Version,
    to_version: &'a Version,
    /// `failed`, `rolled_back` or `lost`.
    outcome: &'static str,
    error: Option<ErrorData<'a>>,
    known_problem: Option<&'a str>,
    last_reported_at: Timestamp,
}

/// The largest number of characters of an updater's error text in a message. A report can have 10,000 bytes of it.
const MESSAGE_LENGTH: usize = 500;

/// The error in the updater's own words.
#[derive(Serialize)]
struct ErrorData<'a> {
    class: FailureClass,
    code: &'a str,
    message: String,
}

impl<'a> RunData<'a> {
    pub(super) fn of(product: &'a Product, run: &'a Run, subscription: SubscriptionId, outcome: &'static str) -> Self {
        let error = run.error.as_ref();
        Self {
            run: run.id,
            product: &product.slug,
            subscription_id: subscription,
            installation: run.installation,
            component: run.component,
            from_version: &run.from_version,
            to_version: &run.to_version,
            outcome,
            error: error.map(|error| ErrorData {
                class: error.class,
                code: &error.code,
                message: error.message.chars().take(MESSAGE_LENGTH).collect(),
            }),
            known_problem: run.known_problem.as_deref(),
            last_reported_at: run.last_reported_at,
        }
    }
}

/// A subscription in a message, without its license keys.
#[derive(Serialize)]
pub(super) struct SubscriptionData<'a> {
    id: SubscriptionId,
    customer_id: CustomerId,
    product: &'a Slug,
    deployment: Deployment,
    state: SubscriptionState,
    starts_on: Date,
    ends_on: Option<Date>,
    grace_days: u16,
    renews: bool,
    channels: &'a [Slug],
    version_req: Option<&'a Requirement>,
    external_ref: Option<&'a str>,
    /// Grows with every change, so that receivers can order messages that overtake one another.
    revision: i64,
}

impl<'a> SubscriptionData<'a> {
    pub(super) fn of(product: &'a Product, subscription: &'a Subscription) -> Self {
        let coverage = &subscription.coverage;
        Self {
            id: coverage.id,
            customer_id: subscription.customer,
            product: &product.slug,
            deployment: coverage.deployment,
            state: coverage.state,
            starts_on: coverage.starts_on,
            ends_on: coverage.ends_on,
            grace_days: coverage.grace_days,
            renews: subscription.renews,
            channels: &coverage.channels,
            version_req: coverage.version_req.as_deref(),
            external_ref: subscription.external_ref.as_deref(),
            revision: subscription.revision,
        }
    }
}
