//! The start: builds the directory from the database, and checks that the keys and the artifact stores belong to it.

use std::{collections::HashMap, sync::Arc, time::Instant};

use crate::{
    artifacts::{Artifacts, ArtifactsError},
    directory::{Catalogue, Directory, Loaded},
    domain::{
        artifact::ContentStore,
        id::{ProductId, SubscriptionId},
        known_problem::KnownProblem,
        license_key::KeyRecord,
        stop::Stop,
    },
    services::{
        desk::{Context, Refusal, audit},
        running::following::Following,
    },
    signing::{KeyRing, random},
    store::{self, Connection, Store, StoreError, changes::Stretch},
};

/// Reads the whole directory as of one moment.
///
/// # Errors
/// When the database cannot be read, or has an invalid value.
pub fn directory(store: &Store) -> Result<(Directory, Following), StoreError> {
    let directory = Directory::default();
    let began = Instant::now();
    let position = store.snapshot(|connection| fill(&directory, connection))?;
    Ok((directory, Following::from(position, store.is_shared(), began)))
}

/// Reads everything into a directory, in one pass over each table; returns the number of the last change that it then
/// has. Existing entries are replaced, and none need be removed: only drafts are ever deleted.
///
/// # Errors
/// When the database cannot be read, or has an invalid value.
pub(in crate::services) fn fill(directory: &Directory, connection: &mut Connection) -> Result<i64, StoreError> {
    let position = store::changes::newest(connection)?.unwrap_or(0);
    let mut stops: HashMap<ProductId, Vec<Stop>> = HashMap::new();
    for (product, stop) in store::stops::all(connection)? {
        stops.entry(product).or_default().push(stop);
    }
    let mut known_problems: HashMap<ProductId, Vec<KnownProblem>> = HashMap::new();
    for rule in store::known_problems::all(connection)? {
        known_problems.entry(rule.product).or_default().push(rule);
    }
    let products = store::products::all(connection)?.into_iter().map(|product| {
        let stops = stops.remove(&product.id).unwrap_or_default();
        let known_problems = known_problems.remove(&product.id).unwrap_or_default();
        (product, stops, known_problems)
    });
    directory.replace_catalogue(Catalogue::new(
        products.collect(),
        store::releases::all(connection)?,
        store::manifests::all(connection)?,
        store::hosting_groups::all(connection)?,
    ));
    store::subscriptions::for_each_coverage(connection, |coverage| {
        directory.put_subscription(coverage);
    })?;
    store::license_keys::for_each(connection, |key| {
        // The subscription of a key always exists (foreign key).
        if let Some(coverage) = directory.coverage(key.subscription) {
            directory.put_key(&key, &coverage);
        }
    })?;
    Ok(position)
}

/// The subscriptions that a part of the change log names, with their license keys.
///
/// # Errors
/// When the database cannot be read, or has an invalid value.
pub(in crate::services) fn changed_subscriptions(
    connection: &mut Connection,
    stretch: Stretch,
) -> Result<Vec<Loaded>, StoreError> {
    let mut keys: HashMap<SubscriptionId, Vec<KeyRecord>> = HashMap::new();
    store::license_keys::for_each_changed(connection, stretch, |key| {
        keys.entry(key.subscription).or_default().push(key);
    })?;
    let mut loaded = Vec::new();
    store::subscriptions::for_each_changed(connection, stretch, |coverage| {
        let keys = keys.remove(&coverage.id).unwrap_or_default();
        loaded.push(Loaded::Subscription(coverage, keys));
    })?;
    Ok(loaded)
}

/// Checks that the license keys in the database were hashed with these keys. A new database takes the keys as its own.
///
/// # Errors
/// When they were hashed with others: then no customer's license key would be recognised.
pub fn match_keys(store: &Store, keys: &KeyRing, where_kept: &str) -> Result<(), StoreError> {
    let id = keys.license_secret_id();
    let known = store.read(|connection| store::settings::get(connection, store::settings::LICENSE_SECRET))?;
    let known = known.map_or_else(|| take_keys(store, keys), Ok)?;
    if known == id {
        return Ok(());
    }
    Err(StoreError::Other(format!(
        "the license keys in the database were made with other secrets than those in {where_kept}; restore those that belong to this database"
    )))
}

