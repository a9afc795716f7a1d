//! The journal: many reports that arrive together are made durable in one transaction.
//!
//! Each request puts its report into the queue. While a transaction runs, the queue fills, and the next transaction
//! takes all of it: the busier the server, the more reports share a commit. No thread has to be started or stopped:
//! a request that finds no task at work starts one, which commits until the queue is empty.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    domain::{health::Ballot, id::ReleaseId, run::Run},
    services::{
        desk::{Code, Context, Refusal, log_lines::LogLines, outbox::Outbox},
        field::{hosting_slots, known_problems},
        releasing::guard_rollouts::Judging,
        telling::events::Teller,
    },
    store::{self, Connection, StoreError, runs::RunChange},
};

/// The largest number of waiting reports. Beyond it, the server refuses reports instead of filling its memory.
const WAITING: usize = 20_000;

/// How long a request waits for its report to be durable before it is answered with `storage_unavailable`.
const PATIENCE: Duration = Duration::from_secs(30);

/// The queue of reports that wait for a transaction.
#[derive(Debug)]
pub struct Journal {
    queue: Mutex<Queue>,
    /// Receives the releases whose votes were changed by reports.
    judging: Arc<Judging>,
}

impl Journal {
    /// Makes an empty journal.
    #[must_use]
    pub fn new(judging: Arc<Judging>) -> Self {
        Self { queue: Mutex::default(), judging }
    }
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether a task is committing.
    at_work: bool,
}

/// A report, and the request that waits for it to be durable.
#[derive(Debug)]
struct Waiting {
    report: Run,
    answer: oneshot::Sender<Result<Run, Refusal>>,
}

/// Makes a report durable; returns the run as stored. Sets `first_reported_at` and `last_reported_at`.
///
/// # Errors
/// `storage_unavailable`, also when the queue is full.
pub async fn enter(context: &Arc<Context>, journal: &Arc<Journal>, report: Run) -> Result<Run, Refusal> {
    let (answer, answered) = oneshot::channel();
    {
        let mut queue = journal.queue.lock();
        if queue.waiting.len() >= WAITING {
            return Err(Refusal::new(Code::StorageUnavailable, "too many reports wait to be written; try again later"));
        }
        queue.waiting.push_back(Waiting { report, answer });
        if !queue.at_work {
            queue.at_work = true;
            // A task of its own, which goes on to its end when the request is dropped.
            tokio::task::spawn_blocking({
                let (context, journal) = (Arc::clone(context), Arc::clone(journal));
                move || commit_all(&context, &journal)
            });
        }
    }
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(Refusal::internal(&"a report was dropped")),
        Err(_) => Err(StoreError::Unavailable(format!("it has not answered for {} s", PATIENCE.as_secs())).into()),
    }
}

/// After a panic of the task, lets the next report start another one.
struct AtWork<'c>(&'c Journal);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.queue.lock().at_work = false;
        }
    }
}

fn commit_all(context: &Context, journal: &Journal) {
    let _at_work = AtWork(journal);
    loop {
        let batch: Vec<Waiting> = {
            let mut queue = journal.queue.lock();
            let many = queue.waiting.len().min(store::runs::AT_ONCE);
            if many == 0 {
                queue.at_work = false;
                return;
            }
            queue.waiting.drain(..many).collect()
        };
        let (reports, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.report, waiting.answer)).unzip();
        let done = commit(context, &journal.judging, &reports);
        let done: Vec<Result<Run, Refusal>> = match done {
            Ok(runs) => runs.into_iter().map(Ok).collect(),
            // Writes each report alone, so that one invalid report does not fail the others.
            Err(refusal) if refusal.code != Code::StorageUnavailable && reports.len() > 1 => {
                let alone = |report: &Run| commit(context, &journal.judging, std::slice::from_ref(report));
                reports.iter().map(|report| alone(report).and_then(|mut runs| runs.pop().ok_or_else(lost))).collect()
            }
            Err(refusal) => reports.iter().map(|_| Err(refusal.clone())).collect(),
        };
        for (answer, done) in answers.into_iter().zip(done) {
            // An error means that the request is gone; its updater will report again.
            let _ = answer.send(done);
        }
    }
}

fn lost() -> Refusal {
    Refusal::internal(&"a report had no answer")
}

