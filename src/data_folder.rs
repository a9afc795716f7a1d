//! The data folder of this machine. Only one process may use it, because the directory that answers checks is in the
//! memory of the process that writes.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    #[error("cannot write the data folder {0}: {1}; make it writable, or choose another one with data.folder")]
    Io(PathBuf, std::io::Error),
    #[error(
        "the data folder {0} is in use by another Sluice; stop that one, or choose another folder with data.folder"
    )]
    InUse(PathBuf),
}

/// The data folder, held until this is dropped.
#[derive(Debug)]
pub struct DataFolder {
    _lock: File,
}

/// The lock file in it.
const LOCK: &str = "lock";

impl DataFolder {
    /// Whether a folder has been used as a data folder.
    #[must_use]
    pub fn is_one(path: &Path) -> bool {
        path.join(LOCK).exists()
    }

    /// Creates the folder if missing (for its owner only), and holds it.
    pub fn open(path: &Path) -> Result<Self, DataFolderError> {
        let io = |error| DataFolderError::Io(path.to_owned(), error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(path.join(LOCK)).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }
}
