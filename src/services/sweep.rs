//! Contents that nothing refers to, which a crash may have left, are swept away.

use std::sync::Arc;

use super::{Context, Refusal};
use crate::store;

/// Removes every content that no artifact has; returns how many there were.
///
/// # Errors
/// `storage_unavailable`; what was not removed then is at the next sweep.
pub async fn sweep(context: &Arc<Context>) -> Result<usize, Refusal> {
    let _shelf = context.artifacts.shelf().await;
    let there = context.artifacts.contents().await?;
    let referenced = context.read(|connection| Ok(store::artifacts::contents(connection)?)).await?;
    let loose: Vec<_> = there.difference(&referenced).copied().collect();
    for content in &loose {
        context.artifacts.remove(*content).await?;
        tracing::info!(%content, "removed a content that nothing refers to");
    }
    for missing in referenced.difference(&there) {
        tracing::error!(content = %missing, "an artifact's content is not in the store; restore it from a backup");
    }
    Ok(loose.len())
}