/// Stores the id of the keys in a new database and begins its audit log. If several replicas start together, the keys
/// of the first count.
fn take_keys(store: &Store, keys: &KeyRing) -> Result<String, StoreError> {
    let taking = |connection: &mut Connection| {
        if let Some(known) = store::settings::get(connection, store::settings::LICENSE_SECRET)? {
            return Ok((known, ()));
        }
        let id = keys.license_secret_id();
        store::settings::insert(connection, store::settings::LICENSE_SECRET, id)?;
        store::settings::insert(connection, store::settings::AUDIT_HEAD, &audit::first_note(keys))?;
        Ok::<_, StoreError>((id.to_owned(), ()))
    };
    store.write(taking, |()| ())
}

/// Why the database and the artifact stores do not belong together.
#[derive(Debug, thiserror::Error)]
pub enum MatchError {
    /// An artifact store belongs to another database, or the database cannot be used.
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Artifacts(#[from] ArtifactsError),
}

impl From<MatchError> for Refusal {
    fn from(error: MatchError) -> Self {
        match error {
            MatchError::Store(error) => error.into(),
            MatchError::Artifacts(error) => error.into(),
        }
    }
}

/// Checks that the artifact stores belong to the database. With the stores of another database, listed files would be
/// missing, and the sweep would remove the contents of the other database. An S3 bucket that does not answer does not
/// prevent the start: it is checked again before anything is removed from it.
///
/// # Errors
/// [`MatchError`] when a store belongs to another database, or an S3 bucket cannot be used as configured.
pub fn match_artifacts(store: &Store, artifacts: &Artifacts) -> Result<(), MatchError> {
    let places = store.read(store::artifacts::places)?;
    if let Some(other) = places.keys().map(|(_, store)| *store).find(|store| !artifacts.stores().contains(store)) {
        let count = places.keys().filter(|(_, store)| *store == other).count();
        return Err(StoreError::Other(format!(
            "the database lists {count} contents in the store `{other}`, which is not configured; set storage.{other} to where it is"
        ))
        .into());
    }
    for place in artifacts.stores() {
        let matched = artifacts.wait_for(async {
            if place == ContentStore::S3 {
                artifacts.try_bucket().await?;
            }
            match match_marker(store, artifacts, place).await {
                // An error of the database must not be taken for one of the artifact store.
                Err(MatchError::Store(error)) => Ok(Err(error)),
                Err(MatchError::Artifacts(error)) => Err(error),
                Ok(()) => Ok(Ok(())),
            }
        });
        match matched {
            Ok(matched) => matched?,
            Err(error) if error.is_away() => {
                tracing::warn!(%error, "started without the artifact store: uploads are refused until it is back");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Checks that one artifact store belongs to the database.
pub async fn match_store(context: &Arc<Context>, place: ContentStore) -> Result<(), Refusal> {
    Ok(match_marker(&context.store, &context.artifacts, place).await?)
}

async fn match_marker(store: &Store, artifacts: &Artifacts, place: ContentStore) -> Result<(), MatchError> {
    let marker = artifacts.marker(place).await?;
    let (known, lists_any) = store.read(|connection| {
        let known = store::settings::get(connection, store::settings::ARTIFACTS)?;
        Ok::<_, StoreError>((known, store::artifacts::places(connection)?.keys().any(|(_, store)| *store == place)))
    })?;
    let refuse = |why: &str| {
        Err(StoreError::Other(format!(
            "{} {why}; set storage.url and database.url to what belongs together",
            artifacts.shown(place)
        ))
        .into())
    };
    match (known, marker) {
        (Some(known), Some(marker)) if known == marker => Ok(()),
        (_, Some(_)) => refuse("belongs to another database"),
        (Some(_), None) if lists_any => refuse("is not the one that the database lists the contents of"),
        // The database comes first, then the store: after a crash in between, the store can still be claimed.
        (Some(known), None) => Ok(artifacts.mark(place, &known).await?),
        (None, None) => {
            let new = || Ok(uuid::Uuid::from_bytes(random()).to_string());
            let known = store::settings::known_or_new(store, store::settings::ARTIFACTS, new)?;
            Ok(artifacts.mark(place, &known).await?)
        }
    }
}
