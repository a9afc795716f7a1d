//! Metrics for Prometheus.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use prometheus::{Encoder as _, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::{
    domain::decision::reason::Status,
    services::{Context, releasing::guard_rollouts::Judging, telling::deliver::Waiting},
};

/// The shortest time between two counts of deliveries in the database. Anyone may request the metrics, so without this
/// limit callers could load the database.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// All metrics that `/metrics` shows, in one registry.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    checks: Vec<IntCounter>,
    pub downloads: IntCounter,
    /// Requests that were answered with 429.
    pub limited: IntCounter,
    subscriptions: IntGauge,
    releases: IntGauge,
    to_judge: IntGauge,
    deliveries: IntGaugeVec,
    counted_at: Mutex<Option<Instant>>,
}

impl Metrics {
    /// Registers all metrics, with the value zero.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let checks = IntCounterVec::new(Opts::new("sluice_checks_total", "Answered version checks."), &["status"])?;
        let downloads = IntCounter::new("sluice_downloads_total", "Started downloads.")?;
        let limited = IntCounter::new("sluice_limited_total", "Requests refused by a rate limit.")?;
        let subscriptions = IntGauge::new("sluice_subscriptions", "Subscriptions in memory.")?;
        let releases = IntGauge::new("sluice_releases", "Releases in memory, including drafts.")?;
        let to_judge =
            IntGauge::new("sluice_releases_to_judge", "Releases on which votes have changed that are not judged yet.")?;
        let deliveries = IntGaugeVec::new(
            Opts::new("sluice_deliveries", "Mails and webhook messages that are waiting or have failed."),
            &["kind", "state"],
        )?;
        registry.register(Box::new(deliveries.clone()))?;
        registry.register(Box::new(checks.clone()))?;
        registry.register(Box::new(downloads.clone()))?;
        registry.register(Box::new(limited.clone()))?;
        registry.register(Box::new(subscriptions.clone()))?;
        registry.register(Box::new(releases.clone()))?;
        registry.register(Box::new(to_judge.clone()))?;
        let checks = Status::ALL.iter().map(|status| checks.with_label_values(&[status.as_str()])).collect();
        Ok(Self {
            registry,
            checks,
            downloads,
            limited,
            subscriptions,
            releases,
            to_judge,
            deliveries,
            counted_at: Mutex::new(None),
        })
    }

    /// Counts a check by its status.
    pub fn count_check(&self, status: Status) {
        let place = Status::ALL.iter().position(|known| *known == status);
        if let Some(counter) = place.and_then(|place| self.checks.get(place)) {
            counter.inc();
        }
    }

    /// Whether deliveries should be counted again: true once every `COUNT_EVERY`, however many callers ask.
    pub fn wants_deliveries(&self) -> bool {
        let mut counted_at = self.counted_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = counted_at.is_none_or(|at| at.elapsed() >= COUNT_EVERY);
        if is_old {
            *counted_at = Some(Instant::now());
        }
        is_old
    }

    /// Sets the gauges of waiting and failed deliveries.
    pub fn note_deliveries(&self, found: &[Waiting]) {
        for Waiting { kind, state, count } in found {
            self.deliveries.with_label_values(&[*kind, state.as_str()]).set(*count);
        }
    }

    /// Renders the metrics in Prometheus' text format.
    pub fn render(&self, context: &Context, judging: &Judging) -> Result<String, prometheus::Error> {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.subscriptions.set(count(context.directory.subscription_count()));
        self.releases.set(count(context.directory.catalogue().products().map(|entry| entry.releases.len()).sum()));
        self.to_judge.set(count(judging.backlog()));
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
