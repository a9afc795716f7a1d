//! Deletes exchanged identities and pipeline tokens that have expired.

use std::{sync::Arc, time::Duration};

use super::runner::{Job, JobError, RunsOn};
use crate::services::{Context, people::exchange_identity};

const PERIOD: Duration = Duration::from_mins(10);

/// The job that deletes expired identities and tokens.
pub(super) struct ForgetIdentities(pub(super) Arc<Context>);

impl Job for ForgetIdentities {
    const NAME: &'static str = "forget_identities";
    const RUNS_ON: RunsOn = RunsOn::Leader;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run(&mut self) -> Result<(), JobError> {
        Ok(exchange_identity::forget(&self.0).await?)
    }
}
