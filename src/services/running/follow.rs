//! Follows the changes of other replicas: the change log has every change in the order of the commits, and this replica
//! brings each into its directory within two seconds (contract, end of section 3).
//!
//! The log also has this replica's own changes, which are read once more. That is deliberate: so a commit whose result
//! was lost with the connection is brought in like any other.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    directory::{Change, Loaded},
    services::{
        desk::{Context, Refusal, context},
        running::{
            following::Following,
            share_keys::{self, Vault},
            start,
        },
    },
    store::{
        self, Connection, StoreError,
        changes::{KEYS, Logged, Stretch},
    },
};

/// The largest number of changes loaded at once; it bounds the memory of one step.
const AT_ONCE: i64 = 50_000;

/// A part of the change log, loaded.
struct Found {
    /// The number of the last change.
    position: i64,
    /// The changed things in their current state.
    loaded: Vec<Loaded>,
    /// Whether the log has no further changes.
    is_all: bool,
}

/// Brings all new changes into the directory.
///
/// # Errors
/// When the database cannot be read. The directory keeps the changes brought in before.
pub fn catch_up(context: &Context, following: &Following, vault: Option<&Vault>) -> Result<(), StoreError> {
    loop {
        let began = Instant::now();
        let read = |connection: &mut Connection| find(context, following, vault, connection);
        let has_all = context.store.follow(read, |found| {
            let Some(Found { position, loaded, is_all }) = found else { return true };
            context.directory.apply(loaded);
            following.position.store(position, Ordering::Relaxed);
            is_all
        })?;
        if has_all {
            following.note(began);
            return Ok(());
        }
    }
}

fn find(
    context: &Context,
    following: &Following,
    vault: Option<&Vault>,
    connection: &mut Connection,
) -> Result<Option<Found>, StoreError> {
    let position = following.position.load(Ordering::Relaxed);
    let changes = store::changes::after(connection, position, AT_ONCE)?;
    let Some(last) = changes.last().map(|change| change.id) else {
        // The log is shorter than before: the database was restored while this replica ran.
        return match store::changes::newest(connection)? {
            Some(newest) if newest < position => read_anew(context, vault, connection).map(Some),
            _ => Ok(None),
        };
    };
    // Numbers are missing if a write was rolled back, or if old changes were deleted while this replica was offline.
    let first = store::changes::oldest(connection)?.unwrap_or(last);
    if first > position.saturating_add(1) {
        return read_anew(context, vault, connection).map(Some);
    }
    if changes.iter().any(|change| change.entry.kind == KEYS) {
        share_keys::reload(context, vault, connection)?;
    }
    let is_all = i64::try_from(changes.len()).is_ok_and(|found| found < AT_ONCE);
    let stretch = Stretch { after: position, up_to: last };
    Ok(Some(Found { position: last, loaded: load(connection, &changes, stretch)?, is_all }))
}

/// Reads everything into the directory; the result has no changes left to bring in.
fn read_anew(context: &Context, vault: Option<&Vault>, connection: &mut Connection) -> Result<Found, StoreError> {
    tracing::info!("the log of changes does not go on from where this replica is; everything is read anew");
    share_keys::reload(context, vault, connection)?;
    Ok(Found { position: start::fill(&context.directory, connection)?, loaded: Vec::new(), is_all: true })
}

fn load(connection: &mut Connection, log: &[Logged], stretch: Stretch) -> Result<Vec<Loaded>, StoreError> {
    let changed: HashSet<Change> = log.iter().filter_map(|change| context::change(&change.entry)).collect();
    let (subscriptions, catalogue): (Vec<_>, Vec<_>) =
        changed.into_iter().partition(|change| matches!(change, Change::Subscription(_)));
    // Loads products before their releases, and before subscriptions the things to which they refer.
    let (releases, first): (Vec<_>, Vec<_>) =
        catalogue.into_iter().partition(|change| matches!(change, Change::Release(..)));
    let mut loaded = Vec::new();
    for change in first.into_iter().chain(releases) {
        loaded.extend(context::load(connection, change)?);
    }
    // Reads the subscriptions together, as an import can change a hundred thousand of them.
    if !subscriptions.is_empty() {
        loaded.extend(start::changed_subscriptions(connection, stretch)?);
    }
    Ok(loaded)
}

/// Deletes changes older than `keep` from the change log.
pub async fn forget(context: &Arc<Context>, keep: SignedDuration) -> Result<(), Refusal> {
    context
        .append(move |connection, now| {
            let before = now.checked_sub(keep).unwrap_or(Timestamp::MIN);
            store::changes::forget_before(connection, before).map(drop)
        })
        .await
}
