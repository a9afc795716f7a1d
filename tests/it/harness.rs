//! The harness: a vendor with a really started server, and those who talk to it, each with the rights they have.
//!
//! `SLUICE_TEST_STORES` chooses what the servers keep their things in ([`stores`]), for the whole suite.
//!
//! A test is a few lines: [`Vendor::start`] gives a server of its own on a free port with a data folder of its own,
//! builders fill it ([`Product::release`], [`Product::sell`]), and the actors ([`Anonymous`], [`Customer`], [`Ci`],
//! [`Admin`]) send requests whose answers are checked for what every answer must have. When the vendor is dropped the
//! server is told to stop, and the test fails if it does not end cleanly, or if it logged an error that the test did
//! not announce.

pub mod actor;
pub mod answer;
pub mod body;
pub mod bytes;
mod clock;
pub mod cluster;
pub mod database;
pub mod hook;
pub mod http_text;
pub mod issuer;
pub mod manifest;
pub mod openid;
pub mod pages;
pub mod patience;
pub mod pipeline;
pub mod port;
pub mod program;
pub mod s3;
pub mod server;
pub mod smtp;
pub mod stores;
pub mod vendor;

pub use actor::{Actor, Admin, Anonymous, Ci, Customer};
pub use answer::Answer;
pub use patience::eventually;
pub use s3::S3;
pub use server::Server;
pub use vendor::{Product, Vendor, log_in};
