//! Files that survive a kill: either the old content is there or the new one, never half of it.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use super::failure::Failure;

/// Writes a file by way of a neighbour that is renamed over it once it is complete and on the disk.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let neighbour = with_suffix(path, ".new");
    let written = File::create(&neighbour).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(Failure::io("write", &neighbour))?;
    rename(&neighbour, path)
}

/// Writes a value as JSON, likewise.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_vec_pretty(value).map_err(|error| Failure::internal("state_unwritable", error))?;
    write(path, &json)
}

/// Reads such a value; `None` when there is no file.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Failure> {
    let Some(json) = absent_as_none(fs::read(path)).map_err(Failure::io("read", path))? else {
        return Ok(None);
    };
    let damaged = |error| Failure::internal("state_damaged", format!("{} is damaged: {error}", path.display()));
    serde_json::from_slice(&json).map(Some).map_err(damaged)
}

/// Renames, and makes sure that the rename itself outlives a power cut.
pub fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::rename(from, to).map_err(Failure::io("rename", from))?;
    sync_folder_of(to)
}

/// Removes a file or a folder with everything in it; nothing there is fine.
pub fn remove(path: &Path) -> Result<(), Failure> {
    // `symlink_metadata`: a link is removed, not what it points to.
    let Some(found) = absent_as_none(fs::symlink_metadata(path)).map_err(Failure::io("look at", path))? else {
        return Ok(());
    };
    let removed = if found.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(Failure::io("remove", path))
}

/// Creates a folder and the folders above it.
pub fn create_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(Failure::io("create", path))
}

/// Brings everything in a folder onto the disk. Renaming a folder promises nothing about the files in it.
pub fn sync_tree(folder: &Path) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).map_err(Failure::io("list", folder))? {
        let entry = entry.map_err(Failure::io("list", folder))?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(Failure::io("look at", folder))?);
        if kind.is_dir() {
            sync_tree(&path)?;
        } else if kind.is_file() {
            File::open(&path).and_then(|file| file.sync_all()).map_err(Failure::io("sync", &path))?;
        }
    }
    sync_folder(folder)
}

/// The path with something added to its last part: `program` → `program.previous`.
#[must_use]
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// An absent file is an answer, not an error.
pub fn absent_as_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn sync_folder_of(path: &Path) -> Result<(), Failure> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder),
        _ => sync_folder(Path::new(".")),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), Failure> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Failure::io("sync", folder))
}

/// Windows has no such call: NTFS journals its renames.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<(), Failure> {
    Ok(())
}
