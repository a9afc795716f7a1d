//! Opens the stages of rollouts, and announces releases when their time has come.

use std::{sync::Arc, time::Duration};

use super::runner::{Job, JobError, RunsOn};
use crate::services::{Context, releasing::guard_rollouts};

/// The maximum delay of stages and scheduled releases.
const PERIOD: Duration = Duration::from_millis(500);

/// The job that opens stages and announces releases.
pub(super) struct TendRollouts(pub(super) Arc<Context>);

impl Job for TendRollouts {
    const NAME: &'static str = "tend_rollouts";
    const RUNS_ON: RunsOn = RunsOn::Leader;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run(&mut self) -> Result<(), JobError> {
        Ok(guard_rollouts::tend(&self.0).await?)
    }
}
