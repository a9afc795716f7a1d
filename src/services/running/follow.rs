//! Following what other replicas change: every change is in the log in the order of the commits, and is brought into this
//! replica's directory before two seconds have passed (contract, end of section 3).
//!
//! What this replica changed itself is in the log too, and is read back once more. That is deliberate: a commit whose
//! outcome was lost with the connection is brought in like any other.

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

/// Changes that are brought in at once.
const AT_ONCE: i64 = 50_000;

/// What was found in the log.
struct Found {
    /// The last change of it.
    position: i64,
    /// What was changed, as it is now.
    loaded: Vec<Loaded>,
    /// Whether there was no more.
    is_all: bool,
}

/// Brings in all that was changed.
///
/// # Errors
/// When the database cannot be read. The directory has then what it had.
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
        // A database that was restored while this replica ran is not the one that it followed.
        return match store::changes::newest(connection)? {
            Some(newest) if newest < position => read_anew(context, vault, connection).map(Some),
            _ => Ok(None),
        };
    };
    // Numbers may be missing because a write was undone, or because the log was cut while this replica was away.
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

/// Puts everything into the directory at once, so that nothing is left to be brought in.
fn read_anew(context: &Context, vault: Option<&Vault>, connection: &mut Connection) -> Result<Found, StoreError> {
    tracing::info!("the log of changes does not go on from where this replica is; everything is read anew");
    share_keys::reload(context, vault, connection)?;
    Ok(Found { position: start::fill(&context.directory, connection)?, loaded: Vec::new(), is_all: true })
}

fn load(connection: &mut Connection, log: &[Logged], stretch: Stretch) -> Result<Vec<Loaded>, StoreError> {
    let changed: HashSet<Change> = log.iter().filter_map(|change| context::change(&change.entry)).collect();
    let (subscriptions, catalogue): (Vec<_>, Vec<_>) =
        changed.into_iter().partition(|change| matches!(change, Change::Subscription(_)));
    // Products before their releases, and what subscriptions refer to before them.
    let (releases, first): (Vec<_>, Vec<_>) =
        catalogue.into_iter().partition(|change| matches!(change, Change::Release(..)));
    let mut loaded = Vec::new();
    for change in first.into_iter().chain(releases) {
        loaded.extend(context::load(connection, change)?);
    }
    // An import may have changed a hundred thousand subscriptions; they are read together.
    if !subscriptions.is_empty() {
        loaded.extend(start::changed_subscriptions(connection, stretch)?);
    }
    Ok(loaded)
}

/// Forgets changes that were made longer ago than this.
///
/// # Errors
/// When the database cannot be written.
pub async fn forget(context: &Arc<Context>, keep: SignedDuration) -> Result<(), Refusal> {
    context
        .append(move |connection, now| {
            let before = now.checked_sub(keep).unwrap_or(Timestamp::MIN);
            store::changes::forget_before(connection, before).map(drop)
        })
        .await
}
