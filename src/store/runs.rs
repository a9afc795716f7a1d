//! `runs`: updates as their updaters report them.

use diesel::prelude::*;
use uuid::Uuid;

use super::{
    Connection, Page, StoreError,
    schema::runs,
    transaction,
    value::{Key, Moment, Name},
};
use crate::domain::{
    id::{InstallationId, ProductId, ReleaseId, RunId, SubscriptionId},
    locale::LanguageTag,
    platform::Component,
    run::{Failure, FailureClass, Outcome, Run, Stage},
    version::Version,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = runs, treat_none_as_null = true)]
struct Row {
    id: Key<RunId>,
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
    known_problem: Option<String>,
}

fn owner(run: &Run) -> Key<Uuid> {
    Key(run.subscription.map_or(Uuid::nil(), |id| id.0))
}

impl Row {
    fn of(run: &Run) -> Self {
        Self {
            id: Key(run.id),
            owner: owner(run),
            product_id: Key(run.product),
            subscription_id: run.subscription.map(Key),
            installation_id: Key(run.installation),
            component: Name(run.component),
            from_version: Name(run.from_version.clone()),
            to_version: Name(run.to_version.clone()),
            stage: Name(run.stage),
            outcome: run.outcome.map(Name),
            error_class: run.error.as_ref().map(|error| Name(error.class)),
            error_code: run.error.as_ref().map(|error| error.code.clone()),
            error_message: run.error.as_ref().map(|error| error.message.clone()),
            scheduled_for: run.scheduled_for.map(Moment),
            notify_email: run.notify_email.clone(),
            locale: run.locale.clone().map(Name),
            updater_time: run.at.map(Moment),
            first_reported_at: Moment(run.first_reported_at),
            last_reported_at: Moment(run.last_reported_at),
            release_id: run.release.map(Key),
            has_vote: run.has_vote,
            downloaded_at: run.downloaded_at.map(Moment),
            ended_at: run.ended_at.map(Moment),
            lost_at: run.lost_at.map(Moment),
            known_problem: run.known_problem.clone(),
        }
    }

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
            known_problem: self.known_problem,
        }
    }
}

/// Takes in a report; returns the run as it stands after it. Reports of one run come one after the other.
///
/// # Errors
/// When the database cannot be written.
pub fn take_in(connection: &mut Connection, report: Run) -> Result<Run, StoreError> {
    let (high, low) = owner(&report).0.as_u64_pair();
    let (other_high, other_low) = report.id.0.as_u64_pair();
    transaction::hold(connection, Uuid::from_u64_pair(high ^ other_high, low ^ other_low))?;
    let place = runs::table.find((Key(report.id), owner(&report)));
    let known: Option<Row> = place.select(Row::as_select()).first(connection).optional()?;
    if let Some(mut run) = known.map(Row::into_domain) {
        run.absorb(report);
        diesel::update(place).set(Row::of(&run)).execute(connection)?;
        Ok(run)
    } else {
        let run = report.begun();
        diesel::insert_into(runs::table).values(Row::of(&run)).execute(connection)?;
        Ok(run)
    }
}

/// Which runs a list is to show; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of this product.
    pub product: Option<ProductId>,
    /// On this subscription.
    pub subscription: Option<SubscriptionId>,
    /// That ended so.
    pub outcome: Option<Outcome>,
}

/// A page of runs, by id and owner.
///
/// # Errors
/// When the database cannot be read.
pub fn matching(
    connection: &mut Connection,
    wanted: &Wanted,
    page: Page<(RunId, Uuid)>,
) -> Result<Vec<Run>, StoreError> {
    let mut query = runs::table.order((runs::id, runs::owner)).limit(page.limit).select(Row::as_select()).into_boxed();
    if let Some((id, owner)) = page.after {
        query = query.filter(runs::id.gt(Key(id)).or(runs::id.eq(Key(id)).and(runs::owner.gt(Key(owner)))));
    }
    if let Some(product) = wanted.product {
        query = query.filter(runs::product_id.eq(Key(product)));
    }
    if let Some(subscription) = wanted.subscription {
        query = query.filter(runs::subscription_id.eq(Key(subscription)));
    }
    if let Some(outcome) = wanted.outcome {
        query = query.filter(runs::outcome.eq(outcome.as_str()));
    }
    Ok(query.load(connection)?.into_iter().map(Row::into_domain).collect())
}
