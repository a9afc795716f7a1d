//! One binary for all integration tests: linking it once is three times faster than six.
#![expect(
    clippy::pedantic,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what it expects by failing"
)]

mod admin;
mod architecture;
mod client;
mod commands;
mod decisions;
mod demo;
mod documentation;
mod documented;
mod hardening;
mod harness;
mod issuers;
mod openapi;
mod operations;
mod outbox;
mod postgresql;
mod publisher;
mod replicas;
mod storage;
mod updaters;
