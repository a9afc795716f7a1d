//! Sluice.
pub mod domain;
