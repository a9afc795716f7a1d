//! The key file of the embedded default: readable by its owner only, replaced as a whole. It holds JSON, encrypted
//! where `keys.encryption_key` is set.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{EncryptionKeys, KeySet, NoKeys, Purpose};

/// Why the key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot use the key file {0}: {1}; check the rights of the data folder")]
    Io(PathBuf, std::io::Error),
    #[error("there are no keys at {0}; `sluice serve` makes them at its first start")]
    Missing(PathBuf),
    /// There are other keys where keys were to be written.
    #[error("there are other keys at {0}; they belong to another database, so move them away, or choose another place")]
    Occupied(PathBuf),
    #[error(
        "the key file {0} can be read by others than its owner (mode {1:o}); run `chmod 600 {0}`, and rotate the keys if someone may have read them"
    )]
    Exposed(PathBuf, u32),
    /// The content is not what this program writes.
    #[error("the key file {0} is damaged ({1}); restore it from a backup")]
    Damaged(PathBuf, NoKeys),
    /// The file is encrypted, and no key is configured.
    #[error("the key file {0} is encrypted; set the keys.encryption_key that it was encrypted with")]
    Encrypted(PathBuf),
    #[error("the key file {0} cannot be read with keys.encryption_key: {1}; set the one that it was encrypted with")]
    Sealed(PathBuf, NoKeys),
    /// Encryption was asked for, and no key is configured.
    #[error(
        "keys.encryption_key is not set, so that there is nothing to encrypt {0} with; make one with `openssl rand -base64 32`"
    )]
    NoEncryption(PathBuf),
}

/// The keys with the file that holds them.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    keys: KeySet,
    encryption: Option<Arc<EncryptionKeys>>,
    is_current: bool,
}

