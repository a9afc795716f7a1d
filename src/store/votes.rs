//! Table `votes`: what subscriptions say of the releases that were open to them, one vote each.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{dsl::count_star, prelude::*, sql_types};
use jiff::Timestamp;

use super::{
    Connection, StoreError,
    bulk::{Bulk, Cell, NewRow, Replace},
    runs::{self, RunChange},
    schema::votes,
    sql::Sql,
    value::{Key, Moment, Name},
};
use crate::domain::{
    health::{self, Ballot, Tally, Vote},
    id::{ReleaseId, SubscriptionId},
    run::Run,
};

/// A subscription, and the release that it votes on.
pub type Voter = (SubscriptionId, ReleaseId);

#[derive(Queryable, Selectable)]
#[diesel(table_name = votes)]
struct Row {
    release_id: Key<ReleaseId>,
    subscription_id: Key<SubscriptionId>,
    outcome: Option<Name<Vote>>,
    voted_at: Option<Moment>,
    data_loss_at: Option<Moment>,
}

/// The voter of a run; `None` if the run has no vote.
#[must_use]
pub fn voter(run: &Run) -> Option<Voter> {
    run.subscription.zip(run.release).filter(|_| run.has_vote)
}

/// Counts changes of runs, in their order. Returns the voters whose vote changed. The caller must have locked the
/// subscriptions ([`super::subscriptions::hold`]). At most [`runs::AT_ONCE`] changes.
pub fn count(
    connection: &mut Connection,
    changes: &[RunChange],
    now: Timestamp,
) -> Result<BTreeSet<Voter>, StoreError> {
    let concerns = |change: &&RunChange| Ballot::concerns(change.before.as_ref(), &change.after);
    let changes: Vec<(Voter, &RunChange)> =
        changes.iter().filter(concerns).filter_map(|change| Some((voter(&change.after)?, change))).collect();
    let voters: BTreeSet<Voter> = changes.iter().map(|(voter, _)| *voter).collect();
    if voters.is_empty() {
        return Ok(voters);
    }
    let known = ballots(connection, &voters)?;
    let mut ballots = known.clone();
    let mut taken_back = BTreeSet::new();
    for (voter, RunChange { before, after }) in changes {
        if !ballots.entry(voter).or_default().count(before.as_ref(), after) {
            taken_back.insert(voter);
        }
    }
    for voter in taken_back {
        let (subscription, release) = voter;
        let runs = runs::last_over(connection, subscription, release)?;
        let last = runs.iter().find(|run| health::vote(run).is_some());
        let ballot = ballots.entry(voter).or_default();
        (ballot.outcome, ballot.voted_at) = (last.and_then(health::vote), last.and_then(Run::over_at));
    }
    ballots.retain(|voter, ballot| known.get(voter) != Some(ballot));
    let rows = ballots.iter().map(|(voter, ballot)| new_row(*voter, *ballot, now)).collect();
    Bulk::of(rows).replacing(Replace::ALL).insert(connection)?;
    Ok(ballots.into_keys().collect())
}

/// The stored votes of these voters.
fn ballots(connection: &mut Connection, voters: &BTreeSet<Voter>) -> Result<BTreeMap<Voter, Ballot>, StoreError> {
    let subscriptions: BTreeSet<SubscriptionId> = voters.iter().map(|(subscription, _)| *subscription).collect();
    let releases: BTreeSet<ReleaseId> = voters.iter().map(|(_, release)| *release).collect();
    let rows: Vec<Row> = votes::table
        .filter(votes::release_id.eq_any(releases.into_iter().map(Key)))
        .filter(votes::subscription_id.eq_any(subscriptions.into_iter().map(Key)))
        .select(Row::as_select())
        .load(connection)?;
    let ballot = |row: Row| {
        let ballot = Ballot {
            outcome: row.outcome.map(|outcome| outcome.0),
            voted_at: row.voted_at.map(|at| at.0),
            data_loss_at: row.data_loss_at.map(|at| at.0),
        };
        ((row.subscription_id.0, row.release_id.0), ballot)
    };
    Ok(rows.into_iter().map(ballot).filter(|(voter, _)| voters.contains(voter)).collect())
}

fn new_row((subscription, release): Voter, ballot: Ballot, now: Timestamp) -> impl NewRow<Table = votes::table> {
    (
        (votes::release_id, Key(release)),
        (votes::subscription_id, Key(subscription)),
        (votes::outcome, ballot.outcome.map(Name)),
        (votes::voted_at, ballot.voted_at.map(Moment)),
        (votes::data_loss_at, ballot.data_loss_at.map(Moment)),
        (votes::changed_at, Moment(now)),
    )
}

/// The votes on a release that were given after a time; all votes if `after` is `None`.
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

/// The releases whose votes have changed since a time.
pub fn changed_since(connection: &mut Connection, at: Timestamp) -> Result<BTreeSet<ReleaseId>, StoreError> {
    let rows: Vec<Changed> = changed(Sql::default(), at).load(connection)?;
    Ok(rows.into_iter().map(|row| row.release_id.0).collect())
}

/// A release with a changed vote.
#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = sql_types::Binary)]
    release_id: Key<ReleaseId>,
}

/// The query of [`changed_since`], after the text `before`. The limit has no effect on the result. It keeps the inner
/// query separate: otherwise `SQLite` reads all votes in the order of their releases.
fn changed(before: Sql, since: Timestamp) -> Sql {
    before
        .then("SELECT DISTINCT recent.release_id AS release_id FROM (SELECT release_id FROM votes WHERE changed_at >= ")
        .value(Cell::Number(since.as_microsecond()))
        .then(" LIMIT 9223372036854775807) AS recent")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = sql_types::Text)]
        detail: String,
    }

    /// The query runs every few seconds, and there may be millions of votes.
    #[test]
    fn changed_votes_are_found_without_reading_all_votes() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("votes.db")).expect("a database");
        store.migrate().expect("a schema");
        let query = changed(Sql::new("EXPLAIN QUERY PLAN "), Timestamp::UNIX_EPOCH);
        let explained = store.read(|connection| Ok::<_, StoreError>(query.load(connection)?));
        let steps: Vec<Step> = explained.expect("a plan");
        let plan: Vec<String> = steps.into_iter().map(|step| step.detail).collect();
        assert!(plan.iter().any(|step| step == "SEARCH votes USING INDEX votes_changed_at (changed_at>?)"), "{plan:?}");
        assert!(!plan.iter().any(|step| step.starts_with("SCAN votes")), "{plan:?}");
    }
}
