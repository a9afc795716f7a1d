//! `votes`: what the subscriptions that a release was open to say of it, one vote each.

use std::collections::BTreeSet;

use diesel::{dsl::count_star, prelude::*};
use jiff::Timestamp;

use super::{
    Connection, StoreError, runs,
    schema::votes,
    transaction,
    value::{Key, Moment, Name},
};
use crate::domain::{
    health::{self, Tally, Vote},
    id::{ReleaseId, SubscriptionId},
    run::FailureClass,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = votes, treat_none_as_null = true)]
struct Row {
    release_id: Key<ReleaseId>,
    subscription_id: Key<SubscriptionId>,
    outcome: Option<Name<Vote>>,
    voted_at: Option<Moment>,
    data_loss_at: Option<Moment>,
    changed_at: Moment,
}

/// Counts the vote of a subscription on a release anew, from all of its runs: its last outcome that has one. That it has
/// reported lost data is never taken back.
///
/// # Errors
/// When the database cannot be written.
pub fn count_anew(
    connection: &mut Connection,
    release: ReleaseId,
    subscription: SubscriptionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Two runs of the subscription may be reported at once.
    transaction::hold(connection, subscription.0)?;
    let runs = runs::with_vote(connection, release, subscription)?;
    let told = |run: &&crate::domain::run::Run| health::vote(run).is_some();
    let last = runs.iter().filter(told).max_by_key(|run| (run.ended_at.max(run.lost_at), run.id));
    let lost_data =
        runs.iter().any(|run| run.error.as_ref().is_some_and(|error| error.class == FailureClass::DataLoss));
    let place = votes::table.find((Key(release), Key(subscription)));
    let known: Option<Row> = place.select(Row::as_select()).first(connection).optional()?;
    let row = Row {
        release_id: Key(release),
        subscription_id: Key(subscription),
        outcome: last.and_then(health::vote).map(Name),
        voted_at: last.and_then(|run| run.ended_at.max(run.lost_at)).map(Moment),
        data_loss_at: known.as_ref().and_then(|row| row.data_loss_at).or(lost_data.then_some(Moment(now))),
        changed_at: Moment(now),
    };
    match known {
        Some(_) => diesel::update(place).set(row).execute(connection)?,
        None => diesel::insert_into(votes::table).values(row).execute(connection)?,
    };
    Ok(())
}

/// The votes on a release that were given after a moment; all of them without one.
///
/// # Errors
/// When the database cannot be read.
pub fn tally(connection: &mut Connection, release: ReleaseId, after: Option<Timestamp>) -> Result<Tally, StoreError> {
    let after = Moment(after.unwrap_or(Timestamp::MIN));
    let of_release = votes::table.filter(votes::release_id.eq(Key(release)));
    let counted: Vec<(Option<Name<Vote>>, i64)> = of_release
        .filter(votes::voted_at.gt(after))
        .group_by(votes::outcome)
        .select((votes::outcome, count_star()))
        .load(connection)?;
    let data_loss: i64 = of_release.filter(votes::data_loss_at.gt(after)).count().get_result(connection)?;
    let of = |vote: Vote| {
        let number = counted.iter().find(|(outcome, _)| outcome.as_ref().is_some_and(|outcome| outcome.0 == vote));
        number.map_or(0, |(_, number)| u32::try_from(*number).unwrap_or(u32::MAX))
    };
    Ok(Tally {
        succeeded: of(Vote::Succeeded),
        failed: of(Vote::Failed),
        data_loss: u32::try_from(data_loss).unwrap_or(u32::MAX),
    })
}

/// The releases on which votes have changed since a moment.
///
/// # Errors
/// When the database cannot be read.
pub fn changed_since(connection: &mut Connection, at: Timestamp) -> Result<BTreeSet<ReleaseId>, StoreError> {
    let rows: Vec<Key<ReleaseId>> =
        votes::table.filter(votes::changed_at.ge(Moment(at))).select(votes::release_id).distinct().load(connection)?;
    Ok(rows.into_iter().map(|id| id.0).collect())
}
