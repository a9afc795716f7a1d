//! The keys of replicas: in the database that they share, encrypted under a key that only they have, so that every one
//! signs and recognises alike. Made by whichever starts first.

use super::{Context, context::id_at, start};
use crate::{
    signing::{EncryptionKey, KeyRing, KeySet, Purpose},
    store::{
        self, Connection, Store, StoreError,
        changes::{Entry, KEYS},
        settings,
    },
};

/// What the sealed keys stand for, so that no other sealed text can be put in their place.
const PURPOSE: &str = "sluice keys 1";

/// Where the keys are kept.
#[derive(Debug)]
pub struct Vault(EncryptionKey);

impl Vault {
    /// Opened with this key.
    #[must_use]
    pub const fn new(key: EncryptionKey) -> Self {
        Self(key)
    }

    /// The keys, made where there are none yet.
    ///
    /// # Errors
    /// When the database cannot be used, or its keys were encrypted with another key.
    pub fn open_or_fill(&self, store: &Store) -> Result<KeySet, StoreError> {
        let make = || self.seal(&KeySet::make().map_err(|error| StoreError::Other(error.to_string()))?);
        self.unseal(&start::known_or_new(store, settings::KEYS, make)?)
    }

    /// The keys, if there are any.
    ///
    /// # Errors
    /// When the database cannot be read, or its keys were encrypted with another key.
    pub fn open(&self, connection: &mut Connection) -> Result<Option<KeySet>, StoreError> {
        settings::get(connection, settings::KEYS)?.map(|sealed| self.unseal(&sealed)).transpose()
    }

    fn unseal(&self, sealed: &str) -> Result<KeySet, StoreError> {
        let unreadable = |error: &dyn std::fmt::Display| {
            StoreError::Other(format!(
                "the signing keys in the database cannot be read with keys.encryption_key: {error}; set the one that they were made with"
            ))
        };
        let text = self.0.open(PURPOSE, sealed).map_err(|error| unreadable(&error))?;
        KeySet::read(&text).map_err(|error| unreadable(&error))
    }

    /// Puts keys in where there are none.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn fill(&self, connection: &mut Connection, keys: KeySet) -> Result<KeySet, StoreError> {
        settings::insert(connection, settings::KEYS, &self.seal(&keys)?)?;
        Ok(keys)
    }

    fn seal(&self, keys: &KeySet) -> Result<String, StoreError> {
        let text = keys.to_text().map_err(|error| StoreError::Other(error.to_string()))?;
        self.0.seal(PURPOSE, &text).map_err(|_| StoreError::Other("the signing keys could not be encrypted".to_owned()))
    }

    /// Takes the next key into use, see [`KeySet::rotate`]; every replica does within two seconds.
    ///
    /// # Errors
    /// When the database cannot be used, or has no keys.
    pub fn rotate(&self, store: &Store, purpose: Purpose, now: jiff::Timestamp) -> Result<KeySet, StoreError> {
        store.write(
            |connection| {
                let mut keys = self.open(connection)?.ok_or_else(|| {
                    StoreError::Other(
                        "there are no keys in the database; `sluice serve` makes them at its first start".to_owned(),
                    )
                })?;
                keys.rotate(purpose).map_err(|error| StoreError::Other(error.to_string()))?;
                settings::replace(connection, settings::KEYS, &self.seal(&keys)?)?;
                let entry = Entry { kind: KEYS.to_owned(), first: id_at(now), second: None };
                store::changes::append(connection, &[entry], now)?;
                Ok((keys, ()))
            },
            |()| (),
        )
    }
}

/// Takes the keys into use that are in the database now.
///
/// # Errors
/// When the database cannot be read, or its keys were encrypted with another key.
pub(super) fn reload(context: &Context, connection: &mut Connection) -> Result<(), StoreError> {
    let Some(vault) = &context.vault else { return Ok(()) };
    if let Some(set) = vault.open(connection)? {
        context.use_keys(KeyRing::of(&set).map_err(|error| StoreError::Other(error.to_string()))?);
    }
    Ok(())
}
