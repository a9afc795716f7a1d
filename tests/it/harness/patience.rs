//! Waiting with a deadline, for what happens beside a request.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Asks again and again until there is an answer, for at most `seconds`; `what` says what was waited for.
#[track_caller]
pub fn eventually<T>(seconds: u64, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {seconds} s in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
