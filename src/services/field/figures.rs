//! Figures for support and management: installed versions, results of rollouts, expired subscriptions in use.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};

use crate::{
    domain::{
        id::{InstallationId, ProductId, ReleaseId, SubscriptionId},
        page::Page,
        reach::Reach,
        run::Outcome,
        subscription::Status,
        zone::{Zone, utc_day},
    },
    services::desk::{Context, Refusal},
    store::{self, Connection, StoreError, outcomes::Happened},
};

pub use crate::store::{
    adoption::{Count, Wanted},
    installations::Installation,
    renewals::Asking,
};

/// An installation without a check for this long no longer counts as in use.
const IN_USE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The number of days in a table when the request names none.
const DAYS: i64 = 30;

/// The largest number of days of one request: about five and a half years. It bounds the size of the answer.
const MOST_DAYS: i32 = 2000;

fn ago(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// Records for today how many installations use each version.
pub async fn record(context: &Arc<Context>) -> Result<(), Refusal> {
    let since = ago(context.clock.now(), IN_USE);
    // Counts outside the write: it can take a second or two, for which SQLite would block all other writes.
    let in_use = context.read(move |connection| Ok(store::adoption::in_use(connection, since)?)).await?;
    context.append(move |connection, now| store::adoption::record(connection, utc_day(now), &in_use)).await
}

/// Does what [`record`] does, within a transaction.
pub(in crate::services) fn record_within(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    let in_use = store::adoption::in_use(connection, ago(now, IN_USE))?;
    store::adoption::record(connection, utc_day(now), &in_use)
}

/// The first and the last day of a table, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    pub from: Date,
    pub to: Date,
}

/// Versions over time: the recorded figures of each past day, and the current ones of today.
///
/// # Errors
/// `parameter_invalid`, `storage_unavailable`.
pub async fn adoption(
    context: &Arc<Context>,
    wanted: Wanted,
    from: Option<Date>,
    to: Option<Date>,
) -> Result<(Days, Vec<Count>), Refusal> {
    let now = context.clock.now();
    let today = utc_day(now);
    let to = to.unwrap_or(today);
    let from = from.unwrap_or_else(|| to.saturating_sub((DAYS - 1).days()));
    if from > to || from.until(to).is_ok_and(|span| span.get_days() >= MOST_DAYS) {
        return Err(Refusal::parameter(
            "from",
            format!("must be a day up to {to}, and less than {MOST_DAYS} days before it"),
        ));
    }
    let read = move |connection: &mut Connection| {
        let mut counts = store::adoption::recorded(connection, &wanted, from, to)?;
        if (from..=to).contains(&today) {
            counts.retain(|count| count.day != today);
            counts.extend(store::adoption::current(connection, &wanted, today, ago(now, IN_USE))?);
        }
        counts.sort_by(|left, right| {
            (left.day, left.product).cmp(&(right.day, right.product)).then_with(|| right.version.cmp(&left.version))
        });
        Ok((Days { from, to }, counts))
    };
    context.read(read).await
}

/// The counts of a release over a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sites that were offered it for the first time.
    pub offered: i64,
    /// Runs that had downloaded everything.
    pub downloaded: i64,
    /// Runs that succeeded.
    pub succeeded: i64,
    /// Runs that failed, rolled back or not, by failure class; runs without a class are under the empty text.
    pub failed: BTreeMap<String, i64>,
    /// Runs that a person cancelled.
    pub cancelled: i64,
    /// Runs that began to install and have not reported since.
    pub lost: i64,
}

impl Counts {
    fn add(&mut self, happened: &Happened) {
        let place = match (happened.what.as_str(), happened.what.parse()) {
            ("offered", _) => &mut self.offered,
            ("downloaded", _) => &mut self.downloaded,
            ("lost", _) => &mut self.lost,
            (_, Ok(Outcome::Succeeded)) => &mut self.succeeded,
            (_, Ok(Outcome::Cancelled)) => &mut self.cancelled,
            (_, Ok(Outcome::Failed | Outcome::RolledBack)) => self.failed.entry(happened.class.clone()).or_default(),
            (_, Err(_)) => return,
        };
        *place += happened.count;
    }
}

/// The figures of a release.
#[derive(Clone, Debug, Default)]
pub struct ReleaseFigures {
    pub total: Counts,
    /// Counts by the start of each span of time; empty spans are left out.
    pub spans: BTreeMap<Timestamp, Counts>,
}

/// The figures of a release, in spans of the given length.
pub async fn of_release(
    context: &Arc<Context>,
    release: ReleaseId,
    span: SignedDuration,
) -> Result<ReleaseFigures, Refusal> {
    let read = move |connection: &mut Connection| Ok(store::outcomes::of_release(connection, release, span)?);
    let mut figures = ReleaseFigures::default();
    for happened in context.read(read).await? {
        figures.total.add(&happened);
        figures.spans.entry(happened.from).or_default().add(&happened);
    }
    Ok(figures)
}

/// The sites with a check within `seen_within_days` whose subscriptions have expired: their number, and a page of them.
pub async fn renewals(
    context: &Arc<Context>,
    reach: Reach,
    seen_within_days: u16,
    page: Page<SubscriptionId>,
) -> Result<(usize, Vec<Asking>), Refusal> {
    let now = context.clock.now();
    let since = ago(now, SignedDuration::from_hours(i64::from(seen_within_days) * 24));
    let desk = Arc::clone(context);
    let read = move |connection: &mut Connection| {
        // One day later than in UTC, as that day may have begun in another time zone.
        let mut sites = store::renewals::candidates(connection, &reach, utc_day(now).saturating_add(1.day()), since)?;
        let expired = expired(&desk, &sites, now);
        sites.retain(|site| expired.contains(site));
        let total = sites.len();
        let limit = usize::try_from(page.limit).unwrap_or_default();
        let first = page.after.map_or(0, |after| sites.partition_point(|site| *site <= after));
        let shown: Vec<_> = sites.into_iter().skip(first).take(limit).collect();
        Ok((total, store::renewals::of(connection, &shown, since)?))
    };
    context.read(read).await
}

/// The subscriptions among these that are expired now.
fn expired(context: &Context, subscriptions: &[SubscriptionId], now: Timestamp) -> HashSet<SubscriptionId> {
    let catalogue = context.directory.catalogue();
    let is_expired = |id: &&SubscriptionId| {
        context.directory.coverage(**id).is_some_and(|coverage| {
            let entry = catalogue.product_by_id(coverage.product);
            let zone = entry.map_or_else(Zone::utc, |entry| entry.product.timezone.clone());
            coverage.status(&zone, now) == Status::Expired
        })
    };
    subscriptions.iter().filter(is_expired).copied().collect()
}

/// A page of installations, by product and id.
pub async fn installations(
    context: &Arc<Context>,
    reach: Reach,
    subscription: Option<SubscriptionId>,
    page: Page<(ProductId, InstallationId)>,
) -> Result<Vec<Installation>, Refusal> {
    let wanted = store::installations::Wanted { reach, subscription };
    context.read(move |connection| Ok(store::installations::matching(connection, &wanted, page)?)).await
}
