//! The place of the signing keys: a file or the database.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;

use crate::{
    services::running::share_keys::Vault,
    signing::{EncryptionKeys, KeyError, KeyFile, KeySet, Purpose},
    store::{Connection, StoreError},
};

/// The place of the signing keys.
#[derive(Debug)]
pub enum KeyPlace {
    /// In a file, with the embedded database; encrypted if an encryption key is given.
    File(PathBuf, Option<Arc<EncryptionKeys>>),
    /// In the database, encrypted.
    Database(Vault),
}

/// Why the signing keys could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyPlaceError {
    #[error(transparent)]
    File(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KeyPlace {
    /// Rotates the key of a purpose; see [`KeySet::rotate`].
    ///
    /// # Errors
    /// [`KeyPlaceError`] when there are no keys, or they cannot be written.
    pub fn rotate(
        &self,
        connection: &mut Connection,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<KeySet, KeyPlaceError> {
        match self {
            Self::Database(vault) => Ok(vault.rotate(connection, purpose, now)?),
            Self::File(path, encryption) => {
                let mut file = KeyFile::read(path, encryption.clone())?;
                file.rotate(purpose)?;
                Ok(file.keys().clone())
            }
        }
    }

    /// Encrypts the signing keys with the current encryption key.
    ///
    /// # Errors
    /// [`KeyPlaceError`] when there are no keys, they cannot be written, or no encryption key is configured.
    pub fn encrypt(&self, connection: &mut Connection) -> Result<(), KeyPlaceError> {
        match self {
            Self::Database(vault) => Ok(vault.encrypt(connection)?),
            Self::File(path, encryption) => Ok(KeyFile::read(path, encryption.clone())?.encrypt()?),
        }
    }
}
