//! Writes sightings to the database. Sightings that cannot be written stay in memory for the next run.

use std::{sync::Arc, time::Duration};

use super::runner::{Job, JobError, RunsOn};
use crate::services::{Context, field::sightings};

/// The job that writes sightings.
pub(super) struct WriteSightings {
    pub(super) context: Arc<Context>,
    /// `checks.sightings_every` of the configuration.
    pub(super) period: Duration,
}

impl Job for WriteSightings {
    const NAME: &'static str = "write_sightings";
    const RUNS_ON: RunsOn = RunsOn::EveryReplica;

    fn period(&self) -> Duration {
        self.period
    }

    async fn run(&mut self) -> Result<(), JobError> {
        Ok(sightings::write_sightings(&self.context).await.map(drop)?)
    }

    /// Writes the last sightings, which are only in memory and would be lost.
    async fn finish(&mut self) -> Result<(), JobError> {
        self.run().await
    }
}
