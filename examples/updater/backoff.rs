//! How long to wait before trying again.

use std::{thread, time::Duration};

/// No pause is longer than this, whatever the server asks for.
const LONGEST: Duration = Duration::from_mins(1);

/// Doubling pauses with a random part, so that the customers' updaters do not all come back in the same second
/// after the server was away.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// How often something is tried again before it counts as failed.
    pub retries: u32,
    /// The first pause.
    pub base: Duration,
}

impl Backoff {
    /// The pause before retry number `retry` (from 0). The server's own wish (`Retry-After`) goes first.
    #[must_use]
    pub fn pause(&self, retry: u32, asked_for: Option<Duration>) -> Duration {
        if let Some(asked_for) = asked_for {
            return asked_for.min(LONGEST);
        }
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(retry)).min(LONGEST);
        let mut random = [0_u8; 1];
        // Without randomness the pauses are only less well spread.
        let _ = aws_lc_rs::rand::fill(&mut random);
        doubled.mul_f64(0.5 + f64::from(u8::from_le_bytes(random)) / 510.0)
    }

    /// Waits before retry number `retry`.
    pub fn wait(&self, retry: u32, asked_for: Option<Duration>) {
        thread::sleep(self.pause(retry, asked_for));
    }
}
