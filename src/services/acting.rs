//! Who acts: the audit log names them with every change.
//!
//! An actor goes with the task that answers a request, not through the arguments of every use case: a change that nobody thought
//! of handing the actor to would be in the log without one.

use std::future::Future;

use tokio::task::JoinHandle;

use crate::domain::actor::{Actor, ActorKind};

tokio::task_local! {
    static ACTOR: Actor;
}

/// Runs `work` as this actor's.
pub async fn acting_as<T>(actor: Actor, work: impl Future<Output = T>) -> T {
    ACTOR.scope(actor, work).await
}

/// Who acts: the server by itself, unless somebody asked it to.
#[must_use]
pub fn actor() -> Actor {
    ACTOR.try_with(Actor::clone).unwrap_or_else(|_| Actor::nameless(ActorKind::Server))
}

/// Runs `work` to its end, also when the caller goes away, as the same actor's.
pub(super) fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(acting_as(actor(), work))
}
