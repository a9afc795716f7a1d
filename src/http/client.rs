//! For programs in the field, with a license key.

pub mod check;
pub mod download;
pub mod report;
pub mod subscription;
