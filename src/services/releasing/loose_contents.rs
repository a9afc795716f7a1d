//! Contents that have lost their artifact, taken away at once where that is safe.

use std::sync::Arc;

use crate::{
    domain::artifact::{ContentStore, Sha256},
    services::desk::{Context, Refusal},
    store,
};

/// Takes away those of the contents that no artifact has any more. What cannot be taken away now is swept later.
///
/// From folders only, which one server writes. Of a bucket, another replica may be putting the same content there at
/// this moment; there the sweep takes it once it has been nobody's for long.
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
