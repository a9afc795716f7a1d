//! Table `runs`: updates, as their updaters report them.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    Connection, Page, StoreError,
    bulk::{Bulk, NewRow, Replace},
    locks,
    schema::runs,
    transaction,
    value::{Key, Moment, Name},
};
use crate::domain::{
    id::{InstallationId, ProductId, ReleaseId, RunId, SubscriptionId},
    locale::LanguageTag,
    platform::Component,
    reach::Reach,
    run::{Failure, FailureClass, Outcome, Run, Stage},
    version::Version,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = runs)]
struct Row {
    id: Key<RunId>,
    #[expect(dead_code, reason = "follows from the subscription")]
    owner: Key<Uuid>,
    product_id: Key<ProductId>,
    subscription_id: Option<Key<SubscriptionId>>,
    installation_id: Key<InstallationId>,
    component: Name<Component>,
    from_version: Name<Version>,
    to_version: Name<Version>,
    stage: Name<Stage>,
    outcome: Option<Name<Outcome>>,
    error_class: Option<Name<FailureClass>>,
    error_code: Option<String>,
    error_message: Option<String>,
    error_stage: Option<Name<Stage>>,
    scheduled_for: Option<Moment>,
    notify_email: Option<String>,
    locale: Option<Name<LanguageTag>>,
    updater_time: Option<Moment>,
    first_reported_at: Moment,
    last_reported_at: Moment,
    release_id: Option<Key<ReleaseId>>,
    has_vote: bool,
    downloaded_at: Option<Moment>,
    ended_at: Option<Moment>,
    lost_at: Option<Moment>,
    data_loss_at: Option<Moment>,
    known_problem: Option<String>,
}

fn owner(run: &Run) -> Key<Uuid> {
    Key(run.subscription.map_or(Uuid::nil(), |id| id.0))
}

impl Row {
    fn into_domain(self) -> Run {
        Run {
            id: self.id.0,
            product: self.product_id.0,
            subscription: self.subscription_id.map(|id| id.0),
            installation: self.installation_id.0,
            component: self.component.0,
            from_version: self.from_version.0,
            to_version: self.to_version.0,
            stage: self.stage.0,
            outcome: self.outcome.map(|outcome| outcome.0),
            error: self.error_class.map(|class| Failure {
                class: class.0,
                code: self.error_code.unwrap_or_default(),
                message: self.error_message.unwrap_or_default(),
            }),
            // Older rows lack this stage. They get the stage that the run had reached.
            error_stage: self.error_stage.map_or(self.stage.0, |stage| stage.0),
            scheduled_for: self.scheduled_for.map(|at| at.0),
            notify_email: self.notify_email,
            locale: self.locale.map(|locale| locale.0),
            at: self.updater_time.map(|at| at.0),
            first_reported_at: self.first_reported_at.0,
            last_reported_at: self.last_reported_at.0,
            release: self.release_id.map(|id| id.0),
            has_vote: self.has_vote,
            downloaded_at: self.downloaded_at.map(|at| at.0),
            ended_at: self.ended_at.map(|at| at.0),
            lost_at: self.lost_at.map(|at| at.0),
            data_loss_at: self.data_loss_at.map(|at| at.0),
            known_problem: self.known_problem,
        }
    }
}

/// A run before and after a change.
#[derive(Clone, Debug)]
pub struct RunChange {
    /// `None` if this was the first report of the run.
    pub before: Option<Run>,
    pub after: Run,
}

/// Run and owner identify a run. The owner is the subscription, or the nil UUID.
type Identity = (RunId, Uuid);

fn identity(run: &Run) -> Identity {
    (run.id, owner(run).0)
}

/// The thing that is locked while a run changes.
fn thing((id, owner): Identity) -> Uuid {
    let ((high, low), (other_high, other_low)) = (owner.as_u64_pair(), id.0.as_u64_pair());
    Uuid::from_u64_pair(high ^ other_high, low ^ other_low)
}

/// The existing runs with these identities. They are locked, so that no other transaction changes them.
fn hold(connection: &mut Connection, wanted: &BTreeSet<Identity>) -> Result<BTreeMap<Identity, Run>, StoreError> {
    let things: Vec<Uuid> = wanted.iter().copied().map(thing).collect();
    transaction::hold_all(connection, locks::THING, &things)?;
    let ids: Vec<Key<RunId>> = wanted.iter().map(|(id, _)| Key(*id)).collect();
    let rows: Vec<Row> = runs::table.filter(runs::id.eq_any(ids)).select(Row::as_select()).load(connection)?;
    let known = rows.into_iter().map(Row::into_domain).map(|run| (identity(&run), run));
    // A run of another owner can have the same id.
    Ok(known.filter(|(identity, _)| wanted.contains(identity)).collect())
}

