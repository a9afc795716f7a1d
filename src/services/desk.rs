//! The desk: how any use case works. What it reads and writes with ([`Context`], [`Write`]), how it refuses ([`Refusal`]),
//! who acts, and what the audit log keeps.
//!
//! Not here: anything that only one area needs. An area's own state belongs to the area.

pub mod acting;
pub mod audit;
pub mod audit_log;
pub(in crate::services) mod audited;
pub mod context;
pub mod log_lines;
pub mod lookup;
pub mod operator;
pub mod outbox;
pub mod refusal;
mod revisioned;

pub use crate::domain::reach::Reach;
pub use context::{Context, Expected, Settings, Write};
pub use refusal::{Code, Committed, Fault, Faults, Refusal};