impl KeyFile {
    /// Reads the file; creates it with new keys if it does not exist, encrypted if `encryption` is given.
    ///
    /// # Errors
    /// [`KeyError`] when the file cannot be read or created, others can read it, it is encrypted with another key, or
    /// it is damaged.
    pub fn open(path: &Path, encryption: Option<Arc<EncryptionKeys>>) -> Result<Self, KeyError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let keys = KeySet::make().map_err(|error| KeyError::Damaged(path.to_owned(), error))?;
                return Self::make(path, keys, encryption);
            }
            Err(error) => return Err(KeyError::Io(path.to_owned(), error)),
        };
        let mode =
            fs::metadata(path).map_err(|error| KeyError::Io(path.to_owned(), error))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed(path.to_owned(), mode));
        }
        let damaged = |error| KeyError::Damaged(path.to_owned(), error);
        let (keys, is_current) = match &encryption {
            // Plain JSON: no encryption key has been set so far.
            _ if !EncryptionKeys::is_sealed(&text) => (KeySet::read(&text).map_err(damaged)?, encryption.is_none()),
            Some(encryption) => encryption.open(&text).map_err(|error| KeyError::Sealed(path.to_owned(), error))?,
            None => return Err(KeyError::Encrypted(path.to_owned())),
        };
        Ok(Self { path: path.to_owned(), keys, encryption, is_current })
    }

    /// Reads the file, which must exist.
    ///
    /// # Errors
    /// [`KeyError`] when the file is missing, cannot be read, others can read it, it is encrypted with another key, or
    /// it is damaged.
    pub fn read(path: &Path, encryption: Option<Arc<EncryptionKeys>>) -> Result<Self, KeyError> {
        match path.try_exists() {
            Ok(true) => Self::open(path, encryption),
            Ok(false) => Err(KeyError::Missing(path.to_owned())),
            Err(error) => Err(KeyError::Io(path.to_owned(), error)),
        }
    }

    /// Creates the file with these keys. A file that already holds them is left unchanged.
    ///
    /// # Errors
    /// [`KeyError`] when the file cannot be created, or holds other keys.
    pub fn put(path: &Path, keys: KeySet, encryption: Option<Arc<EncryptionKeys>>) -> Result<Self, KeyError> {
        if !path.try_exists().map_err(|error| KeyError::Io(path.to_owned(), error))? {
            return Self::make(path, keys, encryption);
        }
        let there = Self::open(path, encryption)?;
        let text = |keys: &KeySet| keys.to_text().map_err(|error| KeyError::Damaged(path.to_owned(), error));
        if text(&there.keys)? != text(&keys)? {
            return Err(KeyError::Occupied(path.to_owned()));
        }
        Ok(there)
    }

    fn make(path: &Path, keys: KeySet, encryption: Option<Arc<EncryptionKeys>>) -> Result<Self, KeyError> {
        let file = Self { path: path.to_owned(), keys, encryption, is_current: true };
        file.save()?;
        Ok(file)
    }

    /// Whether the file is as it would be written now: encrypted with the current key, or plain if there is none.
    #[must_use]
    pub const fn is_current(&self) -> bool {
        self.is_current
    }

    /// Encrypts the file with the current key.
    ///
    /// # Errors
    /// [`KeyError::NoEncryption`] when no encryption key is configured.
    pub fn encrypt(&self) -> Result<(), KeyError> {
        match self.encryption {
            Some(_) => self.save(),
            None => Err(KeyError::NoEncryption(self.path.clone())),
        }
    }

    /// The keys in the file.
    #[must_use]
    pub const fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Rotates the keys of one purpose, see [`KeySet::rotate`].
    pub fn rotate(&mut self, purpose: Purpose) -> Result<(), KeyError> {
        self.keys.rotate(purpose).map_err(|error| KeyError::Damaged(self.path.clone(), error))?;
        self.save()
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file as a whole, so that a crash leaves either the old file or the new one.
    fn save(&self) -> Result<(), KeyError> {
        let io = |error| KeyError::Io(self.path.clone(), error);
        let text = match &self.encryption {
            Some(encryption) => encryption.seal(&self.keys),
            None => self.keys.to_text(),
        };
        let text = text.map_err(|error| KeyError::Damaged(self.path.clone(), error))?;
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        fs::create_dir_all(folder).map_err(io)?;
        let beside = self.path.with_extension("new");
        // A leftover of a crash is removed first: `mode` applies only to a newly created file.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(io)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        fs::rename(&beside, &self.path).map_err(io)?;
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn keys_are_made_once_and_private_and_two_live_after_a_rotation() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        let mut made = KeyFile::open(&path, None).expect("keys");
        assert_eq!(fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
        let first = made.keys().of(Purpose::Links)[0].id.clone();
        made.rotate(Purpose::Links).expect("a rotation");
        let read = KeyFile::open(&path, None).expect("keys");
        assert_eq!(read.keys().of(Purpose::Links).len(), 2);
        assert_eq!(read.keys().of(Purpose::Links)[1].id, first);
        assert_eq!(read.keys().license_secret(), made.keys().license_secret());
        assert!(!format!("{read:?}").contains(&URL_SAFE_NO_PAD.encode(read.keys().license_secret())));
    }

    #[test]
    fn a_file_that_others_can_read_or_that_is_damaged_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        KeyFile::open(&path, None).expect("keys");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("permissions");
        assert!(matches!(KeyFile::open(&path, None), Err(KeyError::Exposed(_, 0o644))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("permissions");
        fs::write(&path, "{}").expect("a write");
        assert!(matches!(KeyFile::open(&path, None), Err(KeyError::Damaged(..))));
        fs::remove_file(&path).expect("a removal");
        KeyFile::open(&path, None).expect("keys");
        let text = fs::read_to_string(&path).expect("text");
        let secret = text.split('"').nth(3).expect("the license secret");
        fs::write(&path, text.replace(secret, "")).expect("a write");
        assert!(matches!(KeyFile::open(&path, None), Err(KeyError::Damaged(..))), "an empty secret is none");
    }

    #[test]
    fn a_manifest_key_is_public_before_it_signs_and_stays_public() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = KeyFile::open(&folder.path().join("keys.json"), None).expect("keys");
        let first: Vec<String> = file.keys().of(Purpose::Manifests).iter().map(|key| key.id.clone()).collect();
        file.rotate(Purpose::Manifests).expect("a rotation");
        file.rotate(Purpose::Manifests).expect("a rotation");
        assert_eq!(file.keys().retired().iter().map(|key| key.id.clone()).collect::<Vec<_>>(), first);
        let ring = crate::signing::KeyRing::of(file.keys()).expect("keys");
        let public: Vec<String> = ring.public_keys().into_iter().map(|key| key.kid).collect();
        assert_eq!(public.len(), 4);
        assert!(first.iter().all(|id| public.contains(id)));
    }

    #[test]
    fn an_encrypted_file_opens_under_its_key_until_it_is_rekeyed() {
        use crate::signing::EncryptionKey;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        let key = |byte: u8| EncryptionKey::of(&[byte; 32]).expect("a key");
        let open = |current, previous: Option<u8>| {
            KeyFile::open(&path, Some(Arc::new(EncryptionKeys::new(key(current), previous.map(key)))))
        };
        // A plain file can be read, and is encrypted on request.
        let secret = KeyFile::open(&path, None).expect("keys").keys().license_secret().to_vec();
        let plain = open(1, None).expect("keys");
        assert!(!plain.is_current());
        plain.encrypt().expect("a file");
        assert!(!fs::read_to_string(&path).expect("text").contains("license"));
        assert!(matches!(KeyFile::open(&path, None), Err(KeyError::Encrypted(_))));
        assert!(matches!(open(2, None), Err(KeyError::Sealed(..))));
        // The encryption key is rotated.
        let before = open(2, Some(1)).expect("keys");
        assert!(!before.is_current());
        before.encrypt().expect("a file");
        let after = open(2, None).expect("keys");
        assert!(after.is_current());
        assert_eq!(after.keys().license_secret(), secret);
        assert!(matches!(open(1, None), Err(KeyError::Sealed(..))));
        assert!(matches!(KeyFile::open(&path, None).map(drop), Err(KeyError::Encrypted(_))));
        assert_eq!(fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
    }
}
