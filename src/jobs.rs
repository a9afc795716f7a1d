//! Work by the clock: each job is a loop of its own that ends when the server does.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::{sync::watch, task::JoinHandle, time};

use crate::services::{Context, start, sweep};

/// Contents that nothing refers to are looked for at the start, and then so often.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// The jobs that run beside the server.
#[derive(Debug)]
pub struct Jobs {
    stop: watch::Sender<bool>,
    running: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts all jobs; sightings are written down every `sightings_every`.
    #[must_use]
    pub fn start(context: &Arc<Context>, sightings_every: Duration) -> Self {
        let (stop, stopped) = watch::channel(false);
        let desk = Arc::clone(context);
        let sweeping = every(SWEEP_EVERY, stopped.clone(), false, move || {
            let desk = Arc::clone(&desk);
            async move {
                if let Err(error) = sweep::sweep(&desk).await {
                    tracing::warn!(%error, "the artifact store could not be swept");
                }
            }
        });
        let desk = Arc::clone(context);
        let writing = every(sightings_every, stopped, true, move || write_sightings(Arc::clone(&desk)));
        Self { stop, running: vec![tokio::spawn(sweeping), tokio::spawn(writing)] }
    }

    /// Lets every job come to its end.
    pub async fn stop(self) {
        // Nobody listens any more only when every job has ended.
        let _ = self.stop.send(true);
        for job in self.running {
            if let Err(error) = job.await {
                tracing::error!(%error, "a job failed");
            }
        }
    }
}

/// Writes down what checks told. What could not be written stays in memory for the next time.
async fn write_sightings(context: Arc<Context>) {
    if let Err(error) = start::write_sightings(&context).await {
        tracing::warn!(%error, "what checks told about their installations could not be written down");
    }
}

/// Does `work` at once, then every `period`; at the end once more, if it gathers what would be lost.
async fn every<F: Future<Output = ()>>(
    period: Duration,
    mut stopped: watch::Receiver<bool>,
    once_more: bool,
    work: impl Fn() -> F,
) {
    let mut ticks = time::interval(period);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        let last = tokio::select! {
            _ = ticks.tick() => false,
            () = told(&mut stopped) => true,
        };
        if last && !once_more {
            return;
        }
        // A fault in one run must not end all the later ones, unseen.
        if AssertUnwindSafe(work()).catch_unwind().await.is_err() {
            tracing::error!("a job panicked; it is done again the next time");
        }
        if last {
            return;
        }
    }
}

/// Waits until the server stops.
async fn told(stopped: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is as much of a stop.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
