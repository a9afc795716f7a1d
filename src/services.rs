//! Use cases, by area: one file per thing that a person or a program wants done. They know the adapters and the domain,
//! and nothing of HTTP or the command line.
//!
//! Arrows between areas point down only; areas on one floor do not see each other, and no file is in a circle. A test keeps
//! it so (`tests/it/architecture.rs`).
//!
//! ```text
//!  approving · running                requests decided and carried out; the server itself
//!  field                              what installed programs ask and report
//!  people · releasing · selling       users and logins; products and releases; customers and subscriptions
//!  second_person                      asking for a second person
//!  telling                            mails and webhooks
//!  desk                               how any use case works
//! ```
//!
//! What one area must tell another goes down through the desk (a change, an audit record, a message in the outbox) or up
//! through a returned value. State that only one area has (a queue, who failed to log in) is a type of that area, which
//! `app` composes and a use case takes as an argument beside the [`Context`].

pub mod approving;
pub mod desk;
pub mod field;
pub mod people;
pub mod releasing;
pub mod running;
pub mod second_person;
pub mod selling;
pub mod telling;

pub use desk::{Code, Context, Expected, Fault, Faults, Reach, Refusal, Settings, Write};
