//! Use cases by area: one file for each thing that a person or a program wants done. They use the adapters and the
//! domain, but not HTTP or the command line.
//!
//! Dependencies between areas point down only. Areas on one floor do not see each other, and no files form a circle. A
//! test checks this (`tests/it/architecture.rs`).
//!
//! ```text
//!  approving · running                deciding approval requests; the server itself
//!  field                              checks, downloads and reports of programs
//!  people · releasing · selling       users and logins; products and releases; customers and subscriptions
//!  second_person                      making approval requests
//!  telling                            mails and webhooks
//!  desk                               what every use case works with
//! ```
//!
//! Areas exchange information in two ways: down through the desk (a change, an audit record, a message in the outbox),
//! or up through a returned value. The state of one area (a queue, the failed logins) is a type of that area. `app`
//! makes it, and a use case takes it as an argument beside the [`Context`].

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
