//! The data folder: what this machine keeps. One process at a time uses it, because the directory of checks is in the
//! memory of the process that writes.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// What is wrong with the data folder.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// It cannot be made or written.
    #[error("cannot write the data folder {0}: {1}; make it writable, or choose another one with data.folder")]
    Io(PathBuf, std::io::Error),
    /// Another process uses it.
    #[error(
        "the data folder {0} is in use by another Sluice; stop that one, or choose another folder with data.folder"
    )]
    InUse(PathBuf),
}

/// The folder, held until this is dropped.
#[derive(Debug)]
pub struct DataFolder {
    _lock: File,
}

/// The file in it by which it is held.
const LOCK: &str = "lock";

impl DataFolder {
    /// Whether a folder has been a data folder.
    #[must_use]
    pub fn is_one(path: &Path) -> bool {
        path.join(LOCK).exists()
    }

    /// Makes the folder where there is none (for its owner only), and takes hold of it.
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
