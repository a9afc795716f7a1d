//! Emptying the outbox: at once where this process has put something in, and every second for what has become due or was put
//! in by another one. Each receiver is served by a task of its own: one that is slow or away takes no time of the others.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use tokio::{sync::watch, task::JoinSet, time};

use super::runner::{Job, JobError, RunsOn, Signals};
use crate::{
    services::{
        Context,
        telling::deliver::{Receiver, Standing, receivers, release_claims, serve},
    },
    store::StoreError,
};

/// How often to look for what has become due, or was queued by another process.
const PERIOD: Duration = Duration::from_secs(1);

/// What is under way when the server stops is waited for so long; what is broken off is sent once more.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What is known of a receiver between two times that it is served.
#[derive(Debug, Default)]
struct Desk {
    /// How it has done of late; not here while it is served.
    standing: Option<Standing>,
    is_served: bool,
    /// Something may have come for it while it was served.
    is_wanted: bool,
    /// The database could not be used the last time: that is told once.
    fails: bool,
}

/// A receiver that was served.
type Served = (Receiver, Standing, Result<(), StoreError>);

/// The job.
pub(super) struct Deliver {
    context: Arc<Context>,
    signals: Signals,
    filled: watch::Receiver<()>,
    known: HashMap<Receiver, Desk>,
    serving: JoinSet<Served>,
    /// Nothing is claimed any more by the process before this one.
    is_released: bool,
}

impl Deliver {
    pub(super) fn new(context: Arc<Context>, signals: Signals) -> Self {
        let filled = context.outbox_filled.subscribe();
        Self { context, signals, filled, known: HashMap::new(), serving: JoinSet::new(), is_released: false }
    }

    fn want(&mut self, receiver: Receiver) {
        let desk = self.known.entry(receiver).or_default();
        desk.is_wanted = desk.is_served;
        if desk.is_served {
            return;
        }
        desk.is_served = true;
        let mut standing = desk.standing.take().unwrap_or_default();
        let (context, signals) = (Arc::clone(&self.context), self.signals.clone());
        self.serving.spawn(async move {
            let goes_on = move || signals.leads() && !signals.stops();
            let done = AssertUnwindSafe(serve(&context, receiver, &mut standing, &goes_on)).catch_unwind().await;
            let done = done.unwrap_or_else(|_| Err(StoreError::Other("sending panicked".to_owned())));
            (receiver, standing, done)
        });
    }

    /// Notes that somebody was served.
    fn note(&mut self, (receiver, standing, done): Served) {
        let Some(desk) = self.known.get_mut(&receiver) else { return };
        (desk.standing, desk.is_served) = (Some(standing), false);
        match done {
            Ok(()) => desk.fails = false,
            Err(error) if !desk.fails => {
                desk.fails = true;
                tracing::warn!(%error, ?receiver, "the outbox cannot be emptied; it is tried again every second");
            }
            Err(_) => {}
        }
        if std::mem::take(&mut desk.is_wanted) && !desk.fails && self.signals.leads() {
            self.want(receiver);
        }
    }
}

impl Job for Deliver {
    const NAME: &'static str = "deliver";
    const RUNS_ON: RunsOn = RunsOn::Leader;

    fn period(&self) -> Duration {
        PERIOD
    }

    async fn due(&mut self, last: Instant) {
        let mut pause = pin!(time::sleep_until((last + PERIOD).into()));
        loop {
            tokio::select! {
                // A receiver that was served is no reason to look: it would never end.
                Some(served) = self.serving.join_next() => match served {
                    Ok(served) => self.note(served),
                    Err(error) => tracing::error!(%error, "a task that sends failed"),
                },
                // An error means that the sender is gone, and then the server stops.
                _ = self.filled.changed() => return,
                () = &mut pause => return,
            }
        }
    }

    /// Serves every receiver that is not being served.
    async fn run(&mut self) -> Result<(), JobError> {
        if !self.is_released && !self.context.store.is_shared() {
            release_claims(&self.context).await?;
        }
        self.is_released = true;
        let found = receivers(&self.context).await?;
        self.known.retain(|receiver, desk| desk.is_served || found.contains(receiver));
        for receiver in found {
            self.want(receiver);
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), JobError> {
        let ended = async { while self.serving.join_next().await.is_some() {} };
        let _ = time::timeout(LAST_WORDS, ended).await;
        Ok(())
    }
}
