//! Work by the clock: each job is a loop of its own that ends when the server does.

mod deliver;

use std::{
    future::{self, Future},
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use jiff::SignedDuration;
use tokio::{runtime::Handle, sync::watch, task::JoinHandle, time};

use crate::{
    app::App,
    services::{
        Context,
        field::{figures, journal, sightings},
        people::exchange_identity,
        releasing::guard_rollouts::{self, Judging},
        running::{follow, following::Following, share_keys::Vault, sweep},
        selling::endings,
        telling::deliver::forget as forget_deliveries,
    },
    store::{Lead, Listener, StoreError},
};

/// Contents that nothing refers to are looked for at the start, and then so often.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// Which versions are in use is written down at the start, and then so often: the last time of a day stays.
const RECORD_EVERY: Duration = Duration::from_hours(1);

/// Changes are looked for so often even where nobody told of any; half of what [`follow`] may be behind, and half again.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

/// So often it is looked whether a change was told of: diesel does not hand out the socket that one could wait on.
const LISTEN_EVERY: Duration = Duration::from_millis(20);

/// So often it is looked who leads.
const LEAD_EVERY: Duration = Duration::from_secs(2);

/// Stages and scheduled publications are looked for so often: that late they may be.
const TEND_EVERY: Duration = Duration::from_millis(500);

/// Releases are judged at most so often, however many reports come: each time all their votes are counted.
const JUDGE_EVERY: Duration = Duration::from_millis(50);

/// After it was judged, so many times as long as that took nothing is: where a release has a million votes, to count them must not
/// be all that the database does.
const JUDGE_SHARE: u32 = 10;

/// What could not be judged is judged again after this long.
const JUDGE_AGAIN: Duration = Duration::from_secs(1);

/// So often it is looked for runs that are silent, and for votes that another replica did not come to judge.
const LOOK_AFTER_RUNS_EVERY: Duration = Duration::from_secs(5);

/// Votes of so long ago are looked at again: longer than a replica that judges needs to be replaced.
const RECENT_VOTES: SignedDuration = SignedDuration::from_mins(10);

/// So often it is looked whether staff were told today of subscriptions that are about to end: that is one row.
const ENDINGS_EVERY: Duration = Duration::from_secs(5);

/// So often those are forgotten who have their whole allowance again.
const FORGET_COUNTS_EVERY: Duration = Duration::from_secs(2);

/// The log of changes is kept for so long. A replica that was away for longer reads everything anew.
const KEEP_CHANGES: SignedDuration = SignedDuration::from_hours(24);

/// The jobs that run beside the server.
#[derive(Debug)]
pub struct Jobs {
    stop: watch::Sender<bool>,
    running: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts all jobs; sightings are written down every `sightings_every`.
    #[must_use]
    pub fn start(app: &App, sightings_every: Duration) -> Self {
        let (context, limits) = (&app.context, &app.limits);
        let (stop, stopped) = watch::channel(false);
        let leads = watch::Sender::new(false);
        let leading = leads.subscribe();
        let desk = Arc::clone(context);
        let sweeping = every(SWEEP_EVERY, stopped.clone(), false, move || tidy(Arc::clone(&desk), leading.clone()));
        let (desk, leading) = (Arc::clone(context), leads.subscribe());
        let tending = every(TEND_EVERY, stopped.clone(), false, move || tend(Arc::clone(&desk), *leading.borrow()));
        let (desk, leading) = (Arc::clone(context), leads.subscribe());
        // Whoever has just begun to lead looks at all votes: nobody may have for long.
        let looked = Arc::new(AtomicBool::new(false));
        let judging = Arc::clone(&app.judging);
        let looking_after = every(LOOK_AFTER_RUNS_EVERY, stopped.clone(), false, move || {
            look_after_runs(Arc::clone(&desk), Arc::clone(&judging), *leading.borrow(), Arc::clone(&looked))
        });
        let judging = judge(Arc::clone(context), Arc::clone(&app.judging), stopped.clone());
        let desk = Arc::clone(context);
        let writing = every(sightings_every, stopped.clone(), true, move || write_sightings(Arc::clone(&desk)));
        let (desk, leading) = (Arc::clone(context), leads.subscribe());
        let recording =
            every(RECORD_EVERY, stopped.clone(), false, move || record_figures(Arc::clone(&desk), leading.clone()));
        let (desk, leader) = (Arc::clone(context), leads.subscribe());
        let telling =
            every(ENDINGS_EVERY, stopped.clone(), false, move || tell_endings(Arc::clone(&desk), *leader.borrow()));
        let (desk, leader) = (Arc::clone(context), leads.subscribe());
        let delivering = deliver::whenever_due(desk, leader, stopped.clone());
        let limits = Arc::clone(limits);
        let forgetting = every(FORGET_COUNTS_EVERY, stopped.clone(), false, move || {
            limits.forget();
            future::ready(())
        });
        let desk = Arc::clone(context);
        let told = stopped.clone();
        let running = vec![
            tokio::spawn(sweeping),
            tokio::spawn(writing),
            tokio::spawn(tending),
            tokio::spawn(looking_after),
            tokio::spawn(judging),
            tokio::spawn(recording),
            tokio::spawn(telling),
            tokio::spawn(forgetting),
            tokio::spawn(delivering),
            tokio::task::spawn_blocking(move || lead(&desk, &leads, &told)),
        ];
        let mut jobs = Self { stop, running };
        if context.store.is_shared() {
            let (desk, following, vault) = (Arc::clone(context), Arc::clone(&app.following), app.vault.clone());
            let following = move || keep_in_step(&desk, &following, vault.as_deref(), &stopped);
            jobs.running.push(tokio::task::spawn_blocking(following));
        }
        jobs
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

/// Whether this replica leads. At the start it takes a moment until that is known.
async fn is_leading(mut leading: watch::Receiver<bool>) -> bool {
    time::timeout(LEAD_EVERY, leading.wait_for(|leads| *leads)).await.is_ok_and(|known| known.is_ok())
}

/// Writes down which versions are in use; on one replica only.
async fn record_figures(context: Arc<Context>, leading: watch::Receiver<bool>) {
    if !is_leading(leading).await {
        return;
    }
    if let Err(error) = figures::record(&context).await {
        tracing::warn!(%error, "which versions are in use could not be written down");
    }
}

/// Removes what nothing refers to any more; on one replica only.
async fn tidy(context: Arc<Context>, leading: watch::Receiver<bool>) {
    if !is_leading(leading).await {
        return;
    }
    if let Err(error) = sweep::sweep(&context).await {
        tracing::warn!(%error, "the artifact store could not be swept");
    }
    if let Err(error) = follow::forget(&context, KEEP_CHANGES).await {
        tracing::warn!(%error, "the log of changes could not be cut");
    }
    if let Err(error) = exchange_identity::forget(&context).await {
        tracing::warn!(%error, "identities and tokens that are past their time could not be forgotten");
    }
    if let Err(error) = forget_deliveries(&context).await {
        tracing::warn!(%error, "mails and webhooks' messages of long ago could not be forgotten");
    }
}

/// Tells staff of subscriptions that are about to end; on one replica only.
async fn tell_endings(context: Arc<Context>, leads: bool) {
    if leads && let Err(error) = endings::tell(&context).await {
        tracing::warn!(%error, "staff could not be told of subscriptions that are about to end");
    }
}

/// Opens stages and announces publications that were scheduled; on one replica only.
async fn tend(context: Arc<Context>, leads: bool) {
    if leads && let Err(error) = guard_rollouts::tend(&context).await {
        tracing::warn!(%error, "stages and scheduled publications wait");
    }
}

/// Gives up silent runs, and judges what another replica did not come to judge; on one replica only.
async fn look_after_runs(context: Arc<Context>, judging: Arc<Judging>, leads: bool, looked: Arc<AtomicBool>) {
    if !leads {
        looked.store(false, Ordering::Relaxed);
        return;
    }
    if let Err(error) = journal::give_up_silent(&context, &judging).await {
        tracing::warn!(%error, "silent runs could not be given up");
    }
    let since = looked.load(Ordering::Relaxed).then_some(RECENT_VOTES);
    match guard_rollouts::judge_recent(&context, since).await {
        Ok(()) => looked.store(true, Ordering::Relaxed),
        Err(error) => tracing::warn!(%error, "recent votes could not be judged"),
    }
}

/// Judges releases as soon as votes on them change, until the server stops.
async fn judge(context: Arc<Context>, judging: Arc<Judging>, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = judging.wanted() => {}
            () = told(&mut stopped) => return,
        }
        let began = Instant::now();
        let pause = match AssertUnwindSafe(guard_rollouts::judge(&context, &judging)).catch_unwind().await {
            Ok(Ok(())) => JUDGE_EVERY.max(began.elapsed() * JUDGE_SHARE),
            Ok(Err(error)) => {
                tracing::warn!(%error, "votes could not be judged; they will be");
                JUDGE_AGAIN
            }
            Err(_) => {
                tracing::error!("a job panicked; it is done again the next time");
                JUDGE_AGAIN
            }
        };
        if time::timeout(pause, told(&mut stopped)).await.is_ok() {
            return;
        }
    }
}

/// Sees to it that one replica does the work that one is enough for, until the server stops. When the one that leads dies,
/// another does within [`LEAD_EVERY`] and what the database needs to notice.
fn lead(context: &Context, leads: &watch::Sender<bool>, stopped: &watch::Receiver<bool>) {
    let mut held: Option<Lead> = None;
    while !*stopped.borrow() {
        if held.as_mut().is_some_and(|lead| !lead.holds()) {
            held = None;
            leads.send_replace(false);
            tracing::warn!("this replica no longer does the background work: its connection to the database was lost");
        }
        if held.is_none() {
            // Without a database there is nothing to be done for which one would have to lead.
            held = context.store.lead().unwrap_or(None);
            if held.is_some() {
                leads.send_replace(true);
                if context.store.is_shared() {
                    tracing::info!("this replica does the background work now");
                }
            }
        }
        stops_within(LEAD_EVERY, stopped);
    }
}

/// Brings in what other replicas change, until the server stops: at once where it is told of it, else every
/// [`FOLLOW_EVERY`].
fn keep_in_step(context: &Context, following: &Following, vault: Option<&Vault>, stopped: &watch::Receiver<bool>) {
    let mut listener: Option<Listener> = None;
    let mut away = false;
    while !*stopped.borrow() {
        if listener.is_none() {
            listener = context.store.listen().unwrap_or(None);
        }
        // After it listens, so that nothing falls in between.
        let done = AssertUnwindSafe(|| follow::catch_up(context, following, vault));
        match std::panic::catch_unwind(done).unwrap_or_else(|_| Err(StoreError::Other("following panicked".to_owned())))
        {
            Ok(()) if away => {
                away = false;
                tracing::info!("in step with the database again");
            }
            Ok(()) => {}
            Err(error) if !away => {
                away = true;
                tracing::warn!(%error, "changes cannot be followed; checks are answered from what is known");
            }
            Err(_) => {}
        }
        let until = Instant::now() + FOLLOW_EVERY;
        while Instant::now() < until && !stops_within(LISTEN_EVERY, stopped) {
            match listener.as_mut().map(Listener::heard) {
                Some(Ok(true)) => break,
                Some(Err(_)) => listener = None,
                Some(Ok(false)) | None => {}
            }
        }
    }
}

/// Waits for so long on a thread that may block; ends at once when the server stops, and says whether it does.
fn stops_within(period: Duration, stopped: &watch::Receiver<bool>) -> bool {
    let mut stopped = stopped.clone();
    Handle::current().block_on(async { time::timeout(period, told(&mut stopped)).await.is_ok() })
}

/// Writes down what checks told. What could not be written stays in memory for the next time.
async fn write_sightings(context: Arc<Context>) {
    if let Err(error) = sightings::write_sightings(&context).await {
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
