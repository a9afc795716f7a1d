//! How far this replica has followed what others change.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Who is further behind than this says so.
const IN_STEP: Duration = Duration::from_secs(2);

/// How far the directory has followed.
#[derive(Debug)]
pub struct Following {
    /// Whether there is anybody to follow.
    shared: bool,
    /// The last change that the directory has.
    pub(super) position: AtomicI64,
    began: Instant,
    /// When it was last known to have all that was committed, in milliseconds after `began`.
    in_step: AtomicU64,
}

impl Following {
    /// Begins at a change that the directory has; `since` is the moment before it was read.
    #[must_use]
    pub fn from(position: i64, shared: bool, since: Instant) -> Self {
        Self { shared, position: AtomicI64::new(position), began: since, in_step: AtomicU64::new(0) }
    }

    /// Notes that everything that was committed at `moment` is known.
    pub(super) fn note(&self, moment: Instant) {
        let passed = u64::try_from(moment.duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
        self.in_step.fetch_max(passed, Ordering::Relaxed);
    }

    /// For how long others may have changed what is not known here, where that is longer than it may be.
    #[must_use]
    pub fn stale_for(&self) -> Option<Duration> {
        if !self.shared {
            return None;
        }
        let in_step = Duration::from_millis(self.in_step.load(Ordering::Relaxed));
        Some(self.began.elapsed().saturating_sub(in_step)).filter(|age| *age > IN_STEP)
    }
}
