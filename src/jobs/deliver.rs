//! Emptying the outbox: at once where this process has put something in, and every second for what has become due or was put
//! in by another one. Each receiver is served by a task of its own: one that is slow or away takes no time of the others.

use std::{collections::HashMap, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::{sync::watch, task::JoinSet, time};

use super::told;
use crate::{
    services::{
        Context,
        telling::deliver::{Receiver, Standing, receivers, release_claims, serve},
    },
    store::StoreError,
};

/// So often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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

/// Those who are served.
struct Desks {
    context: Arc<Context>,
    leading: watch::Receiver<bool>,
    stopped: watch::Receiver<bool>,
    known: HashMap<Receiver, Desk>,
    serving: JoinSet<Served>,
    /// Nothing is claimed any more by the process before this one.
    is_released: bool,
    fails: bool,
}

impl Desks {
    /// Has everybody served who is not being served.
    async fn look(&mut self) {
        match AssertUnwindSafe(self.find()).catch_unwind().await {
            Ok(Ok(found)) => {
                self.fails = false;
                self.known.retain(|receiver, desk| desk.is_served || found.contains(receiver));
                for receiver in found {
                    self.want(receiver);
                }
            }
            Ok(Err(error)) if !self.fails => {
                self.fails = true;
                tracing::warn!(%error, "the outbox cannot be emptied; it is tried again every second");
            }
            Ok(Err(_)) => {}
            Err(_) => tracing::error!("looking into the outbox panicked; it is done again"),
        }
    }

    async fn find(&mut self) -> Result<Vec<Receiver>, StoreError> {
        if !self.is_released && !self.context.store.is_shared() {
            release_claims(&self.context).await?;
        }
        self.is_released = true;
        receivers(&self.context).await
    }

    fn want(&mut self, receiver: Receiver) {
        let desk = self.known.entry(receiver).or_default();
        desk.is_wanted = desk.is_served;
        if desk.is_served {
            return;
        }
        desk.is_served = true;
        let mut standing = desk.standing.take().unwrap_or_default();
        let (context, leading, stopped) = (Arc::clone(&self.context), self.leading.clone(), self.stopped.clone());
        self.serving.spawn(async move {
            let goes_on = move || *leading.borrow() && !*stopped.borrow();
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
        if std::mem::take(&mut desk.is_wanted) && !desk.fails && *self.leading.borrow() {
            self.want(receiver);
        }
    }
}

/// Sends what is due, on the one replica that leads, until the server stops.
pub(super) async fn whenever_due(
    context: Arc<Context>,
    leading: watch::Receiver<bool>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut filled = context.outbox_filled.subscribe();
    let mut desks = Desks {
        context,
        leading,
        stopped: stopped.clone(),
        known: HashMap::new(),
        serving: JoinSet::new(),
        is_released: false,
        fails: false,
    };
    loop {
        if *desks.leading.borrow() {
            desks.look().await;
        }
        let mut pause = pin!(time::sleep(LOOK_EVERY));
        loop {
            tokio::select! {
                () = told(&mut stopped) => {
                    let ended = async { while desks.serving.join_next().await.is_some() {} };
                    let _ = time::timeout(LAST_WORDS, ended).await;
                    return;
                }
                // That somebody was served is no reason to look: it would never end.
                Some(served) = desks.serving.join_next() => match served {
                    Ok(served) => desks.note(served),
                    Err(error) => tracing::error!(%error, "a task that sends failed"),
                },
                // An error means that the sender is gone, and then the server stops.
                _ = filled.changed() => break,
                () = &mut pause => break,
            }
        }
    }
}
