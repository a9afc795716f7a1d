//! Running the server itself: its start, its keys, the following of other replicas, and work on the whole database and
//! the artifact stores.
//!
//! Not here: the use cases of vendors, customers and programs.

pub mod copy_database;
pub mod follow;
pub mod following;
pub mod key_place;
pub mod move_contents;
pub mod seed_vendor;
pub mod share_keys;
pub mod start;
pub mod sweep;
