//! Judges recent votes again, in case the replica that had to judge them ended first.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;

use super::runner::{Job, JobError, RunsOn};
use crate::services::{Context, releasing::guard_rollouts};

const PERIOD: Duration = Duration::from_secs(5);

/// The maximum age of votes that are judged again. It must be longer than the replacement of a replica takes, otherwise
/// votes are not judged.
const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// The job that judges recent votes again.
pub(super) struct JudgeRecentVotes {
    context: Arc<Context>,
    /// All votes were judged since this replica began to lead. Before that, there may have been no leader for long.
    has_judged_all: bool,
}

impl JudgeRecentVotes {
    pub(super) const fn new(context: Arc<Context>) -> Self {
        Self { context, has_judged_all: false }
    }
}

impl Job for JudgeRecentVotes {
    const NAME: &'static str = "judge_recent_votes";
    const RUNS_ON: RunsOn = RunsOn::Leader;

    fn period(&self) -> Duration {
        PERIOD
    }

    fn begin(&mut self) {
        self.has_judged_all = false;
    }

    async fn run(&mut self) -> Result<(), JobError> {
        let since = self.has_judged_all.then_some(RECENT);
        guard_rollouts::judge_recent(&self.context, since).await?;
        self.has_judged_all = true;
        Ok(())
    }
}
