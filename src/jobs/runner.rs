//! The runner: runs each job again and again in a task of its own, until the server stops.

#[cfg(test)]
mod tests;

use std::{
    error::Error,
    future::Future,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use tokio::{sync::watch, time};

/// The pause after a panic while waiting for a job to be due, so that it cannot fill a processor.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// Which replicas run a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunsOn {
    /// Every replica.
    EveryReplica,
    /// The one replica that leads. The job runs as soon as a replica begins to lead.
    Leader,
}

/// Why a run failed.
pub(super) type JobError = Box<dyn Error + Send + Sync>;

/// Work that is done again and again beside the requests. A run that fails or panics does not end the job.
pub(super) trait Job: Send + 'static {
    /// The job's name in the log.
    const NAME: &'static str;

    /// Where the job runs.
    const RUNS_ON: RunsOn;

    /// The time between the starts of two runs. A run that takes longer is followed by the next one at once.
    fn period(&self) -> Duration;

    /// Prepares the first run, and the first one after this replica has begun to lead.
    fn begin(&mut self) {}

    /// Waits until the next run is due; the last one started at `last`. It may be given up at any `await`.
    fn due(&mut self, last: Instant) -> impl Future<Output = ()> + Send {
        time::sleep_until((last + self.period()).into())
    }

    /// Does the work once.
    fn run(&mut self) -> impl Future<Output = Result<(), JobError>> + Send;

    /// Ends the job when the server stops.
    fn finish(&mut self) -> impl Future<Output = Result<(), JobError>> + Send {
        async { Ok(()) }
    }
}

/// What jobs are told while they run.
#[derive(Clone, Debug)]
pub(super) struct Signals {
    leads: watch::Receiver<bool>,
    stopped: watch::Receiver<bool>,
}

impl Signals {
    /// Signals that say whether this replica leads, and whether the server stops.
    pub(super) const fn new(leads: watch::Receiver<bool>, stopped: watch::Receiver<bool>) -> Self {
        Self { leads, stopped }
    }

    /// Whether this replica leads.
    pub(super) fn leads(&self) -> bool {
        *self.leads.borrow()
    }

    /// Whether the server stops.
    pub(super) fn stops(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Waits until this replica leads.
    async fn lead(&mut self) {
        if self.leads.wait_for(|leads| *leads).await.is_err() {
            // The sender is gone: this replica will never lead.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the server stops.
    async fn stop(&mut self) {
        // An error means that the sender is gone, and then the server stops too.
        let _ = self.stopped.wait_for(|stopped| *stopped).await;
    }
}

/// Runs a job until the server stops.
pub(super) async fn run<J: Job>(mut job: J, mut signals: Signals) {
    let mut outcomes = Outcomes { job: J::NAME, failure: None };
    let mut last = None;
    let mut waiting = signals.clone();
    loop {
        let waited = tokio::select! {
            waited = caught(wait(&mut job, &mut last, &mut waiting)) => waited,
            () = signals.stop() => break,
        };
        if waited.is_none() {
            outcomes.panicked();
            if time::timeout(AFTER_PANIC, signals.stop()).await.is_ok() {
                break;
            }
        } else if is_here::<J>(&signals) {
            last = Some(Instant::now());
            outcomes.note(caught(job.run()).await);
        }
    }
    outcomes.note(caught(job.finish()).await);
}

/// Whether this replica is one that runs the job.
fn is_here<J: Job>(signals: &Signals) -> bool {
    J::RUNS_ON == RunsOn::EveryReplica || signals.leads()
}

/// Waits until this replica runs the job and the next run is due.
async fn wait<J: Job>(job: &mut J, last: &mut Option<Instant>, signals: &mut Signals) {
    if !is_here::<J>(signals) {
        *last = None;
        signals.lead().await;
    }
    match *last {
        Some(last) => job.due(last).await,
        None => job.begin(),
    }
}

/// The output of `work`, or nothing if it panicked.
async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}

/// What became of a job's runs. A failure is logged once, however often it is repeated.
struct Outcomes {
    job: &'static str,
    failure: Option<String>,
}

impl Outcomes {
    fn note(&mut self, outcome: Option<Result<(), JobError>>) {
        let job = self.job;
        match outcome {
            None => self.panicked(),
            Some(Ok(())) => {
                if self.failure.take().is_some() {
                    tracing::info!(job, "a job that had failed succeeded");
                }
            }
            Some(Err(error)) => {
                let error = Some(error.to_string());
                if self.failure != error {
                    tracing::warn!(job, error, "a job failed; it is tried again");
                    self.failure = error;
                }
            }
        }
    }

    fn panicked(&self) {
        tracing::error!(job = self.job, "a job panicked; it is tried again");
    }
}
