//! Deletes old entries of the change log.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;

use super::runner::{Job, JobError, RunsOn};
use crate::services::{Context, running::follow};

const PERIOD: Duration = Duration::from_mins(10);

/// How long changes are kept. A replica that was away for longer reads everything again.
const KEEP: SignedDuration = SignedDuration::from_hours(24);

/// The job that deletes old changes.
pub(super) struct ForgetChanges(pub(super) Arc<Context>);

impl Job for ForgetChanges {
    const NAME: &'static str = "forget_changes";
    const RUNS_ON: RunsOn = RunsOn::Leader;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run(&mut self) -> Result<(), JobError> {
        Ok(follow::forget(&self.0, KEEP).await?)
    }
}
