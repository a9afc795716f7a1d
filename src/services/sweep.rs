//! Contents that nothing refers to, which a crash may have left, are swept away.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Context, Refusal};
use crate::{domain::artifact::Sha256, store};

/// Removes every content that no artifact has, once it is older than `storage.keep_loose`; returns how many there were.
///
/// # Errors
/// `storage_unavailable`; what was not removed then is at the next sweep.
pub async fn sweep(context: &Arc<Context>) -> Result<usize, Refusal> {
    let _shelf = context.artifacts.shelf().await;
    let there = context.artifacts.contents().await?;
    let referenced = context.read(|connection| Ok(store::artifacts::contents(connection)?)).await?;
    // A content may be loose because an older backup of the database was restored; then it is soon wanted again.
    let now = context.clock.now();
    let is_old = |since: Timestamp| now.duration_since(since) >= context.settings.keep_loose;
    let is_loose = |(content, since): &(&Sha256, &Timestamp)| !referenced.contains(content) && is_old(**since);
    let loose: Vec<Sha256> = there.iter().filter(is_loose).map(|(content, _)| *content).collect();
    for content in &loose {
        context.artifacts.remove(*content).await?;
        tracing::info!(%content, "removed a content that nothing refers to");
    }
    for missing in referenced.iter().filter(|content| !there.contains_key(content)) {
        tracing::error!(content = %missing, "an artifact's content is not in the store; restore it from a backup");
    }
    Ok(loose.len())
}
