//! What the updater must remember over a kill: who it is, and which update is under way.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{durable, failure::Failure};

/// One update of this installation, from the first word to the last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its id. After a kill the same run goes on, so the vendor sees one story and not two.
    pub id: Uuid,
    /// From this version
    pub from: Version,
    /// to this one.
    pub to: Version,
    /// Where it is.
    pub phase: Phase,
    /// When a person wants it to happen.
    pub scheduled_for: Option<Timestamp>,
    /// Whom to tell when it is over.
    pub notify_email: Option<String>,
    /// Where the user finds help if it fails.
    pub help_url: Option<String>,
}

/// Where a run is, as far as it matters after a kill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A person set a time. Nothing has been done.
    Scheduled,
    /// Downloading, saving, unpacking. Program and database are untouched: a kill costs only time.
    Preparing,
    /// The new version is complete in the staging folder, and takes the program's place. After a kill: go on.
    Swapping,
    /// The new program is in place, and the database was saved just before. After a kill: go on.
    Migrating,
    /// Something failed after that. The old state is being brought back. After a kill: go on bringing it back.
    RollingBack {
        /// Whether the database may have been changed.
        database: bool,
        /// What failed.
        because: Failure,
    },
}

#[derive(Serialize, Deserialize)]
struct Content {
    installation: Uuid,
    run: Option<Run>,
}

/// The state file, held by one process at a time.
pub struct State {
    path: PathBuf,
    content: Content,
    /// The lock ends with the process, even with a killed one.
    _lock: File,
}

impl State {
    /// Opens the state in a folder, or makes a new one with a new installation id.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let lock_path = folder.join("lock");
        let lock = File::create(&lock_path).map_err(Failure::io("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::internal("already_running", "another updater is at work on this installation"));
            }
            Err(TryLockError::Error(error)) => return Err(Failure::io("lock", &lock_path)(error)),
        }
        let path = folder.join("state.json");
        let content = if let Some(content) = durable::read_json(&path)? {
            content
        } else {
            let fresh = Content { installation: Uuid::new_v4(), run: None };
            durable::write_json(&path, &fresh)?;
            fresh
        };
        Ok(Self { path, content, _lock: lock })
    }

    /// This installation's id. It says nothing about the customer or the machine.
    #[must_use]
    pub fn installation(&self) -> Uuid {
        self.content.installation
    }

    /// The update under way.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        self.content.run.as_ref()
    }

    /// Sets or ends the update under way. On the disk when this returns.
    pub fn set_run(&mut self, run: Option<Run>) -> Result<(), Failure> {
        self.content.run = run;
        durable::write_json(&self.path, &self.content)
    }
}
