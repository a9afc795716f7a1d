//! Where the signing keys are kept, and what is done to them there.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;

use crate::{
    services::running::share_keys::Vault,
    signing::{EncryptionKeys, KeyError, KeyFile, KeySet, Purpose},
    store::{Connection, StoreError},
};

/// Where an installation keeps its signing keys.
#[derive(Debug)]
pub enum KeyPlace {
    /// In a file, beside a database that is a file; encrypted, where there is a key for it.
    File(PathBuf, Option<Arc<EncryptionKeys>>),
    /// In the database, encrypted.
    Database(Vault),
}

/// Why keys could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyPlaceError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] KeyError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KeyPlace {
    /// Takes the next key into use, see [`KeySet::rotate`].
    ///
    /// # Errors
    /// When there are no keys, or they cannot be written.
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

    /// Encrypts the keys with the current key.
    ///
    /// # Errors
    /// When there are no keys, or they cannot be written, or there is nothing to encrypt them with.
    pub fn encrypt(&self, connection: &mut Connection) -> Result<(), KeyPlaceError> {
        match self {
            Self::Database(vault) => Ok(vault.encrypt(connection)?),
            Self::File(path, encryption) => Ok(KeyFile::read(path, encryption.clone())?.encrypt()?),
        }
    }
}
