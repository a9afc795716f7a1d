//! Removes contents to which no artifact refers from the artifact stores.

use std::{sync::Arc, time::Duration};

use super::runner::{Job, JobError, RunsOn};
use crate::services::{Context, running::sweep};

/// A sweep lists all contents of all stores, which is too much work for every minute.
const PERIOD: Duration = Duration::from_mins(10);

/// The job that removes unused contents.
pub(super) struct SweepArtifacts(pub(super) Arc<Context>);

impl Job for SweepArtifacts {
    const NAME: &'static str = "sweep_artifacts";
    const RUNS_ON: RunsOn = RunsOn::Leader;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run(&mut self) -> Result<(), JobError> {
        Ok(sweep::sweep(&self.0).await.map(drop)?)
    }
}
