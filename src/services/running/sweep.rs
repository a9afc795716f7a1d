//! The sweep: removes loose contents, which a crash may have left.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    domain::artifact::ContentStore,
    services::{
        desk::{Context, Refusal},
        running::start,
    },
    store,
};

/// Removes each content without an artifact, and each unfinished upload, once it is older than `storage.keep_loose`;
/// returns their number. It keeps a content to which an artifact refers in another store; that one is removed by
/// `storage move --delete-source`.
///
/// # Errors
/// `storage_unavailable`; the next sweep removes the rest.
pub async fn sweep(context: &Arc<Context>) -> Result<usize, Refusal> {
    let _shelf = context.artifacts.shelf().await;
    let mut removed = 0;
    for store in context.artifacts.stores() {
        removed += sweep_store(context, store).await?;
    }
    Ok(removed)
}

async fn sweep_store(context: &Arc<Context>, place: ContentStore) -> Result<usize, Refusal> {
    if place == ContentStore::S3 {
        // The S3 bucket may not have answered at the start. The contents of another database must not be removed.
        start::match_store(context, place).await?;
    }
    let there = context.artifacts.contents(place).await?;
    let places = context.read(|connection| Ok(store::artifacts::places(connection)?)).await?;
    // A content can be loose because an older backup of the database was restored; then it is soon needed again.
    let oldest = context.clock.now() - context.settings.keep_loose;
    let is_old = |since: Timestamp| since <= oldest;
    let is_loose = |content| ContentStore::ALL.iter().all(|store| !places.contains_key(&(content, *store)));
    let mut removed = 0;
    for (content, since) in there.iter().map(|(content, since)| (*content, *since)) {
        if !is_loose(content) || !is_old(since) {
            continue;
        }
        if context.artifacts.is_landing(content) {
            continue;
        }
        if place == ContentStore::S3 {
            // Checks again: another replica may have stored the content since it was listed.
            let found = context.artifacts.find(place, content).await?;
            let wanted = move |connection: &mut _| Ok(store::artifacts::is_referenced(connection, content)?);
            if found.is_none_or(|(_, since)| !is_old(since)) || context.read(wanted).await? {
                continue;
            }
        }
        context.artifacts.remove(place, content).await?;
        removed += 1;
        tracing::info!(%content, store = %place, "removed a content that nothing refers to");
    }
    if place == ContentStore::S3 {
        removed += context.artifacts.clear_incoming(oldest).await?;
    }
    for (missing, _) in places.keys().filter(|(content, store)| *store == place && !there.contains_key(content)) {
        tracing::error!(content = %missing, store = %place, "an artifact's content is not in the store; restore it from a backup");
    }
    Ok(removed)
}