/// Stores reports, each in the form of a run without a past. Returns how each report changed its run, in their order.
/// Reports of one run are applied one after the other. At most [`AT_ONCE`] reports.
pub fn take_in(connection: &mut Connection, reports: Vec<Run>) -> Result<Vec<RunChange>, StoreError> {
    let mut runs = hold(connection, &reports.iter().map(identity).collect())?;
    let mut changes = Vec::with_capacity(reports.len());
    for report in reports {
        let place = identity(&report);
        let before = runs.remove(&place);
        let after = match before.clone() {
            Some(mut run) => {
                run.absorb(report);
                run
            }
            None => report.begun(),
        };
        runs.insert(place, after.clone());
        changes.push(RunChange { before, after });
    }
    put(connection, runs.values())?;
    Ok(changes)
}

/// Marks runs as lost that had begun to install and have not reported for `silence`. Returns them, at most [`AT_ONCE`].
pub fn give_up(
    connection: &mut Connection,
    now: Timestamp,
    silence: SignedDuration,
) -> Result<Vec<RunChange>, StoreError> {
    let heard_before = now.checked_sub(silence).unwrap_or(Timestamp::MIN);
    // The condition of the index, word for word. A scheduled run counts only if its scheduled time is also `silence`
    // ago.
    let under_way = sql::<Bool>("stage IN ('installing', 'migrating') AND lost_at IS NULL");
    let silent: Vec<(Key<RunId>, Key<Uuid>)> = runs::table
        .filter(under_way)
        .filter(runs::last_reported_at.le(Moment(heard_before)))
        .filter(runs::scheduled_for.is_null().or(runs::scheduled_for.le(Moment(heard_before))))
        .order(runs::last_reported_at)
        .limit(LIMIT)
        .select((runs::id, runs::owner))
        .load(connection)?;
    // Checked again: a run may have reported before it was locked.
    let held = hold(connection, &silent.into_iter().map(|(id, owner)| (id.0, owner.0)).collect())?;
    let mut changes = Vec::new();
    for (_, run) in held {
        if run.lost_at.is_none() && run.lost_from(silence).is_some_and(|lost_from| lost_from <= now) {
            let lost = Run { lost_at: Some(now), ..run.clone() };
            changes.push(RunChange { before: Some(run), after: lost });
        }
    }
    put(connection, changes.iter().map(|change| &change.after))?;
    Ok(changes)
}

/// The last runs of a subscription to a release that have a vote and are over, the last first.
pub fn last_over(
    connection: &mut Connection,
    subscription: SubscriptionId,
    release: ReleaseId,
) -> Result<Vec<Run>, StoreError> {
    let rows: Vec<Row> = runs::table
        .filter(runs::release_id.eq(Key(release)))
        .filter(runs::subscription_id.eq(Key(subscription)))
        .filter(runs::has_vote.eq(true))
        .filter(runs::ended_at.is_not_null().or(runs::lost_at.is_not_null()))
        .order((sql::<BigInt>("COALESCE(ended_at, lost_at)").desc(), runs::id.desc()))
        .limit(LOOKED_AT)
        .select(Row::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}

/// How many runs back an earlier vote is searched when the last vote was taken back. A site that cancels more often in
/// a row has no vote.
const LOOKED_AT: i64 = 50;

/// Rows in one statement: 27 values each, of the 32,766 that both databases accept.
pub const AT_ONCE: usize = 1000;

/// The same limit for a query.
const LIMIT: i64 = 1000;

/// The columns that keep the values of a run's first report.
const LATEST: Replace = Replace {
    kept: &[
        runs::product_id::NAME,
        runs::subscription_id::NAME,
        runs::installation_id::NAME,
        runs::component::NAME,
        runs::from_version::NAME,
        runs::to_version::NAME,
        runs::first_reported_at::NAME,
    ],
    ..Replace::ALL
};

/// Writes runs, in place of their rows.
fn put<'r>(connection: &mut Connection, runs: impl Iterator<Item = &'r Run>) -> Result<(), StoreError> {
    Bulk::of(runs.map(new_row).collect()).replacing(LATEST).insert(connection)
}

