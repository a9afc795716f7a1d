//! The updater library: everything that the three example flows share, and what you copy into your own program.
//!
//! Read it in this order:
//!
//! | file | what it does |
//! | --- | --- |
//! | [`update`] | the order in which an update goes, and how a killed one goes on: start here |
//! | [`client`], [`wire`] | the questions asked of the update server, and the shapes of its answers |
//! | [`download`] | an artifact onto the disk: resumed, retried, counted and hashed while it arrives |
//! | [`verify`] | the signed manifest, and the keys that are trusted to sign it |
//! | [`archive`], [`install`] | unpacking beside the program, and swapping the folders so that a kill cannot tear them |
//! | [`backup`], [`migrate`] | the `SQLite` database: saved, restored, brought to the new version |
//! | [`program`] | what the updater knows about the installed program: its version, and whether it starts |
//! | [`state`], [`outbox`], [`durable`] | what must outlive a kill: installation id, run under way, unsent reports |
//! | [`config`], [`command_line`], [`ending`], [`failure`], [`backoff`] | settings, flags, exit codes, errors, pauses |
//!
//! Nothing here knows the server's source: it speaks the documented HTTP API only, as your own updater will.

pub mod archive;
pub mod backoff;
pub mod backup;
pub mod client;
pub mod command_line;
pub mod config;
pub mod download;
pub mod durable;
pub mod ending;
pub mod failure;
pub mod install;
pub mod migrate;
pub mod outbox;
pub mod program;
pub mod state;
pub mod update;
pub mod verify;
pub mod wire;
