//! Moves contents from one artifact store to another, one after the other, so that nothing is lost if the move is
//! interrupted.
//!
//! A content is copied, read back and hashed; only then do its artifacts refer to the new store. A content that an
//! interrupted move has copied is not copied again, only read back. The source keeps its contents until [`remove`].

use std::{collections::BTreeMap, sync::Arc};

use futures_util::StreamExt as _;
use serde_json::json;

use crate::{
    artifacts::{Artifacts, ArtifactsError, intake::IntakeError},
    directory::Change,
    domain::{
        artifact::{ContentStore, Sha256},
        audit::Record,
        subject::Subject,
    },
    services::desk::{Code, Context, Refusal, context::id_at},
    store,
};

/// A content that is to be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub content: Sha256,
    /// Size in bytes.
    pub size: u64,
    /// The store where it lies.
    pub from: ContentStore,
}

/// The result of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    Copied,
    /// The target already had the complete content.
    Found,
}

/// The contents that are to be moved to a store, ordered by hash.
pub async fn plan(context: &Arc<Context>, to: ContentStore) -> Result<Vec<Move>, Refusal> {
    let places = context.read(|connection| Ok(store::artifacts::places(connection)?)).await?;
    let elsewhere = places.into_iter().filter(|((_, store), _)| *store != to);
    let moves: BTreeMap<_, _> =
        elsewhere.map(|((content, from), size)| (content, Move { content, size, from })).collect();
    Ok(moves.into_values().collect())
}

/// Moves one content. Calls `advanced` with the number of bytes of each piece that was copied or read back.
///
/// # Errors
/// `storage_unavailable`; `digest_mismatch` if the source or the copy is damaged. The artifacts then still refer to
/// the source.
pub async fn one(
    context: &Arc<Context>,
    to: ContentStore,
    what: Move,
    advanced: impl Fn(u64) + Send + Sync,
) -> Result<Moved, Refusal> {
    let artifacts = &context.artifacts;
    let there = artifacts.find(to, what.content).await?.is_some_and(|(size, _)| size == what.size);
    let moved = if there && is_whole(artifacts, to, what, &advanced).await? {
        Moved::Found
    } else {
        copy(context, to, what, &advanced).await?;
        if !is_whole(artifacts, to, what, &advanced).await? {
            return Err(Refusal::new(
                Code::DigestMismatch,
                format!(
                    "what was written of {} is read back otherwise; nothing was changed, run this again",
                    what.content
                ),
            ));
        }
        Moved::Copied
    };
    context
        .write(move |write| {
            let releases = store::artifacts::moved(write.connection, what.content, to)?;
            if !releases.is_empty() {
                let (before, after) = (json!({ "store": what.from }), json!({ "store": to }));
                write.record(Record::change("content.move", Subject::Content(what.content), None, before, after));
            }
            for release in releases {
                if let Some(found) = store::releases::get(write.connection, release)? {
                    write.changed(Change::Release(found.product, release));
                }
            }
            Ok(())
        })
        .await?;
    Ok(moved)
}

async fn copy(
    context: &Arc<Context>,
    to: ContentStore,
    what: Move,
    advanced: &(impl Fn(u64) + Send + Sync),
) -> Result<(), Refusal> {
    let artifacts = &context.artifacts;
    let pieces = artifacts.open_content(what.from, what.content, what.size, 0..what.size).await?;
    let counted = pieces.inspect(|piece| {
        if let Ok(piece) = piece {
            advanced(u64::try_from(piece.len()).unwrap_or(0));
        }
    });
    let id = id_at(context.clock.now());
    let received = artifacts.receive(to, id, Some(what.content), counted).await.map_err(|error| match error {
        IntakeError::Sender(error) => Refusal::new(
            Code::StorageUnavailable,
            format!("{} cannot be read from `{}`: {error}", what.content, what.from),
        ),
        IntakeError::Mismatch(found) => Refusal::new(
            Code::DigestMismatch,
            format!(
                "{} is damaged in {}: what is there has SHA-256 {found}; restore it from a backup",
                what.content,
                artifacts.shown(what.from)
            ),
        ),
        IntakeError::Store(error) => error.into(),
    })?;
    let _shelf = artifacts.shelf().await;
    Ok(artifacts.place(&received).await?)
}

/// Reads a content back; returns whether its size and hash are right.
async fn is_whole(
    artifacts: &Artifacts,
    store: ContentStore,
    what: Move,
    advanced: &(impl Fn(u64) + Send + Sync),
) -> Result<bool, Refusal> {
    let mut pieces = match artifacts.open_content(store, what.content, what.size, 0..what.size).await {
        Err(ArtifactsError::Damaged(_) | ArtifactsError::Missing(_)) => return Ok(false),
        pieces => pieces?,
    };
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    while let Some(piece) = pieces.next().await {
        // The content of a file that is too short ends with an error.
        let Ok(piece) = piece else { return Ok(false) };
        hash.update(&piece);
        advanced(u64::try_from(piece.len()).unwrap_or(0));
    }
    Ok(hash.finish().as_ref() == what.content.0)
}

/// The contents that a move to `to` has left in the other stores, where no artifact refers to them any more.
pub async fn left_behind(context: &Arc<Context>, to: ContentStore) -> Result<Vec<(ContentStore, Sha256)>, Refusal> {
    let places = context.read(|connection| Ok(store::artifacts::places(connection)?)).await?;
    let mut left = Vec::new();
    for other in context.artifacts.stores().into_iter().filter(|store| *store != to) {
        let mut there: Vec<_> = context.artifacts.contents(other).await?.into_keys().collect();
        there.retain(|content| places.contains_key(&(*content, to)) && !places.contains_key(&(*content, other)));
        there.sort_unstable();
        left.extend(there.into_iter().map(|content| (other, content)));
    }
    Ok(left)
}

/// Removes a content that a move has left in `from`, if it is complete in `to`. Returns whether it was removed.
pub async fn remove(
    context: &Arc<Context>,
    to: ContentStore,
    from: ContentStore,
    hash: Sha256,
) -> Result<bool, Refusal> {
    let _shelf = context.artifacts.shelf().await;
    // Checks again: an artifact may refer to the content in `from` by now.
    let places = context.read(|connection| Ok(store::artifacts::places(connection)?)).await?;
    let (Some(size), None) = (places.get(&(hash, to)), places.get(&(hash, from))) else { return Ok(false) };
    if !is_whole(&context.artifacts, to, Move { content: hash, size: *size, from }, &|_| ()).await? {
        return Ok(false);
    }
    context.artifacts.remove(from, hash).await?;
    Ok(true)
}
