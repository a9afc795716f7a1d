//! `release.toml`: the description of a release for `sluice publish`. Everything that needs no server is checked here,
//! so that a mistake is named with its line before anything is sent. `docs/release-toml.md` describes the keys.

mod read;
mod written;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::client::wire::Details;
use crate::{
    domain::{
        artifact::{ArtifactKind, Filename},
        platform::{Arch, Component, Platform},
        rollout::{Percent, Stage},
        slug::Slug,
        version::Version,
    },
    services::releasing::roll_out::Halt,
};

/// A release as its file describes it. A key that is missing is `None`; the server's value stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFile {
    pub product: Slug,
    pub version: Version,
    /// Its editable fields. The notes are those of `[notes]` and `[notes_files]` together.
    pub details: Details,
    pub artifacts: Vec<LocalArtifact>,
    pub publish: Publish,
}

/// A local file of the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalArtifact {
    pub path: PathBuf,
    pub component: Component,
    pub platform: Platform,
    pub arch: Arch,
    pub kind: ArtifactKind,
    pub filename: Filename,
    /// A signature by the vendor's own key: one line that fits a header.
    pub signature: Option<String>,
}

/// How the release is published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// From when it is offered; `None` for at once.
    pub published_at: Option<Timestamp>,
    /// The first percentage of sites.
    pub percent: Option<Percent>,
    /// Further stages and their times.
    pub stages: Option<Vec<Stage>>,
    /// When the rollout is halted automatically.
    pub halt: Option<Halt>,
    /// Why it is published although something required is missing.
    pub force_reason: Option<String>,
}

impl ReleaseFile {
    /// Reads the file and the files that it names. Of artifacts it only checks that they exist.
    ///
    /// # Errors
    /// [`ReleaseFileError`] with all mistakes.
    pub fn read(path: &Path) -> Result<Self, ReleaseFileError> {
        read::read(path)
    }

    /// Reads the text of such a file in a folder, and the files that it names.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Mistake>> {
        read::read_text(text, folder)
    }
}

/// A `release.toml` with mistakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFileError {
    pub file: PathBuf,
    /// The mistakes in the order of the file.
    pub mistakes: Vec<Mistake>,
}

/// One mistake in a `release.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, if known.
    pub line: Option<usize>,
    /// The key, such as `artifacts[0].platform`; empty for the file as a whole.
    pub key: String,
    /// What is wrong, and what is expected.
    pub message: String,
}

impl std::error::Error for ReleaseFileError {}

impl fmt::Display for ReleaseFileError {
    /// One line per mistake, in a form that editors can jump to: `release.toml:12: artifacts[0].platform: …`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{}:", self.file.display())?;
            if let Some(line) = mistake.line {
                write!(formatter, "{line}:")?;
            }
            if !mistake.key.is_empty() {
                write!(formatter, " {}:", mistake.key)?;
            }
            write!(formatter, " {}", mistake.message)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
