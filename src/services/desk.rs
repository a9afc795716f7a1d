//! The desk: what every use case works with. [`Context`] and [`Write`] read and write, [`Refusal`] refuses a request,
//! `acting` names the actor, and `audit` keeps the audit log.
//!
//! Not here: anything that only one area needs. The state of an area belongs to that area.

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
