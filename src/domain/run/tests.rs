//! Runs: what reports of several orders make of them.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::*;
use crate::domain::health::{self, Vote};

/// So many minutes after ten.
fn at(minutes: i64) -> Timestamp {
    let ten: Timestamp = "2030-03-01T10:00:00Z".parse().expect("a time");
    ten + SignedDuration::from_mins(minutes)
}

fn report(stage: Stage, minutes: i64) -> Run {
    Run {
        id: RunId(Uuid::nil()),
        product: ProductId(Uuid::nil()),
        subscription: None,
        installation: InstallationId(Uuid::nil()),
        component: Component::Standalone,
        from_version: "12.0.0".parse().expect("a version"),
        to_version: "13.0.0".parse().expect("a version"),
        stage,
        outcome: None,
        error: None,
        error_stage: stage,
        scheduled_for: None,
        notify_email: None,
        locale: None,
        at: None,
        first_reported_at: at(minutes),
        last_reported_at: at(minutes),
        release: None,
        has_vote: false,
        downloaded_at: None,
        ended_at: None,
        lost_at: None,
        data_loss_at: None,
        known_problem: None,
    }
}

fn ended(outcome: Outcome, minutes: i64) -> Run {
    Run { outcome: Some(outcome), ..report(Stage::Ended, minutes) }
}

fn because(class: FailureClass, report: Run) -> Run {
    let error = Failure { class, code: class.to_string(), message: String::new() };
    Run { error: Some(error), known_problem: Some(class.to_string()), ..report }
}

/// What becomes of a run by these reports, in this order.
fn sum(reports: impl IntoIterator<Item = Run>) -> Run {
    let mut reports = reports.into_iter();
    let mut run = reports.next().expect("a report").begun();
    reports.for_each(|report| run.absorb(report));
    run
}

#[test]
fn a_run_is_lost_some_time_after_its_last_report_or_schedule() {
    let silence = SignedDuration::from_mins(60);
    let table = [
        (Stage::Installing, None, Some(60)),
        (Stage::Migrating, None, Some(60)),
        (Stage::Installing, Some(-600), Some(60)),
        (Stage::Installing, Some(0), Some(60)),
        (Stage::Migrating, Some(90), Some(150)),
        // It has simply not happened, or is over.
        (Stage::Scheduled, Some(90), None),
        (Stage::Downloading, None, None),
        (Stage::Downloaded, None, None),
        (Stage::BackingUp, None, None),
        (Stage::Draining, Some(-600), None),
        (Stage::Ended, None, None),
    ];
    for (stage, scheduled_for, lost_from) in table {
        let run = Run { scheduled_for: scheduled_for.map(at), ..report(stage, 0) };
        assert_eq!(run.lost_from(silence), lost_from.map(at), "{stage}, for {scheduled_for:?}");
    }
    let never = Run { scheduled_for: Some(Timestamp::MAX), ..report(Stage::Installing, 0) };
    assert_eq!(never.lost_from(silence), None);
    let heard_of_again = sum([report(Stage::Installing, 0), report(Stage::Downloading, 40)]);
    assert_eq!(heard_of_again.lost_from(silence), Some(at(100)), "a late report is a sign of life");
}

#[test]
fn times_are_when_it_was_first_heard_to_have_come_so_far() {
    let times = |run: &Run| (run.downloaded_at, run.ended_at, run.last_reported_at);
    let in_order = [report(Stage::Downloading, 0), report(Stage::Installing, 1), ended(Outcome::Failed, 2)];
    assert_eq!(times(&sum(in_order)), (Some(at(1)), Some(at(2)), at(2)));
    let twice = [ended(Outcome::Succeeded, 0), ended(Outcome::Succeeded, 5), report(Stage::Downloading, 6)];
    assert_eq!(times(&sum(twice)), (Some(at(0)), Some(at(0)), at(6)));
    // How it failed says nothing of how far it had come: that it had is only known from a report of it, even a late
    // one.
    assert_eq!(times(&sum([ended(Outcome::Failed, 0)])).0, None);
    // A replica's clock that is behind takes nothing back.
    assert_eq!(sum([report(Stage::Installing, 3), report(Stage::Migrating, 1)]).last_reported_at, at(3));
}

#[test]
fn a_run_that_was_given_up_is_heard_of_again() {
    let mut run = Run { lost_at: Some(at(60)), ..report(Stage::Installing, 0).begun() };
    assert_eq!((health::vote(&run), run.over_at()), (Some(Vote::Failed), Some(at(60))));
    run.absorb(report(Stage::Migrating, 70));
    assert_eq!((health::vote(&run), run.over_at(), run.stage), (None, None, Stage::Migrating));
}

