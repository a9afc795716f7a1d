//! Judges releases as soon as votes on them change.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time;

use super::runner::{Job, JobError, RunsOn};
use crate::services::{
    Context,
    releasing::guard_rollouts::{self, Judging},
};

/// The shortest pause between two judgements, however many reports arrive: each counts all votes of a release.
const PERIOD: Duration = Duration::from_millis(50);

/// Pause for this many times as long as the last judging took, so that counting a million votes does not occupy the
/// database.
const SHARE: u32 = 10;

/// The pause after a judgement failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The job that judges releases.
pub(super) struct JudgeReleases {
    context: Arc<Context>,
    judging: Arc<Judging>,
    pause: Duration,
}

impl JudgeReleases {
    pub(super) const fn new(context: Arc<Context>, judging: Arc<Judging>) -> Self {
        Self { context, judging, pause: PERIOD }
    }
}

impl Job for JudgeReleases {
    const NAME: &'static str = "judge_releases";
    const RUNS_ON: RunsOn = RunsOn::EveryReplica;

    fn period(&self) -> Duration {
        self.pause
    }

    async fn due(&mut self, _: Instant) {
        time::sleep(self.pause).await;
        self.judging.wanted().await;
    }

    async fn run(&mut self) -> Result<(), JobError> {
        let began = Instant::now();
        // Set before judging, so that it also applies after a panic.
        self.pause = AFTER_FAILURE;
        guard_rollouts::judge(&self.context, &self.judging).await?;
        self.pause = PERIOD.max(began.elapsed() * SHARE);
        Ok(())
    }
}
