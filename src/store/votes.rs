//! `votes`: what the subscriptions that a release was open to say of it, one vote each.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{dsl::count_star, prelude::*};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Connection, StoreError,
    bulk::{Bulk, Cell},
    runs,
    schema::votes,
    transaction,
    value::{Key, Moment, Name},
};
use crate::domain::{
    health::{self, Tally, Vote},
    id::{ReleaseId, SubscriptionId},
    run::Run,
};

/// Who votes on what.
pub type Voter = (SubscriptionId, ReleaseId);

const COLUMNS: &str = "votes (release_id, subscription_id, outcome, voted_at, data_loss_at, changed_at)";

/// That a subscription has reported lost data is never taken back.
const IN_PLACE: &str = " ON CONFLICT (release_id, subscription_id) DO UPDATE SET outcome = excluded.outcome, \
    voted_at = excluded.voted_at, data_loss_at = COALESCE(votes.data_loss_at, excluded.data_loss_at), \
    changed_at = excluded.changed_at";

/// Counts votes anew, each from all of the subscription's runs that lead to the release: its last outcome that has one. At most
/// as many as runs are taken in at once.
///
/// # Errors
/// When the database cannot be written.
pub fn count_anew(connection: &mut Connection, voters: &BTreeSet<Voter>, now: Timestamp) -> Result<(), StoreError> {
    if voters.is_empty() {
        return Ok(());
    }
    // Two runs of a subscription may be reported at once.
    let subscriptions: Vec<Uuid> = voters.iter().map(|(subscription, _)| subscription.0).collect();
    transaction::hold_all(connection, &subscriptions)?;
    let mut runs_of: BTreeMap<Voter, Vec<Run>> = BTreeMap::new();
    for run in runs::with_votes(connection, voters)? {
        if let Some(voter) = run.subscription.zip(run.release) {
            runs_of.entry(voter).or_default().push(run);
        }
    }
    let row = |voter: &Voter| cells(*voter, runs_of.get(voter).map_or(&[], Vec::as_slice), now);
    Bulk { into: COLUMNS.into(), rows: voters.iter().map(row).collect(), tail: IN_PLACE }.insert(connection)
}

/// A vote as a row of [`COLUMNS`].
fn cells((subscription, release): Voter, runs: &[Run], now: Timestamp) -> Vec<Cell> {
    let over_at = |run: &Run| run.ended_at.max(run.lost_at);
    let last = runs.iter().filter(|run| health::vote(run).is_some()).max_by_key(|run| (over_at(run), run.id));
    let lost_data = runs.iter().any(health::lost_data);
    vec![
        Cell::Bytes(release.0.as_bytes().to_vec()),
        Cell::Bytes(subscription.0.as_bytes().to_vec()),
        Cell::MaybeText(last.and_then(health::vote).map(|vote| vote.to_string())),
        Cell::MaybeNumber(last.and_then(over_at).map(Timestamp::as_microsecond)),
        Cell::MaybeNumber(lost_data.then(|| now.as_microsecond())),
        Cell::Number(now.as_microsecond()),
    ]
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