#[test]
fn what_only_an_earlier_report_knows_is_kept_whenever_it_comes() {
    let planned = |minutes| Run { scheduled_for: Some(at(minutes)), ..report(Stage::Scheduled, 0) };
    assert_eq!(sum([report(Stage::Installing, 0), planned(30)]).scheduled_for, Some(at(30)));
    assert_eq!(sum([planned(30), planned(40), report(Stage::Downloading, 0)]).scheduled_for, Some(at(40)));
    assert_eq!(sum([planned(30), report(Stage::Installing, 0), planned(40)]).scheduled_for, Some(at(30)));
}

#[test]
fn lost_data_is_not_taken_back() {
    let lost = because(FailureClass::DataLoss, report(Stage::Migrating, 1));
    let well = ended(Outcome::Succeeded, 2);
    assert_eq!(sum([lost.clone(), well.clone()]).data_loss_at, Some(at(1)));
    assert_eq!(sum([well, lost]).data_loss_at, Some(at(1)));
}

#[test]
fn a_failure_is_excused_only_by_what_went_wrong_where_it_ended() {
    let no_network = || because(FailureClass::Network, report(Stage::Downloading, 0));
    let installing = || report(Stage::Installing, 1);
    let failed = || ended(Outcome::Failed, 2);
    let class = |run: &Run| run.error.as_ref().map(|error| error.class);
    let table = [
        // It was tried again, and went on.
        (vec![no_network(), installing(), failed()], None, Some(Vote::Failed)),
        (vec![no_network(), failed(), installing()], None, Some(Vote::Failed)),
        (vec![failed(), no_network(), installing()], None, Some(Vote::Failed)),
        // It never came further.
        (vec![no_network(), failed()], Some(FailureClass::Network), None),
        (vec![failed(), no_network()], Some(FailureClass::Network), None),
        // The end has the last word.
        (
            vec![no_network(), because(FailureClass::Installer, failed())],
            Some(FailureClass::Installer),
            Some(Vote::Failed),
        ),
        (vec![installing(), because(FailureClass::Environment, failed())], Some(FailureClass::Environment), None),
    ];
    for (reports, error, vote) in table {
        let run = sum(reports.clone());
        assert_eq!((class(&run), health::vote(&run)), (error, vote), "{reports:?}");
    }
    let lost = Run { lost_at: Some(at(60)), ..sum([no_network(), installing()]) };
    assert_eq!((class(&lost), health::vote(&lost)), (None, Some(Vote::Failed)));
}

/// Every row of up to five reports, with repetitions, of those that one run may make: what is known in the end depends
/// on which reports came, and on nothing else.
#[test]
fn the_order_of_reports_and_their_repetition_make_no_difference() {
    for outcome in Outcome::ALL {
        let reports = [
            because(FailureClass::Environment, report(Stage::Scheduled, 0)),
            report(Stage::Downloading, 0),
            because(FailureClass::Network, report(Stage::Downloading, 0)),
            report(Stage::Installing, 0),
            because(FailureClass::UsersConnected, report(Stage::Installing, 0)),
            report(Stage::Migrating, 0),
            ended(*outcome, 0),
            because(FailureClass::Migration, ended(*outcome, 0)),
        ];
        let mut known = BTreeMap::new();
        let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
        for _ in 0..5 {
            let longer = |row: &Vec<usize>| (0..reports.len()).map(|next| [row.as_slice(), &[next]].concat()).collect();
            rows = rows.iter().flat_map(|row| -> Vec<Vec<usize>> { longer(row) }).collect();
            for row in &rows {
                let run = sum(row.iter().map(|place| reports[*place].clone()));
                let came: BTreeSet<usize> = row.iter().copied().collect();
                let told = (run.stage, run.outcome, run.error.clone(), run.known_problem.clone(), health::vote(&run));
                let class = expected(came.iter().map(|place| &reports[*place]));
                assert_eq!(run.error.map(|error| error.class), class, "{outcome} {row:?}");
                assert_eq!(known.entry(came).or_insert_with(|| told.clone()), &told, "{outcome} {row:?}");
            }
        }
    }
}

/// What went wrong by the words of the rule: what the end says; else what was said of the furthest stage before it;
/// nothing where it succeeded.
fn expected<'r>(reports: impl Iterator<Item = &'r Run>) -> Option<FailureClass> {
    let reports: Vec<&Run> = reports.collect();
    if reports.iter().any(|report| report.outcome == Some(Outcome::Succeeded)) {
        return None;
    }
    let said_of = |stage| {
        let errors = reports.iter().filter(|report| report.stage == stage).filter_map(|report| report.error.as_ref());
        errors.map(|error| error.class).next()
    };
    let furthest = reports.iter().map(|report| report.stage).filter(|stage| *stage != Stage::Ended).max();
    said_of(Stage::Ended).or_else(|| furthest.and_then(said_of))
}
