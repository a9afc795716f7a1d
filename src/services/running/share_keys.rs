//! The signing keys of replicas. They are in the shared database, encrypted with a key that only the replicas have, so
//! that all replicas sign and verify alike. The first replica to start makes them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    services::desk::{Context, context::id_at},
    signing::{EncryptionKeys, KeyRing, KeySet, NoKeys, Purpose},
    store::{
        self, Connection, Store, StoreError,
        changes::{Entry, KEYS},
        settings,
    },
};

/// The access to the signing keys in the database, with the encryption keys that protect them.
#[derive(Debug)]
pub struct Vault(Arc<EncryptionKeys>);

impl Vault {
    /// Makes a vault with these encryption keys.
    #[must_use]
    pub const fn new(encryption: Arc<EncryptionKeys>) -> Self {
        Self(encryption)
    }

    /// Reads the keys, or makes them if there are none. Also returns whether they are encrypted with the current key.
    ///
    /// # Errors
    /// When the database cannot be used, or its keys were encrypted with another key.
    pub fn open_or_fill(&self, store: &Store) -> Result<(KeySet, bool), StoreError> {
        let make = || self.seal(&KeySet::make().map_err(|error| unusable(&error))?);
        self.unseal(&settings::known_or_new(store, settings::KEYS, make)?)
    }

    /// Reads the keys; `None` if there are none.
    ///
    /// # Errors
    /// When the database cannot be read, or its keys were encrypted with another key.
    pub fn open(&self, connection: &mut Connection) -> Result<Option<KeySet>, StoreError> {
        let sealed = settings::get(connection, settings::KEYS)?;
        sealed.map(|sealed| self.unseal(&sealed).map(|(keys, _)| keys)).transpose()
    }

    fn unseal(&self, sealed: &str) -> Result<(KeySet, bool), StoreError> {
        self.0.open(sealed).map_err(|error| {
            StoreError::Other(format!(
                "the signing keys in the database cannot be read with keys.encryption_key: {error}; set the one that they were encrypted with"
            ))
        })
    }

    fn seal(&self, keys: &KeySet) -> Result<String, StoreError> {
        self.0.seal(keys).map_err(|error| unusable(&error))
    }

    /// Writes keys into a database that has none.
    pub fn fill(&self, connection: &mut Connection, keys: &KeySet) -> Result<(), StoreError> {
        settings::insert(connection, settings::KEYS, &self.seal(keys)?)
    }

    /// Rotates the key of a purpose; see [`KeySet::rotate`]. All replicas use the new key within two seconds.
    ///
    /// # Errors
    /// When the database cannot be used, or has no keys.
    pub fn rotate(&self, connection: &mut Connection, purpose: Purpose, now: Timestamp) -> Result<KeySet, StoreError> {
        let mut keys = self.existing(connection)?;
        keys.rotate(purpose).map_err(|error| unusable(&error))?;
        settings::replace(connection, settings::KEYS, &self.seal(&keys)?)?;
        store::changes::append(connection, &[Entry { kind: KEYS.to_owned(), first: id_at(now), second: None }], now)?;
        Ok(keys)
    }

    /// Encrypts the signing keys with the current encryption key. It logs no change, as the signing keys stay the same.
    ///
    /// # Errors
    /// When the database cannot be used, or has no keys.
    pub fn encrypt(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let keys = self.existing(connection)?;
        settings::replace(connection, settings::KEYS, &self.seal(&keys)?)
    }

    /// Reads the keys, which must exist.
    ///
    /// # Errors
    /// When there are no keys, or [`Self::open`] fails.
    pub fn existing(&self, connection: &mut Connection) -> Result<KeySet, StoreError> {
        let none = || {
            let text = "there are no keys in the database; `sluice serve` makes them at its first start";
            StoreError::Other(text.to_owned())
        };
        self.open(connection)?.ok_or_else(none)
    }
}

fn unusable(error: &NoKeys) -> StoreError {
    StoreError::Other(format!("the signing keys: {error}"))
}

/// Uses the keys that are in the database now.
///
/// # Errors
/// When the database cannot be read, or its keys were encrypted with another key.
pub(in crate::services) fn reload(
    context: &Context,
    vault: Option<&Vault>,
    connection: &mut Connection,
) -> Result<(), StoreError> {
    let Some(vault) = vault else { return Ok(()) };
    if let Some(set) = vault.open(connection)? {
        context.use_keys(KeyRing::of(&set).map_err(|error| StoreError::Other(error.to_string()))?);
    }
    Ok(())
}
