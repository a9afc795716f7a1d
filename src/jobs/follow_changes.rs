//! Brings the changes of other replicas into this replica's directory: at once when the database sends a notification,
//! otherwise at every period. While the database cannot be read, checks are answered from the directory as it is.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{task, time};

use super::runner::{Job, JobError, RunsOn};
use crate::{
    services::{
        Context,
        running::{follow, following::Following, share_keys::Vault},
    },
    store::Listener,
};

/// A replica may be 2 s behind (contract, end of section 3). 0.5 s leaves time to read the changes.
const PERIOD: Duration = Duration::from_millis(500);

/// How often to poll for a notification; diesel does not expose the socket.
const LISTEN_EVERY: Duration = Duration::from_millis(20);

/// The job that follows the changes of other replicas.
pub(super) struct FollowChanges {
    context: Arc<Context>,
    following: Arc<Following>,
    vault: Option<Arc<Vault>>,
    listener: Option<Listener>,
}

impl FollowChanges {
    pub(super) const fn new(context: Arc<Context>, following: Arc<Following>, vault: Option<Arc<Vault>>) -> Self {
        Self { context, following, vault, listener: None }
    }
}

impl Job for FollowChanges {
    const NAME: &'static str = "follow_changes";
    const RUNS_ON: RunsOn = RunsOn::EveryReplica;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn due(&mut self, _: Instant) {
        let until = Instant::now() + PERIOD;
        while Instant::now() < until {
            time::sleep(LISTEN_EVERY).await;
            match self.listener.as_mut().map(Listener::heard) {
                Some(Ok(true)) => return,
                Some(Err(_)) => self.listener = None,
                Some(Ok(false)) | None => {}
            }
        }
    }

    async fn run(&mut self) -> Result<(), JobError> {
        let (context, listener) = (Arc::clone(&self.context), self.listener.take());
        let (following, vault) = (Arc::clone(&self.following), self.vault.clone());
        let following = task::spawn_blocking(move || {
            // Listen before reading, so that no change falls in between.
            let listener = listener.or_else(|| context.store.listen().unwrap_or(None));
            (follow::catch_up(&context, &following, vault.as_deref()), listener)
        });
        let (caught_up, listener) = following.await?;
        self.listener = listener;
        Ok(caught_up?)
    }
}
