//! The keys of replicas: in the database that they share, encrypted under a key that only they have, so that every one
//! signs and recognises alike. Made by whichever starts first.

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

/// Where the keys are kept.
#[derive(Debug)]
pub struct Vault(Arc<EncryptionKeys>);

impl Vault {
    /// Opened with these.
    #[must_use]
    pub const fn new(encryption: Arc<EncryptionKeys>) -> Self {
        Self(encryption)
    }

    /// The keys, made where there are none yet. Says too whether they are encrypted with the current key.
    ///
    /// # Errors
    /// When the database cannot be used, or its keys were encrypted with another key.
    pub fn open_or_fill(&self, store: &Store) -> Result<(KeySet, bool), StoreError> {
        let make = || self.seal(&KeySet::make().map_err(|error| unusable(&error))?);
        self.unseal(&settings::known_or_new(store, settings::KEYS, make)?)
    }

    /// The keys, if there are any.
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

    /// Puts keys in where there are none.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn fill(&self, connection: &mut Connection, keys: &KeySet) -> Result<(), StoreError> {
        settings::insert(connection, settings::KEYS, &self.seal(keys)?)
    }

    /// Takes the next key into use, see [`KeySet::rotate`]; every replica does within two seconds.
    ///
    /// # Errors
    /// When the database cannot be used, or has no keys.
    pub fn rotate(&self, connection: &mut Connection, purpose: Purpose, now: Timestamp) -> Result<KeySet, StoreError> {
        let mut keys = self.held(connection)?;
        keys.rotate(purpose).map_err(|error| unusable(&error))?;
        settings::replace(connection, settings::KEYS, &self.seal(&keys)?)?;
        store::changes::append(connection, &[Entry { kind: KEYS.to_owned(), first: id_at(now), second: None }], now)?;
        Ok(keys)
    }

    /// Encrypts the keys with the current key. They stay the same, so nobody need be told.
    ///
    /// # Errors
    /// When the database cannot be used, or has no keys.
    pub fn encrypt(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let keys = self.held(connection)?;
        settings::replace(connection, settings::KEYS, &self.seal(&keys)?)
    }

    /// The keys, which must be there.
    ///
    /// # Errors
    /// When they are not, or [`Self::open`] fails.
    pub fn held(&self, connection: &mut Connection) -> Result<KeySet, StoreError> {
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

/// Takes the keys into use that are in the database now.
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
