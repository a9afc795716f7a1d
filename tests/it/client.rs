//! What programs in the field ask for.

mod check;
mod downloads;
mod languages;
mod licenses;
mod report_kills;
mod reports;
pub mod slots;
mod subscription;
