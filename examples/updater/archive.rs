//! Unpacking a `.tar.gz` whose top level is the content of the program's folder.
//!
//! The archive is the vendor's by its signature. It is still unpacked as if it were not: nothing in it may land, or
//! point, outside the folder.

use std::{
    collections::HashSet,
    fs::File,
    path::{Component, Path, PathBuf},
};

use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

use super::{
    durable,
    failure::{Failure, FailureClass},
};

/// Unpacks into a new folder; whatever was there before is removed.
pub fn unpack(archive: &Path, folder: &Path) -> Result<(), Failure> {
    durable::remove(folder)?;
    durable::create_folder(folder)?;
    let file = File::open(archive).map_err(Failure::io("open", archive))?;
    let mut archive = Archive::new(GzDecoder::new(file));
    let mut links = HashSet::new();
    for entry in archive.entries().map_err(unreadable)? {
        unpack_entry(&mut entry.map_err(unreadable)?, folder, &mut links)?;
    }
    durable::sync_tree(folder)
}

fn unpack_entry<R: std::io::Read>(
    entry: &mut Entry<'_, R>,
    folder: &Path,
    links: &mut HashSet<PathBuf>,
) -> Result<(), Failure> {
    let path = entry.path().map_err(unreadable)?.into_owned();
    let path = inside(&path).ok_or_else(|| refused(&path, "leaves the program's folder"))?;
    if path.as_os_str().is_empty() {
        return Ok(()); // `./`, the folder itself
    }
    if path.ancestors().any(|above| links.contains(above)) {
        return Err(refused(&path, "goes through a link"));
    }
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous | EntryType::Directory => {}
        EntryType::Symlink => {
            let target =
                entry.link_name().map_err(unreadable)?.ok_or_else(|| refused(&path, "is a link to nothing"))?;
            if !stays_inside(&path, &target) {
                return Err(refused(&path, "is a link that leaves the program's folder"));
            }
            links.insert(path.clone());
        }
        _ => {
            return Err(refused(&path, "is neither a file, a folder nor a symbolic link"));
        }
    }
    match entry.unpack_in(folder) {
        Ok(true) => Ok(()),
        Ok(false) => Err(refused(&path, "leaves the program's folder")),
        Err(error) => Err(Failure::io("unpack", &path)(error)),
    }
}

/// The path without `./`; `None` when it is absolute or goes up.
fn inside(path: &Path) -> Option<PathBuf> {
    path.components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| matches!(part, Component::Normal(_)).then_some(part))
        .collect()
}

/// Whether a link at `path` stays inside. Ways up are counted from the link's own folder, which is a real one
/// because no entry may lie below a link, and are allowed only at the start of the target, where no other link has
/// been passed yet. So counting is enough.
fn stays_inside(path: &Path, target: &Path) -> bool {
    let folders_above = path.components().count().saturating_sub(1);
    let ways_up = target.components().take_while(|part| matches!(part, Component::ParentDir)).count();
    let the_rest_goes_down = target.components().skip(ways_up).all(|part| matches!(part, Component::Normal(_)));
    ways_up <= folders_above && the_rest_goes_down
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn unreadable(error: std::io::Error) -> Failure {
    Failure::integrity("archive_unreadable", format!("the archive cannot be read: {error}"))
}

fn refused(path: &Path, why: &str) -> Failure {
    let sentence = format!("the archive is refused: {} {why}", path.display());
    Failure::new(FailureClass::Integrity, "archive_refused", sentence)
}
