//! Who acts: the audit log names them with every change, and whoever may act no more changes nothing.
//!
//! An actor goes with the task that answers a request, not through the arguments of every use case: a change that nobody thought
//! of handing the actor to would be in the log without one.

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

/// Who acts, and what lets them.
#[derive(Clone, Debug)]
pub struct Acting {
    /// Who.
    pub actor: Actor,
    /// What they presented, where it can be taken away from them.
    pub credential: Option<Credential>,
}

impl From<Actor> for Acting {
    fn from(actor: Actor) -> Self {
        Self { actor, credential: None }
    }
}

/// What lets somebody act, as it was when their request began.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A login, which ends with every change of what the person may do.
    Session(Uuid),
    /// An API token.
    Token(TokenId),
}

impl Credential {
    /// Fails where it has been taken away since the request began: its body may take minutes to arrive, an upload hours, and
    /// somebody may have taken fright meanwhile. A token that has merely come to its end is good for what it had begun.
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

/// Runs `work` as this actor's.
pub async fn acting_as<T>(who: impl Into<Acting>, work: impl Future<Output = T>) -> T {
    ACTING.scope(who.into(), work).await
}

/// Does `work` to its end, as the same actor, also when whoever waits for it goes away.
pub(in crate::services) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::spawn(acting_as(acting(), work)).await;
    done.unwrap_or_else(|error| Err(Refusal::internal(&error)))
}

/// Who acts: the server by itself, unless somebody asked it to.
#[must_use]
pub fn acting() -> Acting {
    ACTING.try_with(Acting::clone).unwrap_or_else(|_| Actor::nameless(ActorKind::Server).into())
}
