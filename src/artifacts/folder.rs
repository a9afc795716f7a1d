//! A folder of contents.

use std::{
    fs,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use object_store::{local::LocalFileSystem, path::Path};

use super::{
    ArtifactsError,
    key::{MARKER, ObjectKey},
};

#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Empty: the store begins at the folder.
    pub(super) prefix: Path,
    pub(super) store: Arc<LocalFileSystem>,
    /// Held while uploads may arrive, so that no other server removes them as leftovers.
    _lock: Option<fs::File>,
}

impl Folder {
    /// Opens a folder. The folder of the main store is created if missing, and unfinished uploads in it are removed.
    /// Any other folder must exist.
    pub(super) fn open(path: &FilePath, main: bool) -> Result<Self, ArtifactsError> {
        let refuse = |error| ArtifactsError::Folder(path.to_owned(), error);
        let lock = if main {
            Some(prepare(path)?)
        } else {
            fs::read_dir(path).map_err(refuse)?;
            None
        };
        let store = Arc::new(LocalFileSystem::new_with_prefix(path)?.with_fsync(true));
        Ok(Self { path: path.to_owned(), prefix: Path::from(""), store, _lock: lock })
    }

    pub(super) fn marker(&self) -> Result<Option<String>, ArtifactsError> {
        match fs::read_to_string(self.path.join(MARKER)) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ArtifactsError::Folder(self.path.clone(), error)),
        }
    }

    pub(super) fn mark(&self, name: &str) -> Result<(), ArtifactsError> {
        let write = || {
            let beside = self.path.join("database.new");
            fs::write(&beside, name)?;
            fs::File::open(&beside)?.sync_all()?;
            fs::rename(&beside, self.path.join(MARKER))
        };
        write().map_err(|error| ArtifactsError::Folder(self.path.clone(), error))
    }
}

fn prepare(path: &FilePath) -> Result<fs::File, ArtifactsError> {
    let refuse = |error| ArtifactsError::Folder(path.to_owned(), error);
    fs::create_dir_all(path).map_err(refuse)?;
    let lock =
        fs::OpenOptions::new().write(true).create(true).truncate(false).open(path.join("lock")).map_err(refuse)?;
    lock.try_lock().map_err(|_| ArtifactsError::InUse(path.to_owned()))?;
    let incoming = path.join(ObjectKey::incoming(&Path::from("")).as_ref());
    match fs::remove_dir_all(&incoming) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(refuse(error)),
        _ => {}
    }
    fs::create_dir_all(&incoming).map_err(refuse)?;
    Ok(lock)
}
