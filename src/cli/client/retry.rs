//! When to retry: exponential back-off with jitter, unless the server names a time.

use std::time::Duration;

use super::error::ApiError;

/// How often to try, and how long to pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// The number of attempts, including the first.
    pub tries: u32,
    /// The pause after the first failure; it doubles with each.
    pub first_pause: Duration,
    pub longest_pause: Duration,
}

impl Retries {
    /// One attempt only.
    pub const NONE: Self = Self { tries: 1, first_pause: Duration::ZERO, longest_pause: Duration::ZERO };

    /// Six attempts within about half a minute: long enough for a restart of the server, short enough to report a
    /// mistake soon.
    pub const PATIENT: Self =
        Self { tries: 6, first_pause: Duration::from_millis(500), longest_pause: Duration::from_secs(30) };

    /// The longest pause that a server may ask for. If it asks for more, the command fails instead.
    const LONGEST_ASKED: Duration = Duration::from_mins(5);

    /// The pause after the `failures`th failure (from 1); `None` after the last attempt. `jitter` (of 256) spreads it
    /// over its second half, so that clients that failed together do not return together.
    #[must_use]
    pub fn pause(&self, failures: u32, asked: Option<Duration>, jitter: u8) -> Option<Duration> {
        if failures >= self.tries || asked.is_some_and(|asked| asked > Self::LONGEST_ASKED) {
            return None;
        }
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let full = self.first_pause.saturating_mul(doubled).min(self.longest_pause);
        let spread = full / 2 + full / 2 * u32::from(jitter) / 256;
        Some(spread.max(asked.unwrap_or_default()))
    }

    /// Runs `attempt` until it succeeds, fails for good, or has been tried often enough. `on_retry` is called before
    /// each pause.
    pub async fn run<T>(
        &self,
        on_retry: impl Fn(&ApiError, Duration),
        attempt: impl AsyncFn() -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut failures = 0;
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) if !error.may_pass() => return Err(error),
                Err(error) => error,
            };
            failures += 1;
            let Some(pause) = self.pause(failures, error.retry_after(), random_byte()) else {
                return Err(error);
            };
            on_retry(&error, pause);
            tokio::time::sleep(pause).await;
        }
    }
}

/// A random byte for the jitter, where quality does not matter.
fn random_byte() -> u8 {
    let mut byte = [0_u8];
    // Without randomness all clients return at the same time, which is no reason to fail.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    byte.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use reqwest::{StatusCode, header::HeaderMap};

    use super::{super::error::Problem, *};

    const QUICK: Retries =
        Retries { tries: 3, first_pause: Duration::from_millis(1), longest_pause: Duration::from_millis(2) };

    fn refusal(status: StatusCode) -> ApiError {
        ApiError::Refused(Problem::read(status, &HeaderMap::new(), b"{}"))
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_the_last_try() {
        let full = |failures| Retries::PATIENT.pause(failures, None, 0).map(|pause| pause.as_millis() * 2);
        let pauses: Vec<_> = (1..=6).map(full).collect();
        assert_eq!(pauses, [Some(500), Some(1000), Some(2000), Some(4000), Some(8000), None]);
        let long = Retries { tries: u32::MAX, ..Retries::PATIENT };
        assert_eq!(long.pause(1000, None, 0), Some(Duration::from_secs(15)));
    }

    #[test]
    fn jitter_spreads_a_pause_over_its_second_half() {
        let [least, most] = [0, 255].map(|jitter| Retries::PATIENT.pause(1, None, jitter).expect("a pause"));
        assert_eq!(least, Duration::from_millis(250));
        assert!(most > Duration::from_millis(495) && most < Duration::from_millis(500));
    }

    #[test]
    fn what_the_server_asks_for_is_kept_within_reason() {
        let pause = |seconds| Retries::PATIENT.pause(1, Some(Duration::from_secs(seconds)), 0);
        assert_eq!(pause(7), Some(Duration::from_secs(7)));
        assert_eq!(pause(0), Some(Duration::from_millis(250)));
        assert_eq!(pause(301), None);
        assert_eq!(Retries::NONE.pause(1, Some(Duration::ZERO), 0), None);
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_as_often_as_allowed_and_the_rest_once() {
        for (status, expected) in [(StatusCode::BAD_GATEWAY, 3), (StatusCode::CONFLICT, 1)] {
            let (tries, on_retry) = (Cell::new(0), Cell::new(0));
            let result: Result<(), _> = QUICK
                .run(
                    |_, _| on_retry.set(on_retry.get() + 1),
                    async || {
                        tries.set(tries.get() + 1);
                        Err(refusal(status))
                    },
                )
                .await;
            assert_eq!((result, tries.get(), on_retry.get()), (Err(refusal(status)), expected, expected - 1));
        }
    }

    #[tokio::test]
    async fn a_try_that_succeeds_is_the_last() {
        let tries = Cell::new(0);
        let result = QUICK
            .run(
                |_, _| (),
                async || {
                    tries.set(tries.get() + 1);
                    if tries.get() < 2 { Err(refusal(StatusCode::SERVICE_UNAVAILABLE)) } else { Ok("done") }
                },
            )
            .await;
        assert_eq!((result, tries.get()), (Ok("done"), 2));
    }
}
