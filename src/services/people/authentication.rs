//! What this replica has at hand for those who prove who they are: who failed of late and has to wait, whose turn it is to
//! have a password hashed, and the identity provider.

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

/// How long somebody waits for their turn where very many log in at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// The state of the area, one for each replica.
#[derive(Debug)]
pub struct Authentication {
    /// Logins through an identity provider, where one is configured.
    pub single_sign_on: Option<SingleSignOn>,
    slow_down: SlowDown,
    /// How many passwords are hashed at once: each takes memory on purpose, and strangers may ask for it.
    hashing: Semaphore,
    /// API tokens whose last use is being noted: while that waits for its turn, it need not be noted again.
    pub(super) noting: Mutex<HashSet<TokenId>>,
}

impl Authentication {
    /// At the start of a replica, when nobody has failed yet.
    #[must_use]
    pub fn new(single_sign_on: Option<SingleSignOn>) -> Self {
        Self {
            single_sign_on,
            slow_down: SlowDown::default(),
            hashing: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            noting: Mutex::default(),
        }
    }

    /// A turn to have a password hashed.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        self.hashing.acquire().await.map_err(|error| Refusal::internal(&error))
    }

    /// Notes that somebody is at home at an address, as they have a login there. Only a whole login clears what failed:
    /// whoever has got hold of a refresh token would guess at the password, prolong, and guess on.
    pub(super) fn at_home(&self, context: &Context, email: &str, address: Option<IpAddr>) {
        self.slow_down.settled(&Attempt::to_log_in(email, address), context.clock.now());
    }

    /// Lets somebody try to prove who they are, unless they have failed too often of late. Those who try take turns with all
    /// others who have passwords hashed, so that a thousand tries at once are no way around the count.
    ///
    /// # Errors
    /// `too_many_attempts`; what the trial failed with, of which `login_failed` and `body_invalid` count.
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
