//! Running the server itself: its start, its keys, how replicas follow one another, and work on the database and the
//! artifact stores as a whole.
//!
//! Not here: what the vendor or a customer wants done.

pub mod copy_database;
pub mod follow;
pub mod following;
pub mod found_vendor;
pub mod key_place;
pub mod move_contents;
pub mod share_keys;
pub mod start;
pub mod sweep;
