//! `SQLite`: one connection writes, and a few connections read beside it.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _, path::Path};

use diesel::connection::SimpleConnection as _;
use parking_lot::Mutex;

use super::{
    Connection, Place, StoreError,
    pool::Pool,
    transaction::{self, Purpose},
};

/// The number of reading connections. In WAL mode a reader waits for nothing, so a few suffice for all staff.
const READERS: usize = 4;

/// `synchronous` is FULL, not NORMAL: a write that was answered with success must survive a power cut.
const WRITER: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;";

/// An open file. The mutex of the writer puts writes in order, together with the work after each commit.
pub(super) struct Sqlite {
    pub(super) writer: Mutex<Connection>,
    readers: Pool,
}

impl Sqlite {
    /// Opens the database file, or makes it if it is missing.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let place = Place::File(path.to_owned());
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| {
                StoreError::Unavailable(format!("cannot make the folder {}: {error}", folder.display()))
            })?;
        }
        let url = path
            .to_str()
            .ok_or_else(|| StoreError::Other(format!("the database path {place} is not valid Unicode")))?
            .to_owned();
        // SQLite would make a file that all users can read. Its journals take the rights of the file.
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| StoreError::Unavailable(error.to_string()).at(&place))?;
        let writer = transaction::open_file(&url, WRITER).map_err(|error| error.at(&place))?;
        let readers = Pool::new(READERS, move || transaction::open_file(&url, READER));
        Ok(Self { writer: Mutex::new(writer), readers })
    }

    pub(super) fn write<T, E: From<StoreError>, C>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<(T, C), E>,
        after: impl FnOnce(C),
    ) -> Result<T, E> {
        let mut writer = self.writer.lock();
        let (value, committed) = transaction::run(&mut writer, Purpose::Change, work)?;
        after(committed);
        Ok(value)
    }

    pub(super) fn follow<T, E: From<StoreError>, C>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<C, E>,
        after: impl FnOnce(C) -> T,
    ) -> Result<T, E> {
        let mut writer = self.writer.lock();
        transaction::run(&mut writer, Purpose::Snapshot, read).map(after)
    }

    pub(super) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.readers.with(work)
    }

    pub(super) fn settle(&self) -> Result<(), StoreError> {
        Ok(self.writer.lock().batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }
}
