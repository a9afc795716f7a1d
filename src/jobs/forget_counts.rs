//! Forgets the callers whose rate limits have fully recovered.

use std::{sync::Arc, time::Duration};

use super::runner::{Job, JobError, RunsOn};
use crate::limits::Limits;

const PERIOD: Duration = Duration::from_secs(2);

/// The job that forgets rate limits.
pub(super) struct ForgetCounts(pub(super) Arc<Limits>);

impl Job for ForgetCounts {
    const NAME: &'static str = "forget_counts";
    const RUNS_ON: RunsOn = RunsOn::EveryReplica;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run(&mut self) -> Result<(), JobError> {
        self.0.forget();
        Ok(())
    }
}
