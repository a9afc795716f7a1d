//! Starting: the directory is built from the database, and the keys are those it was filled with.

use std::sync::Arc;

use super::{Context, Refusal};
use crate::{
    artifacts::Artifacts,
    directory::{Catalogue, Directory},
    signing::{KeyRing, random},
    store::{self, Connection, Store, StoreError},
};

/// Reads the whole read model as it is at one moment, in one pass over each table.
///
/// # Errors
/// When the database cannot be read, or holds what cannot be understood.
pub fn directory(store: &Store) -> Result<Directory, StoreError> {
    store.snapshot(|connection| {
        let mut products = Vec::new();
        for product in store::products::all(connection)? {
            let stops = store::stops::of_product(connection, product.id)?;
            products.push((product, stops));
        }
        let catalogue = Catalogue::new(
            products,
            store::releases::all(connection)?,
            store::manifests::all(connection)?,
            store::hosting_groups::all(connection)?,
        );
        let directory = Directory::new(catalogue);
        store::subscriptions::for_each(connection, |subscription| {
            directory.put_subscription(subscription.coverage);
        })?;
        store::license_keys::for_each(connection, |key| {
            // A key refers to a subscription (foreign key).
            if let Some(coverage) = directory.coverage(key.subscription) {
                directory.put_key(&key, &coverage);
            }
        })?;
        Ok(directory)
    })
}

/// Makes sure that the keys are those which the license keys in the database were hashed with.
///
/// # Errors
/// When they are not: then no customer's key would be recognised.
pub fn match_keys(store: &Store, keys: &KeyRing) -> Result<(), StoreError> {
    let known: Option<String> =
        store.read(|connection| store::settings::get(connection, store::settings::LICENSE_SECRET))?;
    match known.as_deref() {
        Some(id) if id == keys.license_secret_id() => Ok(()),
        Some(_) => Err(StoreError::Other(format!(
            "the license keys in the database were made with other secrets than those in `{}` of the data folder; restore the file that belongs to this database",
            crate::signing::KEY_FILE
        ))),
        None => store.write(
            |connection: &mut Connection| {
                store::settings::insert(connection, store::settings::LICENSE_SECRET, keys.license_secret_id())?;
                Ok::<_, StoreError>(((), ()))
            },
            |()| (),
        ),
    }
}

/// Makes sure that the folder of artifacts is the one that the database lists the contents of: with another one, listed
/// files would be missing, and the sweep would take those of the other database for nobody's.
///
/// # Errors
/// When it is not.
pub fn match_artifacts(store: &Store, artifacts: &Artifacts) -> Result<(), StoreError> {
    let marker = artifacts.marker().map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let (known, lists_any) = store.read(|connection| {
        let known = store::settings::get(connection, store::settings::ARTIFACTS)?;
        Ok::<_, StoreError>((known, !store::artifacts::contents(connection)?.is_empty()))
    })?;
    let refuse = |why: &str| {
        Err(StoreError::Other(format!(
            "the artifact folder {} {why}; set storage.url and database.url to what belongs together",
            artifacts.folder().display()
        )))
    };
    match (known, marker) {
        (Some(known), Some(marker)) if known == marker => Ok(()),
        (_, Some(_)) => refuse("belongs to another database"),
        (Some(_), None) if lists_any => refuse("is not the one that the database lists the contents of"),
        // First the database, then the folder: a crash between the two leaves a folder that may still be claimed.
        (Some(known), None) => artifacts.mark(&known).map_err(|error| StoreError::Unavailable(error.to_string())),
        (None, None) => {
            let new = uuid::Uuid::from_bytes(random()).to_string();
            let insert = |connection: &mut Connection| {
                store::settings::insert(connection, store::settings::ARTIFACTS, &new)?;
                Ok::<_, StoreError>(((), ()))
            };
            store.write(insert, |()| ())?;
            artifacts.mark(&new).map_err(|error| StoreError::Unavailable(error.to_string()))
        }
    }
}

/// Sightings written in one transaction: a stop that waits behind them waits some milliseconds.
const SIGHTINGS_AT_ONCE: usize = 1000;

/// Writes down what checks told about their installations.
///
/// # Errors
/// `storage_unavailable`; nothing is lost then, it is written the next time.
pub async fn write_sightings(context: &Arc<Context>) -> Result<usize, Refusal> {
    let mut sightings = context.directory.sightings.take();
    let count = sightings.len();
    while !sightings.is_empty() {
        let batch = Arc::new(sightings.split_off(sightings.len().saturating_sub(SIGHTINGS_AT_ONCE)));
        let to_write = Arc::clone(&batch);
        let written = context.append(move |connection, _| store::installations::take_in(connection, &to_write)).await;
        if let Err(error) = written {
            sightings.extend(Arc::unwrap_or_clone(batch));
            context.directory.sightings.put_back(sightings);
            return Err(error);
        }
    }
    Ok(count)
}
