//! Who acts: the audit log names them with every change.
//!
//! An actor goes with the task that answers a request, not through the arguments of every use case: a change that nobody thought
//! of handing the actor to would be in the log without one.

use std::future::Future;

use super::Refusal;
use crate::domain::actor::{Actor, ActorKind};

tokio::task_local! {
    static ACTOR: Actor;
}

/// Runs `work` as this actor's.
pub async fn acting_as<T>(actor: Actor, work: impl Future<Output = T>) -> T {
    ACTOR.scope(actor, work).await
}

/// Does `work` to its end, as the same actor, also when whoever waits for it goes away.
pub(super) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::spawn(acting_as(actor(), work)).await;
    done.unwrap_or_else(|error| Err(Refusal::internal(&error)))
}

/// Who acts: the server by itself, unless somebody asked it to.
#[must_use]
pub fn actor() -> Actor {
    ACTOR.try_with(Actor::clone).unwrap_or_else(|_| Actor::nameless(ActorKind::Server))
}
