//! The field: what installed programs ask and report, and what is counted of it.
//!
//! Not here: what changes a release because of reports; see the area `releasing`.

pub mod check_update;
pub mod download;
pub mod figures;
pub mod hosting_slots;
pub mod journal;
pub mod known_problems;
pub mod message;
pub mod report_run;
pub mod sightings;
