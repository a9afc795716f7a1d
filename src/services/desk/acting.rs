//! The actor of a request. The audit log names the actor with every change. A credential that was revoked during the
//! request changes nothing.
//!
//! The actor travels with the task that answers the request, not through the arguments of every use case. Otherwise a
//! use case that forgets to pass the actor on would write changes without one to the log.

use std::future::Future;

use uuid::Uuid;

use crate::{
    domain::{
        actor::{Actor, ActorKind},
        id::TokenId,
    },
    services::desk::refusal::{Code, Refusal},
    store::{self, Connection},
};

tokio::task_local! {
    static ACTING: Acting;
}

/// An actor, and the credential that lets them act.
#[derive(Clone, Debug)]
pub struct Acting {
    pub actor: Actor,
    /// The presented credential, if it can be revoked.
    pub credential: Option<Credential>,
}

impl From<Actor> for Acting {
    fn from(actor: Actor) -> Self {
        Self { actor, credential: None }
    }
}

/// A credential that lets an actor act, as it was when the request began.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The login of a session. It ends with every change to the rights of the user.
    Session(Uuid),
    Token(TokenId),
}

impl Credential {
    /// Fails if the credential was revoked since the request began. A body may take minutes to arrive and an upload
    /// hours; the credential may have been revoked in that time because it was stolen. A token that merely expired
    /// still completes its request.
    ///
    /// # Errors
    /// `authorization_invalid`, or that the database cannot be read.
    pub(in crate::services) fn check(&self, connection: &mut Connection) -> Result<(), Refusal> {
        let holds = match self {
            Self::Token(id) => store::api_tokens::get(connection, *id)?.is_some(),
            Self::Session(family) => store::refresh_tokens::family_lives(connection, *family)?,
        };
        match holds {
            true => Ok(()),
            false => Err(Refusal::new(
                Code::AuthorizationInvalid,
                "these credentials were taken away while the request was on its way; nothing was changed",
            )),
        }
    }
}

/// Runs `work` as this actor.
pub async fn acting_as<T>(who: impl Into<Acting>, work: impl Future<Output = T>) -> T {
    ACTING.scope(who.into(), work).await
}

/// Runs `work` to its end as the current actor, even if the caller stops waiting.
pub(in crate::services) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::spawn(acting_as(acting(), work)).await;
    done.unwrap_or_else(|error| Err(Refusal::internal(&error)))
}

/// The current actor: the server itself outside of a request.
#[must_use]
pub fn acting() -> Acting {
    ACTING.try_with(Acting::clone).unwrap_or_else(|_| Actor::nameless(ActorKind::Server).into())
}
