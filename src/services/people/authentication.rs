//! What this replica keeps in memory to authenticate users: recent failures, turns to hash a password, and the identity
//! provider.

use std::{collections::HashSet, net::IpAddr, time::Duration};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    domain::id::TokenId,
    services::{
        desk::{Code, Context, Refusal},
        people::{
            identity_provider::SingleSignOn,
            slow_down::{Attempt, SlowDown},
        },
    },
};

/// How long a login waits for its turn when very many users log in at once. Then it is refused with
/// `too_many_requests`.
const PATIENCE: Duration = Duration::from_secs(10);

/// The state of the area; one per replica.
#[derive(Debug)]
pub struct Authentication {
    /// `None` if no identity provider is configured.
    pub single_sign_on: Option<SingleSignOn>,
    slow_down: SlowDown,
    /// Limits how many passwords are hashed at once to the number of processors. Each hash takes memory on purpose, and
    /// strangers can cause it.
    hashing: Semaphore,
    /// The API tokens whose last use is being written. Such a token is not queued again until that write has ended.
    pub(super) noting: Mutex<HashSet<TokenId>>,
}

impl Authentication {
    /// The state at the start of a replica, without failures.
    #[must_use]
    pub fn new(single_sign_on: Option<SingleSignOn>) -> Self {
        Self {
            single_sign_on,
            slow_down: SlowDown::default(),
            hashing: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            noting: Mutex::default(),
        }
    }

    /// Waits for a turn to hash a password.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        self.hashing.acquire().await.map_err(|error| Refusal::internal(&error))
    }

    /// Records that the user of an account logs in from an address, after a refresh token was exchanged. Failures stay:
    /// only a whole login clears them. Otherwise a thief of a refresh token could guess at the password, refresh, and
    /// guess again.
    pub(super) fn at_home(&self, context: &Context, email: &str, address: Option<IpAddr>) {
        self.slow_down.settled(&Attempt::to_log_in(email, address), context.clock.now());
    }

    /// Runs an attempt to authenticate, unless too many recent attempts have failed. Attempts take turns with
    /// everything else that hashes passwords, so that a thousand attempts at once do not evade the count.
    ///
    /// # Errors
    /// `too_many_attempts`, `too_many_requests`; the refusal of the attempt, of which `login_failed` and `body_invalid`
    /// count as failures.
    pub(super) async fn guarded<T>(
        &self,
        context: &Context,
        attempt: Attempt,
        trial: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        self.slow_down.admit(&attempt, context.clock.now())?;
        let turn = tokio::time::timeout(PATIENCE, self.turn()).await;
        let _turn = turn.map_err(|_| Refusal::too_many("logins at this moment", PATIENCE))??;
        self.slow_down.admit(&attempt, context.clock.now())?;
        let done = trial.await;
        match &done {
            Ok(_) => self.slow_down.succeeded(&attempt, context.clock.now()),
            Err(Refusal { code: Code::LoginFailed | Code::BodyInvalid, .. }) => {
                self.slow_down.failed(&attempt, context.clock.now());
            }
            Err(_) => {}
        }
        done
    }
}
