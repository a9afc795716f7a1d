//! Ensures that one replica leads. When the leader dies, another replica leads after at most one period and the time
//! that the database needs to notice.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task};

use super::runner::{Job, JobError, RunsOn};
use crate::{services::Context, store};

const PERIOD: Duration = Duration::from_secs(2);

/// The job that takes and keeps the lead.
pub(super) struct Lead {
    context: Arc<Context>,
    /// The lead, while this replica has it.
    held: Option<store::Lead>,
    leads: watch::Sender<bool>,
}

impl Lead {
    /// A job that reports in `leads` whether this replica leads.
    pub(super) const fn new(context: Arc<Context>, leads: watch::Sender<bool>) -> Self {
        Self { context, held: None, leads }
    }
}

impl Job for Lead {
    const NAME: &'static str = "lead";
    const RUNS_ON: RunsOn = RunsOn::EveryReplica;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn run(&mut self) -> Result<(), JobError> {
        let (context, leads, held) = (Arc::clone(&self.context), self.leads.clone(), self.held.take());
        let leading = task::spawn_blocking(move || keep_or_take(&context, &leads, held)).await;
        if leading.is_err() {
            self.leads.send_replace(false);
        }
        self.held = leading?;
        Ok(())
    }
}

/// The lead, if this replica still has it or can take it.
fn keep_or_take(context: &Context, leads: &watch::Sender<bool>, lead: Option<store::Lead>) -> Option<store::Lead> {
    if let Some(mut lead) = lead {
        if lead.holds() {
            return Some(lead);
        }
        leads.send_replace(false);
        tracing::warn!("this replica no longer does the background work: its connection to the database was lost");
    }
    // A failure counts as no lead: without a database there is no work that needs a leader.
    let lead = context.store.lead().unwrap_or(None)?;
    leads.send_replace(true);
    if context.store.is_shared() {
        tracing::info!("this replica does the background work now");
    }
    Some(lead)
}
