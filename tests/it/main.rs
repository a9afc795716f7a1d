//! One binary for all integration tests: linking it once is three times faster than six.

mod admin;
mod client;
mod decisions;
mod demo;
mod documentation;
mod harness;
mod operations;
mod publisher;
mod updaters;
