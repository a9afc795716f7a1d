//! Sluice: the update distribution server.
//!
//! Arrows point down only; rooms on one floor do not see each other. A test keeps it so (`tests/it/architecture.rs`).
//!
//! ```text
//!  main · cli                                          the program's commands
//!  http · jobs                                         edges: requests in, work by the clock
//!  app                                                 composition: builds everything from the configuration
//!  metrics                                             what is counted
//!  services                                            use cases, by area; see `services` for their own floors
//!  directory · store · artifacts · signing · auth · mail · webhook · texts
//!  clock · config · data_folder · limits               adapters
//!  egress                                              connections to servers that people name
//!  domain                                              values and the decision; no I/O, no clock, no randomness
//! ```

pub mod cli;

pub mod http;
pub mod jobs;

pub mod app;
pub mod metrics;

pub mod services;

pub mod artifacts;
pub mod auth;
pub mod clock;
pub mod config;
pub mod data_folder;
pub mod directory;
pub mod limits;
pub mod mail;
pub mod signing;
pub mod store;
pub mod texts;
pub mod webhook;

pub mod egress;

pub mod domain;
