//! `serve --demo`: a made-up vendor.

use std::sync::Arc;

use crate::{cli::Failure, config::Config, services::Context};

/// Keeps the demo's data apart from anything real.
pub fn adapt(config: &mut Config) {
    if config.data.folder == std::path::Path::new("./data") {
        config.data.folder = "./demo-data".into();
    }
}

/// Fills an empty data folder.
///
/// # Errors
/// When it cannot be written.
pub async fn fill(_context: &Arc<Context>) -> Result<(), Failure> {
    Ok(())
}

/// Prints curl lines to try.
pub fn print(_address: &str) {}
