//! Empties the outbox: at once when this process queues a delivery, and every second for deliveries that are due again
//! or were queued by another process. Each receiver is served by its own task, so that a slow receiver does not delay
//! the others.

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

/// How often to look for deliveries that are due, or were queued by another process; they can be late by this.
const PERIOD: Duration = Duration::from_secs(1);

/// How long to wait for deliveries in progress when the server stops. A delivery that is cut off is sent again.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The state of a receiver between two times that it is served.
#[derive(Debug, Default)]
struct Desk {
    /// The receiver's recent success or failure; `None` while it is served.
    standing: Option<Standing>,
    is_served: bool,
    /// A delivery may have been queued while the receiver was served.
    is_wanted: bool,
    /// The last attempt failed at the database. The failure is logged once.
    fails: bool,
}

/// A receiver that was served, its new standing, and the result.
type Served = (Receiver, Standing, Result<(), StoreError>);

/// The job that serves the receivers of mails and webhook messages.
pub(super) struct Deliver {
    context: Arc<Context>,
    signals: Signals,
    filled: watch::Receiver<()>,
    known: HashMap<Receiver, Desk>,
    serving: JoinSet<Served>,
    /// No claims of the previous process are left to release.
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

    /// Records the result of serving a receiver.
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
                // Do not return here: `run` serves every receiver again, so the job would never pause.
                Some(served) = self.serving.join_next() => match served {
                    Ok(served) => self.note(served),
                    Err(error) => tracing::error!(%error, "a task that sends failed"),
                },
                // An error means that the sender is gone, so the server is stopping.
                _ = self.filled.changed() => return,
                () = &mut pause => return,
            }
        }
    }

    /// Serves every receiver that is not being served yet.
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
