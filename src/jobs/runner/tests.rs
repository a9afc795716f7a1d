//! How the runner treats jobs that fail, that panic, and that only the leader runs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::*;

/// How often each method of a job was called.
#[derive(Debug, Default)]
struct Counts {
    begun: AtomicUsize,
    runs: AtomicUsize,
    finished: AtomicUsize,
}

/// A job that runs every millisecond, fails in its first run and panics in its second.
struct Faulty<const LEADER: bool>(Arc<Counts>);

impl<const LEADER: bool> Job for Faulty<LEADER> {
    const NAME: &'static str = "faulty";
    const RUNS_ON: RunsOn = if LEADER { RunsOn::Leader } else { RunsOn::EveryReplica };

    fn period(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn begin(&mut self) {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
    }

    async fn run(&mut self) -> Result<(), JobError> {
        match self.0.runs.fetch_add(1, Ordering::SeqCst) {
            0 => Err("the first run fails".into()),
            1 => panic!("the second run panics"),
            _ => Ok(()),
        }
    }

    async fn finish(&mut self) -> Result<(), JobError> {
        self.0.finished.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// A job that panics in its first wait.
struct Impatient(Arc<Counts>);

impl Job for Impatient {
    const NAME: &'static str = "impatient";
    const RUNS_ON: RunsOn = RunsOn::EveryReplica;

    fn period(&self) -> Duration {
        Duration::from_millis(1)
    }

    async fn due(&mut self, _: Instant) {
        assert!(self.0.begun.fetch_add(1, Ordering::SeqCst) > 0, "the first wait panics");
    }

    async fn run(&mut self) -> Result<(), JobError> {
        self.0.runs.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(())
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(time::timeout(Duration::from_secs(30), waiting).await.is_ok(), "{what}");
}

#[tokio::test]
async fn a_job_survives_errors_and_panics() {
    let (leads, stopped) = (watch::Sender::new(false), watch::Sender::new(false));
    let signals = Signals::new(leads.subscribe(), stopped.subscribe());
    let (faulty, impatient) = (Arc::new(Counts::default()), Arc::new(Counts::default()));
    let first = tokio::spawn(run(Faulty::<false>(Arc::clone(&faulty)), signals.clone()));
    let second = tokio::spawn(run(Impatient(Arc::clone(&impatient)), signals));
    until("runs after the failures", || faulty.runs.load(Ordering::SeqCst) > 4).await;
    until("runs after the wait that panicked", || impatient.runs.load(Ordering::SeqCst) > 2).await;
    assert_eq!(faulty.finished.load(Ordering::SeqCst), 0);
    stopped.send_replace(true);
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(faulty.begun.load(Ordering::SeqCst), 1);
    assert_eq!(faulty.finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_job_of_the_leader_runs_only_while_this_replica_leads() {
    let (leads, stopped) = (watch::Sender::new(false), watch::Sender::new(false));
    let (counts, others) = (Arc::new(Counts::default()), Arc::new(Counts::default()));
    let signals = Signals::new(leads.subscribe(), stopped.subscribe());
    let job = tokio::spawn(run(Faulty::<true>(Arc::clone(&counts)), signals.clone()));
    // A job of every replica with the same period: while it runs ten times, the other one would have run as well.
    let other = tokio::spawn(run(Faulty::<false>(Arc::clone(&others)), signals));
    let ten_periods = async || {
        let runs = others.runs.load(Ordering::SeqCst);
        until("ten periods", || others.runs.load(Ordering::SeqCst) >= runs + 10).await;
    };
    ten_periods().await;
    assert_eq!(counts.runs.load(Ordering::SeqCst), 0);
    leads.send_replace(true);
    until("runs", || counts.runs.load(Ordering::SeqCst) > 3).await;
    leads.send_replace(false);
    ten_periods().await;
    let runs = counts.runs.load(Ordering::SeqCst);
    ten_periods().await;
    assert_eq!(counts.runs.load(Ordering::SeqCst), runs);
    leads.send_replace(true);
    until("runs again", || counts.runs.load(Ordering::SeqCst) > runs).await;
    assert_eq!(counts.begun.load(Ordering::SeqCst), 2);
    stopped.send_replace(true);
    job.await.unwrap();
    other.await.unwrap();
    assert_eq!(counts.finished.load(Ordering::SeqCst), 1);
}
