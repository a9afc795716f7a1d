//! Telling: what people are told by mail and other systems by webhook, and its delivery.
//!
//! Not here: when something is told. The area in which it happens says so.

pub mod deliver;
pub mod events;
pub mod help;
pub mod mails;
pub mod webhooks;
