//! Who does something.

use std::net::IpAddr;

use uuid::Uuid;

use super::named_enum;

named_enum! {
    /// What kind of somebody.
    ActorKind, "kind of actor" {
        /// A person who is logged in.
        Person = "person",
        /// A machine, with its API token.
        Machine = "machine",
        /// Somebody at the command line of the server's own machine.
        Operator = "operator",
        /// Nobody whom the server knows: a stranger who logs in, or sets the server up.
        Stranger = "stranger",
        /// The server, by itself.
        Server = "server",
    }
}

/// Who does something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// The id of the person or of the token.
    pub id: Option<Uuid>,
    /// The person's e-mail address, or the token's name.
    pub name: String,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// Somebody without a name.
    #[must_use]
    pub fn nameless(kind: ActorKind) -> Self {
        Self { kind, id: None, name: String::new(), address: None }
    }
}
