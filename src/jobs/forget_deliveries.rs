//! Deletes mails and webhook messages that were sent or have failed long ago.

use std::{sync::Arc, time::Duration};

use super::runner::{Job, JobError, RunsOn};
use crate::services::{Context, telling::deliver};

const PERIOD: Duration = Duration::from_mins(10);

/// The job that deletes old deliveries.
pub(super) struct ForgetDeliveries(pub(super) Arc<Context>);

impl Job for ForgetDeliveries {
    const NAME: &'static str = "forget_deliveries";
    const RUNS_ON: RunsOn = RunsOn::Leader;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run(&mut self) -> Result<(), JobError> {
        Ok(deliver::forget(&self.0).await.map(drop)?)
    }
}
