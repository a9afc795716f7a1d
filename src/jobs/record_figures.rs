//! Records which versions are in use.

use std::{sync::Arc, time::Duration};

use super::runner::{Job, JobError, RunsOn};
use crate::services::{Context, field::figures};

/// Usage figures are recorded at start-up and then at this interval; the last record of a day is kept.
const PERIOD: Duration = Duration::from_hours(1);

/// The job that records usage figures.
pub(super) struct RecordFigures(pub(super) Arc<Context>);

impl Job for RecordFigures {
    const NAME: &'static str = "record_figures";
    const RUNS_ON: RunsOn = RunsOn::Leader;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run(&mut self) -> Result<(), JobError> {
        Ok(figures::record(&self.0).await?)
    }
}
