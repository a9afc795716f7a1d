//! Telling: the mails and webhook messages about events, and their delivery.
//!
//! Not here: when an event is announced. The area in which it happens decides that.

pub mod deliver;
pub mod events;
pub mod help;
pub mod mails;
pub mod webhooks;
