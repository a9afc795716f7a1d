//! Informs staff once a day of subscriptions that are about to end.

use std::{sync::Arc, time::Duration};

use super::runner::{Job, JobError, RunsOn};
use crate::services::{Context, selling::endings};

/// How often to check whether staff were informed today. The check reads one row.
const PERIOD: Duration = Duration::from_secs(5);

/// The job that informs staff of endings.
pub(super) struct TellEndings(pub(super) Arc<Context>);

impl Job for TellEndings {
    const NAME: &'static str = "tell_endings";
    const RUNS_ON: RunsOn = RunsOn::Leader;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run(&mut self) -> Result<(), JobError> {
        Ok(endings::tell(&self.0).await?)
    }
}
