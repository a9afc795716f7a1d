//! What the updater knows about the program that it updates.
//!
//! For the example a program is a folder with a file `VERSION`, and a file `self_test` that may say `fail`. Yours asks
//! its own executable (`office --version`, `office --self-test`) or its service manager.

use std::{fs, path::Path};

use semver::Version;

use super::{
    durable,
    failure::{Failure, FailureClass},
};

/// The version of the program in a folder.
pub fn version(program: &Path) -> Result<Version, Failure> {
    let path = program.join("VERSION");
    let text = fs::read_to_string(&path).map_err(Failure::io("read", &path))?;
    text.trim().parse().map_err(|error| {
        let sentence = format!("{} holds no version: {error}", path.display());
        Failure::new(FailureClass::Installer, "version_unreadable", sentence)
    })
}

/// Whether a folder holds this version. Build metadata counts: it is another build of the program.
pub fn is_version(program: &Path, expected: &Version) -> Result<(), Failure> {
    let found = version(program).map_err(|failure| failure.seen_as(FailureClass::Installer))?;
    if found == *expected {
        return Ok(());
    }
    let sentence = format!("{} holds version {found} where {expected} should be", program.display());
    Err(Failure::new(FailureClass::Installer, "version_mismatch", sentence))
}

/// Whether the program starts.
pub fn starts(program: &Path) -> Result<(), Failure> {
    let path = program.join("self_test");
    let verdict = durable::absent_as_none(fs::read_to_string(&path)).map_err(Failure::io("read", &path))?;
    match verdict.as_deref().map(str::trim) {
        Some("fail") => {
            Err(Failure::new(FailureClass::ServiceStart, "self_test_failed", "the new version does not start"))
        }
        _ => Ok(()),
    }
}
