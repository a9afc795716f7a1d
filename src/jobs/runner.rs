//! The runner: runs each job repeatedly in its own task until the server stops.

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

/// The pause after a job panicked in its wait. Without it, such a job could occupy a processor.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// Which replicas run a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunsOn {
    EveryReplica,
    /// The one replica that leads. The job runs as soon as a replica begins to lead.
    Leader,
}

/// The reason why a run failed.
pub(super) type JobError = Box<dyn Error + Send + Sync>;

/// Work that is repeated beside the requests. A failure or panic does not end the job.
pub(super) trait Job: Send + 'static {
    /// The name of the job in the log.
    const NAME: &'static str;

    /// The replicas that run the job.
    const RUNS_ON: RunsOn;

    /// The time between the starts of two runs. The next run starts at once after a run that took longer.
    fn period(&self) -> Duration;

    /// Prepares the first run, and the first run after this replica has begun to lead.
    fn begin(&mut self) {}

    /// Waits until the next run is due; the last one started at `last`. The wait can be cancelled at any `await`.
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

/// The signals that a job can read while it runs.
#[derive(Clone, Debug)]
pub(super) struct Signals {
    leads: watch::Receiver<bool>,
    stopped: watch::Receiver<bool>,
}

impl Signals {
    /// Signals whether this replica leads and whether the server is stopping.
    pub(super) const fn new(leads: watch::Receiver<bool>, stopped: watch::Receiver<bool>) -> Self {
        Self { leads, stopped }
    }

    /// Whether this replica leads.
    pub(super) fn leads(&self) -> bool {
        *self.leads.borrow()
    }

    /// Whether the server is stopping.
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

/// Whether this replica runs the job.
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

/// The outcomes of a job's runs. A repeated failure is logged once.
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