/// Writes reports with their votes, slots, mails and webhook messages in one transaction.
fn commit(context: &Context, judging: &Judging, reports: &[Run]) -> Result<Vec<Run>, Refusal> {
    let (changes, after) = context.store.append::<_, Refusal>(|connection| {
        let now = context.clock.now();
        let mut runs = Vec::with_capacity(reports.len());
        for report in reports {
            let mut run = Run { first_reported_at: now, last_reported_at: now, ..report.clone() };
            mark(context, connection, &mut run)?;
            runs.push(run);
        }
        let changes = store::runs::take_in(connection, runs)?;
        let after = follow_up(context, connection, &changes, now)?;
        Ok((changes, after))
    })?;
    after.see_to(context, judging);
    Ok(changes.into_iter().map(|change| change.after).collect())
}

/// Marks a run with its known problem; uses the rules in memory where it can.
fn mark(context: &Context, connection: &mut Connection, run: &mut Run) -> Result<(), StoreError> {
    let catalogue = context.directory.catalogue();
    let Some(entry) = catalogue.product_by_id(run.product) else { return Ok(()) };
    known_problems::mark(&entry.known_problems, run, |run| {
        match context.directory.sightings.platform(run.product, run.installation) {
            Some(platform) => Ok(Some(platform)),
            None => store::installations::platform(connection, run.product, run.installation),
        }
    })
}

/// Marks as lost the runs that began to install and have not reported for `lost_after`.
pub async fn give_up_silent(context: &Arc<Context>, judging: &Judging) -> Result<(), Refusal> {
    let (desk, silence) = (Arc::clone(context), context.settings.lost_after);
    let given_up = context.append(move |connection, now| {
        let changes = store::runs::give_up(connection, now, silence)?;
        let after = follow_up(&desk, connection, &changes, now)?;
        Ok((changes.len(), after))
    });
    let (number, after) = given_up.await?;
    if number > 0 {
        tracing::info!(number, "runs that began to install and fell silent are given up");
    }
    after.see_to(context, judging);
    Ok(())
}

/// The work that follows the commit of a transaction.
#[derive(Debug)]
struct AfterCommit {
    /// The releases whose votes changed.
    judged: BTreeSet<ReleaseId>,
    /// Whether the outbox has something new to send.
    is_told: bool,
    log: LogLines,
}

impl AfterCommit {
    fn see_to(self, context: &Context, judging: &Judging) {
        self.log.write();
        judging.add(self.judged);
        if self.is_told {
            context.ring();
        }
    }
}

/// Writes the consequences of reports in the same transaction: votes, slots, mails and webhook messages.
fn follow_up(
    context: &Context,
    connection: &mut Connection,
    changes: &[RunChange],
    now: Timestamp,
) -> Result<AfterCommit, StoreError> {
    let counts = |RunChange { before, after }: &RunChange| {
        let votes = store::votes::voter(after).is_some() && Ballot::concerns(before.as_ref(), after);
        after.subscription.filter(|_| votes || after.over_at().is_some())
    };
    // Locks all subscriptions at once, before anything is counted, so that two batches cannot deadlock.
    store::subscriptions::hold(connection, changes.iter().filter_map(counts))?;
    let voters = store::votes::count(connection, changes, now)?;
    let mut outbox = Outbox::default();
    let mut teller = Teller::new(context, connection, &mut outbox, now);
    for RunChange { after, .. } in changes {
        teller.run_ended(after)?;
    }
    let of_slots = |(before, after)| hosting_slots::word_of(context, before, after, now);
    let slots: Vec<_> = in_sum(changes).into_iter().filter_map(of_slots).collect();
    store::group_slots::reported(connection, &slots)?;
    // Mails are queued one by one, as each counts towards the daily limit of its subscription.
    let is_told = outbox.flush(connection)? || changes.iter().any(|change| change.after.notify_email.is_some());
    let judged = voters.into_iter().map(|(_, release)| release).collect();
    Ok(AfterCommit { judged, is_told, log: outbox.log })
}

/// Sums up the reports of a batch by run: the run before the first report, and after the last.
fn in_sum(changes: &[RunChange]) -> Vec<(Option<&Run>, &Run)> {
    let mut sums: HashMap<_, (Option<&Run>, &Run)> = HashMap::new();
    for RunChange { before, after } in changes {
        let sum = sums.entry((after.id, after.subscription)).or_insert((before.as_ref(), after));
        sum.1 = after;
    }
    sums.into_values().collect()
}