fn new_row(run: &Run) -> impl NewRow<Table = runs::table> {
    let error = run.error.as_ref();
    (
        (runs::id, Key(run.id)),
        (runs::owner, owner(run)),
        (runs::product_id, Key(run.product)),
        (runs::subscription_id, run.subscription.map(Key)),
        (runs::installation_id, Key(run.installation)),
        (runs::component, Name(run.component)),
        (runs::from_version, Name(run.from_version.clone())),
        (runs::to_version, Name(run.to_version.clone())),
        (runs::stage, Name(run.stage)),
        (runs::outcome, run.outcome.map(Name)),
        (runs::error_class, error.map(|error| Name(error.class))),
        (runs::error_code, error.map(|error| error.code.as_str())),
        (runs::error_message, error.map(|error| error.message.as_str())),
        (runs::error_stage, Some(Name(run.error_stage))),
        (runs::scheduled_for, run.scheduled_for.map(Moment)),
        (runs::notify_email, run.notify_email.as_deref()),
        (runs::locale, run.locale.clone().map(Name)),
        (runs::updater_time, run.at.map(Moment)),
        (runs::first_reported_at, Moment(run.first_reported_at)),
        (runs::last_reported_at, Moment(run.last_reported_at)),
        (runs::release_id, run.release.map(Key)),
        (runs::has_vote, run.has_vote),
        (runs::downloaded_at, run.downloaded_at.map(Moment)),
        (runs::ended_at, run.ended_at.map(Moment)),
        (runs::lost_at, run.lost_at.map(Moment)),
        (runs::data_loss_at, run.data_loss_at.map(Moment)),
        (runs::known_problem, run.known_problem.as_deref()),
    )
}

/// The filter of a list of runs; `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only products within this reach.
    pub reach: Reach,
    pub subscription: Option<SubscriptionId>,
    pub outcome: Option<Outcome>,
}

/// A page of runs, by id and owner.
pub fn matching(
    connection: &mut Connection,
    wanted: &Wanted,
    page: Page<(RunId, Uuid)>,
) -> Result<Vec<Run>, StoreError> {
    let mut query = runs::table.order((runs::id, runs::owner)).limit(page.limit).select(Row::as_select()).into_boxed();
    if let Some((id, owner)) = page.after {
        query = query.filter(runs::id.gt(Key(id)).or(runs::id.eq(Key(id)).and(runs::owner.gt(Key(owner)))));
    }
    if let Some(products) = wanted.reach.products() {
        query = query.filter(runs::product_id.eq_any(products.iter().copied().map(Key)));
    }
    if let Some(subscription) = wanted.subscription {
        query = query.filter(runs::subscription_id.eq(Key(subscription)));
    }
    if let Some(outcome) = wanted.outcome {
        query = query.filter(runs::outcome.eq(outcome.as_str()));
    }
    Ok(query.load(connection)?.into_iter().map(Row::into_domain).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    /// A run whose columns differ from one another, and from the run of another number.
    fn run(number: u8) -> Run {
        let id = |place: u8| Uuid::from_bytes([number * 10 + place; 16]);
        let at = |place: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(i64::from(number) * 10 + place);
        let text = |name: &str| format!("{name} {number}");
        Run {
            id: RunId(Uuid::nil()),
            product: ProductId(id(1)),
            subscription: Some(SubscriptionId(Uuid::max())),
            installation: InstallationId(id(2)),
            component: [Component::Standalone, Component::Client][usize::from(number)],
            from_version: Version::new(u64::from(number), 1, 0),
            to_version: Version::new(u64::from(number), 2, 0),
            stage: [Stage::Ended, Stage::Migrating][usize::from(number)],
            outcome: Some([Outcome::Failed, Outcome::RolledBack][usize::from(number)]),
            error: Some(Failure {
                class: [FailureClass::Backup, FailureClass::Network][usize::from(number)],
                code: text("code"),
                message: text("message"),
            }),
            error_stage: [Stage::Installing, Stage::Draining][usize::from(number)],
            scheduled_for: Some(at(1)),
            notify_email: Some(text("address")),
            locale: ["it", "fr-CH"][usize::from(number)].parse().ok(),
            at: Some(at(2)),
            first_reported_at: at(3),
            last_reported_at: at(4),
            release: Some(ReleaseId(id(3))),
            has_vote: number == 1,
            downloaded_at: Some(at(5)),
            ended_at: Some(at(6)),
            lost_at: Some(at(7)),
            data_loss_at: Some(at(8)),
            known_problem: Some(text("problem")),
        }
    }

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("runs.db")).expect("a database");
        store.migrate().expect("a schema");
        let (first, second) = (run(0), run(1));
        // Not committed: no product, subscription or release has these ids.
        let written = store.write::<(), StoreError, ()>(
            |connection| {
                diesel::sql_query("PRAGMA defer_foreign_keys = ON").execute(connection)?;
                let mut known = Vec::new();
                for run in [&first, &second] {
                    put(connection, std::iter::once(run))?;
                    known.extend(hold(connection, &BTreeSet::from([identity(run)]))?.into_values());
                }
                let replaced = Run {
                    product: first.product,
                    installation: first.installation,
                    component: first.component,
                    from_version: first.from_version.clone(),
                    to_version: first.to_version.clone(),
                    first_reported_at: first.first_reported_at,
                    ..second.clone()
                };
                assert_eq!(known, [first.clone(), replaced]);
                Err(StoreError::Other("not to be committed".to_owned()))
            },
            |()| (),
        );
        assert!(matches!(written, Err(StoreError::Other(text)) if text == "not to be committed"));
    }
}
