//! The field: checks, downloads and reports of installed programs, and the figures made from them.
//!
//! Not here: the halt of a rollout because of reports; see the area `releasing`.

pub mod check_update;
pub mod download;
pub mod figures;
pub mod hosting_slots;
pub mod journal;
pub mod known_problems;
pub mod message;
pub mod report_run;
pub mod sightings;
