//! Gives up runs that began to install and have not reported since.

use std::{sync::Arc, time::Duration};

use super::runner::{Job, JobError, RunsOn};
use crate::services::{Context, field::journal, releasing::guard_rollouts::Judging};

const PERIOD: Duration = Duration::from_secs(5);

/// The job that gives up silent runs.
pub(super) struct GiveUpSilentRuns {
    pub(super) context: Arc<Context>,
    pub(super) judging: Arc<Judging>,
}

impl Job for GiveUpSilentRuns {
    const NAME: &'static str = "give_up_silent_runs";
    const RUNS_ON: RunsOn = RunsOn::Leader;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run(&mut self) -> Result<(), JobError> {
        Ok(journal::give_up_silent(&self.context, &self.judging).await?)
    }
}
