//! Sluice: the update distribution server.
//!
//! Dependencies point down only. Rooms on one floor do not see each other. A test checks this
//! (`tests/it/architecture.rs`).
//!
//! ```text
//!  main · cli                                          the program's commands
//!  http · jobs                                         edges: requests, and work at intervals
//!  app                                                 composition: builds all parts from the configuration
//!  metrics                                             counters and gauges of the whole server
//!  services                                            use cases by area; see `services` for their floors
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
