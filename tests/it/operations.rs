//! The server among operators: health, starting under bad conditions, a full disk, kills.

mod changes;
mod crash;
mod embedded;
mod health;
mod shutdown;
pub mod start;
