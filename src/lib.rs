//! Sluice.
pub mod artifacts;
pub mod auth;
pub mod clock;
pub mod config;
pub mod directory;
pub mod domain;
pub mod services;
pub mod signing;
pub mod store;
pub mod texts;
