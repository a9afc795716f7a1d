//! What programs in the field ask for, with their license key.

pub mod check;
pub mod download;
pub mod report;
pub mod subscription;
