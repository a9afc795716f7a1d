//! `release.toml`: what `sluice publish` is told about a release. Reading it here checks everything that can be
//! checked without a server, so that a mistake is named, with its line, before a byte is sent. Every key is
//! described in `docs/release-toml.md`.

mod read;
mod written;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::{
    domain::{
        artifact::{ArtifactKind, Filename},
        locale::LanguageTag,
        platform::{Arch, Component, Platform},
        release::{Access, Severity},
        rollout::{Percent, Stage},
        slug::Slug,
        version::{Requirement, Version},
    },
    services::releasing::roll_out::Halt,
};

/// A release as its file describes it. What the file does not say is `None` and left as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFile {
    /// The product it is a release of.
    pub product: Slug,
    /// Its version.
    pub version: Version,
    /// Its channel.
    pub channel: Option<Slug>,
    /// How much it matters.
    pub severity: Option<Severity>,
    /// Who it is for.
    pub access: Option<Access>,
    /// The lowest version that can update straight to it.
    pub min_from: Option<Version>,
    /// The client versions that a server program of this version accepts.
    pub compatible_clients: Option<Requirement>,
    /// What changed, in Markdown by locale; from `[notes]` and `[notes_files]` together.
    pub notes: BTreeMap<LanguageTag, String>,
    /// Its files.
    pub artifacts: Vec<LocalArtifact>,
    /// How it is published.
    pub publish: Publish,
}

/// A file of the release, as it lies on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalArtifact {
    /// Where it lies.
    pub path: PathBuf,
    /// The program it updates.
    pub component: Component,
    /// The operating system it is for.
    pub platform: Platform,
    /// The architecture it is for.
    pub arch: Arch,
    /// Its form.
    pub kind: ArtifactKind,
    /// The name it is offered under.
    pub filename: Filename,
    /// A signature by the vendor's own key: one line, fit for a header.
    pub signature: Option<String>,
}

/// How the release is published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// From when it is offered; `None` is as soon as it is published.
    pub published_at: Option<Timestamp>,
    /// How many get it at first.
    pub percent: Option<Percent>,
    /// How far it opens by itself, and when.
    pub stages: Option<Vec<Stage>>,
    /// When it is halted by itself.
    pub halt: Option<Halt>,
    /// Why it is published although something that the product requires is missing.
    pub force_reason: Option<String>,
}

impl ReleaseFile {
    /// Reads the file and those that it names, other than the artifacts, whose existence alone is checked.
    ///
    /// # Errors
    /// [`ReleaseFileError`] with every mistake that was found.
    pub fn read(path: &Path) -> Result<Self, ReleaseFileError> {
        read::read(path)
    }

    /// Reads the text of such a file in a folder, and the files that it names.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Mistake>> {
        read::read_text(text, folder)
    }
}

/// A `release.toml` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFileError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it, in its order.
    pub mistakes: Vec<Mistake>,
}

/// One mistake in a `release.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line it is on, where that is known.
    pub line: Option<usize>,
    /// The key, such as `artifacts[0].platform`; empty where the file as a whole is meant.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl std::error::Error for ReleaseFileError {}

impl fmt::Display for ReleaseFileError {
    /// One line per mistake, in the form that editors can jump to: `release.toml:12: artifacts[0].platform: …`.
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
