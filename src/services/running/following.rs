//! The position of this replica in the change log.

use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// The largest permitted delay behind the other replicas, from the contract (end of section 3). A replica that is
/// further behind reports it.
const IN_STEP: Duration = Duration::from_secs(2);

/// How far the directory has followed the change log.
#[derive(Debug)]
pub struct Following {
    /// Whether other replicas can use the database.
    shared: bool,
    /// The number of the last change in the directory.
    pub(super) position: AtomicI64,
    began: Instant,
    /// The last moment at which the directory was complete, in milliseconds after `began`.
    in_step: AtomicU64,
}

impl Following {
    /// Begins at the last change in the directory; `since` is the moment before the directory was read.
    #[must_use]
    pub fn from(position: i64, shared: bool, since: Instant) -> Self {
        Self { shared, position: AtomicI64::new(position), began: since, in_step: AtomicU64::new(0) }
    }

    /// Notes that the directory has everything that was committed up to `moment`.
    pub(super) fn note(&self, moment: Instant) {
        let passed = u64::try_from(moment.duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
        self.in_step.fetch_max(passed, Ordering::Relaxed);
    }

    /// The time since the directory was last complete, if it is more than the permitted two seconds. Changes that other
    /// replicas made in this time may be missing.
    #[must_use]
    pub fn stale_for(&self) -> Option<Duration> {
        if !self.shared {
            return None;
        }
        let in_step = Duration::from_millis(self.in_step.load(Ordering::Relaxed));
        Some(self.began.elapsed().saturating_sub(in_step)).filter(|age| *age > IN_STEP)
    }
}
