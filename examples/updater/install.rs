//! The program's folder: swapped for the new one and, if need be, back.
//!
//! A folder cannot be replaced in one step: first the old one is renamed away, then the new one to its place. Between
//! the two there is no program. So the direction is written to a journal first; whoever starts next
//! ([`Folders::repair`]) finds it and goes on. Every step looks at what is there, so that it can be repeated.
//!
//! ```text
//! program            the program's folder, always complete
//! program.staging    the new version, being put together
//! program.previous   the old version, until the new one has proved itself
//! program.discarded  a new version that did not
//! program.swap       the journal: "forward" or "back"
//! ```

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    durable::{self, with_suffix},
    failure::{Failure, FailureClass},
};

/// The program's folder and its neighbours. All are in one folder, so that renaming works.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The program.
    pub program: PathBuf,
    /// Where the new version is put together.
    pub staging: PathBuf,
    /// Where the old version waits.
    pub previous: PathBuf,
    discarded: PathBuf,
    journal: PathBuf,
}

const FORWARD: &[u8] = b"forward";
const BACK: &[u8] = b"back";

impl Folders {
    /// The neighbours of this program folder.
    #[must_use]
    pub fn beside(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            staging: with_suffix(program, ".staging"),
            previous: with_suffix(program, ".previous"),
            discarded: with_suffix(program, ".discarded"),
            journal: with_suffix(program, ".swap"),
        }
    }

    /// Puts the complete staging folder in the program's place. Done already, it does nothing.
    pub fn swap_in(&self) -> Result<(), Failure> {
        self.repair()?;
        if self.staging.exists() {
            if self.program.exists() {
                // What an earlier update may have left. Gone before the journal says that `previous` counts.
                durable::remove(&self.previous)?;
            }
            durable::write(&self.journal, FORWARD)?;
            self.repair()?;
        }
        Ok(())
    }

    /// Puts the old version back in its place. If it never left it, nothing happens.
    pub fn swap_back(&self) -> Result<(), Failure> {
        self.repair()?;
        if self.previous.exists() {
            durable::write(&self.journal, BACK)?;
            self.repair()?;
        }
        durable::remove(&self.staging)
    }

    /// Ends a swap that a kill broke off. To be called whenever the updater starts, before anything else.
    pub fn repair(&self) -> Result<(), Failure> {
        let journal = durable::absent_as_none(fs::read(&self.journal)).map_err(Failure::io("read", &self.journal))?;
        match journal.as_deref() {
            None => return Ok(()),
            Some(FORWARD) => self.go_forward()?,
            Some(BACK) => self.go_back()?,
            Some(_) => {
                let sentence = format!("{} says neither forward nor back", self.journal.display());
                return Err(Failure::new(FailureClass::Installer, "journal_damaged", sentence));
            }
        }
        durable::remove(&self.journal)
    }

    fn go_forward(&self) -> Result<(), Failure> {
        if self.staging.exists() {
            if self.program.exists() {
                durable::rename(&self.program, &self.previous)?;
            }
            durable::rename(&self.staging, &self.program)?;
        }
        Ok(())
    }

    fn go_back(&self) -> Result<(), Failure> {
        if self.previous.exists() {
            if self.program.exists() {
                durable::remove(&self.discarded)?;
                durable::rename(&self.program, &self.discarded)?;
            }
            durable::rename(&self.previous, &self.program)?;
        }
        durable::remove(&self.discarded)
    }

    /// Removes what an update leaves, once its outcome stands.
    pub fn tidy(&self) -> Result<(), Failure> {
        durable::remove(&self.staging)?;
        durable::remove(&self.previous)?;
        durable::remove(&self.discarded)
    }

    /// Copies what is the customer's from the program's folder to the staging folder: templates, a license file. It is
    /// copied, not moved, so that the old version stays complete; where the new version brings a file of the same
    /// name, the customer's goes before.
    pub fn carry_over(&self, what: &[PathBuf]) -> Result<(), Failure> {
        for path in what {
            copy(&self.program.join(path), &self.staging.join(path))?;
        }
        durable::sync_tree(&self.staging)
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let Some(found) = durable::absent_as_none(fs::metadata(from)).map_err(Failure::io("look at", from))? else {
        return Ok(()); // not every customer has every file
    };
    if found.is_dir() {
        durable::create_folder(to)?;
        for entry in fs::read_dir(from).map_err(Failure::io("list", from))? {
            let name = entry.map_err(Failure::io("list", from))?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        durable::create_folder(folder)?;
    }
    // A link or a read-only file of the new version in this place must not be written through.
    durable::remove(to)?;
    fs::copy(from, to).map(drop).map_err(Failure::io("copy", from))
}
