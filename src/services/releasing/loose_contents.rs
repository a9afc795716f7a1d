//! Loose contents: removed as soon as their last artifact is gone, where that is safe.

use std::sync::Arc;

use crate::{
    domain::artifact::{ContentStore, Sha256},
    services::desk::{Context, Refusal},
    store,
};

/// Removes those of the contents that no artifact refers to any more. The sweep later removes the ones that fail now.
///
/// Only removes from a folder, which one server writes. In an S3 bucket, another replica may be storing the same
/// content at this moment; there the sweep removes it after it was loose for long.
pub(in crate::services) async fn take_away(
    context: &Arc<Context>,
    contents: Vec<Sha256>,
    _shelf: &tokio::sync::OwnedMutexGuard<()>,
) {
    if context.artifacts.main() != ContentStore::Files {
        return;
    }
    for content in contents {
        let referenced =
            context.read(move |connection| Ok(store::artifacts::is_referenced(connection, content)?)).await;
        let removed = match referenced {
            Ok(false) => context.artifacts.remove(ContentStore::Files, content).await.map_err(Refusal::from),
            Ok(true) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = removed {
            tracing::warn!(%error, %content, "a content that nothing refers to was not removed; it will be swept later");
        }
    }
}
