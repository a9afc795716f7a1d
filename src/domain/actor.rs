//! Who does something.

use std::net::IpAddr;

use uuid::Uuid;

use super::named_enum;

named_enum! {
    /// The kind of an actor.
    ActorKind, "kind of actor" {
        /// A user who is logged in.
        Person = "person",
        /// An API token.
        Machine = "machine",
        /// A person at the command line of the server's machine.
        Operator = "operator",
        /// A request without credentials, such as a login or the set-up.
        Stranger = "stranger",
        /// The server itself.
        Server = "server",
    }
}

/// Who does something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    /// The id of the user or token.
    pub id: Option<Uuid>,
    /// The user's e-mail address, or the token's name.
    pub name: String,
    /// The address that the request came from.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// An actor without a name.
    #[must_use]
    pub fn nameless(kind: ActorKind) -> Self {
        Self { kind, id: None, name: String::new(), address: None }
    }
}
