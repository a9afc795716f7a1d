//! What `sluice publish` did, for people and for scripts.

use std::fmt;

use indicatif::HumanBytes;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::{client::wire, failure::Failure, release_file::ReleaseFile},
    plan::Ready,
};
use crate::domain::{release::ReleaseState, slug::Slug, version::Version};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// Published by this run.
    Published,
    /// It was published already, and is the same.
    Unchanged,
    /// It was published already, and differs from the file.
    Different,
    /// The draft is complete.
    Draft,
    /// The draft is complete, and a second person has to approve its publication.
    AwaitingApproval,
}

/// An approval request that waits for a second person.
#[derive(Debug, Serialize)]
pub(super) struct Awaited {
    pub id: String,
    pub address: String,
    pub expires_at: Timestamp,
}

/// What was done. `--json` prints it as it is.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    product: Slug,
    version: Version,
    pub outcome: Outcome,
    channel: Option<Slug>,
    published_at: Option<Timestamp>,
    pub manifest_revision: Option<i64>,
    pub approval: Option<Awaited>,
    pub created: bool,
    pub changed: Vec<&'static str>,
    uploaded: Vec<String>,
    already_there: Vec<String>,
    bytes_uploaded: u64,
    /// Files of the draft that `release.toml` does not list.
    pub strays: Vec<String>,
    pub differences: Vec<String>,
}

impl Report {
    /// A report of a run that has done nothing yet.
    pub fn new(file: &ReleaseFile) -> Self {
        Self {
            product: file.product.clone(),
            version: file.version.clone(),
            outcome: Outcome::Unchanged,
            channel: None,
            published_at: None,
            manifest_revision: None,
            approval: None,
            created: false,
            changed: Vec::new(),
            uploaded: Vec::new(),
            already_there: Vec::new(),
            bytes_uploaded: 0,
            strays: Vec::new(),
            differences: Vec::new(),
        }
    }

    /// Notes that a file was uploaded.
    pub fn uploaded(&mut self, ready: &Ready) {
        self.uploaded.push(ready.artifact.filename.to_string());
        self.bytes_uploaded = self.bytes_uploaded.saturating_add(ready.artifact.size);
    }

    /// Notes that a file existed already. Uploads of an earlier round are found again in a later one; they are not
    /// counted twice.
    pub fn already_there(&mut self, ready: &Ready) {
        let name = ready.artifact.filename.to_string();
        if !self.uploaded.contains(&name) && !self.already_there.contains(&name) {
            self.already_there.push(name);
        }
    }

    /// Notes the final state of the release.
    pub fn conclude(&mut self, release: &wire::Release) {
        self.channel = Some(release.channel.clone());
        self.published_at = release.published_at;
        let something_done = self.created || !self.changed.is_empty() || !self.uploaded.is_empty();
        self.outcome = match release.state {
            ReleaseState::Draft if self.approval.is_some() => Outcome::AwaitingApproval,
            ReleaseState::Draft => Outcome::Draft,
            _ if !self.differences.is_empty() => Outcome::Different,
            // The answer to the publication was lost; the next round found it published.
            _ if something_done => Outcome::Published,
            _ => self.outcome,
        };
    }

    /// Fails if the server's release differs from the file.
    pub fn result(&self) -> Result<(), Failure> {
        match self.differences.as_slice() {
            [] => Ok(()),
            differences => Err(Failure { exit_code: 3, message: self.refusal(differences) }),
        }
    }

    /// Why the published release cannot be made like the file.
    fn refusal(&self, differences: &[String]) -> String {
        let list = differences.join(
            "
  - ",
        );
        let hint = "What is published keeps its files for good: publish them as a higher version. \
            Notes, severity, access and compatible_clients can be corrected on the server.";
        format!(
            "{} {} is published already and differs from release.toml:\n  - {list}\n{hint}",
            self.product, self.version
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { product, version, .. } = self;
        let channel = self.channel.as_ref().map(|channel| format!(" on {channel}")).unwrap_or_default();
        match self.outcome {
            Outcome::AwaitingApproval => {
                write!(
                    formatter,
                    "{product} {version} is complete{channel}, and published once a second person approves it"
                )?;
            }
            Outcome::Published => match self.published_at {
                Some(at) if at > crate::clock::Clock::now(&crate::clock::SystemClock) => {
                    write!(formatter, "{product} {version} is published{channel}, to be offered from {at} on")?;
                }
                _ => write!(formatter, "{product} {version} is published{channel}")?,
            },
            Outcome::Unchanged => {
                return write!(
                    formatter,
                    "nothing to do: {product} {version} is published{channel} already, as release.toml says"
                );
            }
            Outcome::Different => return write!(formatter, "nothing was changed"),
            Outcome::Draft if !self.created && self.changed.is_empty() && self.uploaded.is_empty() => {
                write!(formatter, "nothing to do: the draft {product} {version} is complete{channel}")?;
            }
            Outcome::Draft => {
                write!(formatter, "the draft {product} {version} is complete{channel}; it is not published yet")?;
            }
        }
        write!(formatter, ": {} uploaded ({})", self.uploaded.len(), HumanBytes(self.bytes_uploaded))?;
        write!(formatter, ", {} there already", self.already_there.len())?;
        if let Some(Awaited { address, expires_at, .. }) = &self.approval {
            write!(formatter, "\nto be approved until {expires_at}: POST {address}/approve")?;
        }
        if !self.strays.is_empty() {
            write!(
                formatter,
                "\nthe draft also has files that release.toml does not list: {}",
                self.strays.join(", ")
            )?;
        }
        Ok(())
    }
}
