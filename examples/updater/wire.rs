//! The shapes of the update server's answers and of the reports sent to it.
//!
//! Fields that an updater has no use for are left out, and unknown ones are ignored: the server may learn to say
//! more without breaking programs that are already with customers.

use std::fmt;

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::failure::Failure;

/// Which program is asking, or is to be updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// A single-user program.
    Standalone,
    /// The server program of a multi-user or hosted installation.
    Server,
    /// The client program of one.
    Client,
}

/// Who wants the check. A person's wish may pass a staged rollout, a start-up's does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The program started.
    Startup,
    /// A person asked, or scheduled the update.
    Manual,
    /// The clock.
    Scheduled,
}

/// The server program that a client program works with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerProgram {
    /// Its version.
    pub version: Version,
    /// Its operating system.
    pub platform: String,
    /// Its machine.
    pub arch: String,
}

/// One check, as far as it is not fixed by the configuration.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who asks.
    pub component: Component,
    /// The version that is installed.
    pub version: Version,
    /// Why now.
    pub trigger: Trigger,
    /// A client's server.
    pub server: Option<ServerProgram>,
}

/// What the server answered.
#[derive(Clone, Debug, Deserialize)]
pub struct Answer {
    /// The answer in one word.
    pub status: Status,
    /// Why, as a code.
    pub reason: Option<String>,
    /// Why, as a sentence in the user's language: show this one.
    pub message: String,
    /// The update, with `update_available`.
    pub update: Option<Offer>,
    /// What a valid subscription would bring.
    pub newer: Option<Newer>,
    /// When a hosted server's window opens, with `deferred`.
    pub next_window_at: Option<Timestamp>,
    /// The customer's subscription.
    pub subscription: Option<Subscription>,
    /// Where to send a user whose update failed.
    pub help_url: Option<String>,
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// There is an update.
    UpdateAvailable,
    /// There is none.
    UpToDate,
    /// There is one that the subscription does not cover.
    NotEntitled,
    /// There is one, but not now.
    Deferred,
    /// Somebody else sees to it.
    Managed,
    /// No client fits the server program.
    Incompatible,
    /// The vendor has stopped updates.
    Blocked,
    /// A word from a newer server. Treat it as 'nothing to do'.
    #[serde(other)]
    Unknown,
}

/// An update that is offered.
#[derive(Clone, Debug, Deserialize)]
pub struct Offer {
    /// To this version.
    pub version: Version,
    /// It cannot be put off.
    #[serde(default)]
    pub mandatory: bool,
    /// Which program is to be updated: not always the one that asked.
    pub applies_to: Component,
    /// What is new, newest first.
    #[serde(default)]
    pub notes: Vec<Notes>,
    /// The file. Absent when another program than the asking one is to be updated.
    pub artifact: Option<Artifact>,
}

/// What is new in one version.
#[derive(Clone, Debug, Deserialize)]
pub struct Notes {
    /// The version.
    pub version: Version,
    /// The text.
    pub markdown: String,
}

/// A file of a release.
#[derive(Clone, Debug, Deserialize)]
pub struct Artifact {
    /// Its id.
    pub id: Uuid,
    /// Bytes.
    pub size: u64,
    /// Of its content.
    pub sha256: Sha256,
    /// Where it is, for a short while.
    pub url: String,
}

/// A version that the customer could have.
#[derive(Clone, Debug, Deserialize)]
pub struct Newer {
    /// The version.
    pub version: Version,
}

/// What an About box shows.
#[derive(Clone, Debug, Deserialize)]
pub struct Subscription {
    /// `active`, `grace`, `expired` …
    pub status: String,
    /// The last day; none for a subscription without end.
    pub ends_on: Option<String>,
    /// Where to renew it.
    pub renew_url: Option<String>,
}

/// The signed description of a published release. Only what is checked here.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    /// The product's slug.
    pub product: String,
    /// The release's version.
    pub version: Version,
    /// Its files.
    pub artifacts: Vec<ManifestArtifact>,
}

/// A file in a manifest.
#[derive(Clone, Debug, Deserialize)]
pub struct ManifestArtifact {
    /// Its id.
    pub id: Uuid,
    /// The program it updates.
    pub component: Component,
    /// Bytes.
    pub size: u64,
    /// Of its content.
    pub sha256: Sha256,
}

/// How far an update has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A person set a time.
    Scheduled,
    /// The download has begun.
    Downloading,
    /// The file is there and verified.
    Downloaded,
    /// The database is being saved.
    BackingUp,
    /// Users are being disconnected.
    Draining,
    /// Files are being replaced.
    Installing,
    /// The database is being changed.
    Migrating,
    /// It is over.
    Ended,
}

/// How an update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The new version runs.
    Succeeded,
    /// It did not work, and neither does the old version.
    Failed,
    /// It did not work, and the old version runs.
    RolledBack,
    /// It was given up before anything was changed.
    Cancelled,
}

/// One line of the story of an update, for the vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The run, the same in all of its reports.
    pub run: Uuid,
    /// The installation.
    pub installation: Uuid,
    /// The product's slug.
    pub product: String,
    /// The program that is updated.
    pub component: Component,
    /// From this version
    pub from_version: Version,
    /// to this one.
    pub to_version: Version,
    /// How far it has come.
    pub stage: Stage,
    /// How it ended, with `ended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// When a person wants it to happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled_for: Option<Timestamp>,
    /// Who gets an e-mail at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_email: Option<String>,
    /// The language of that e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// When this was so, by this machine's clock: it may be sent much later.
    pub at: Timestamp,
}

/// The SHA-256 of a file, 64 lower-case hexadecimal digits. Being checked, it can safely name a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Sha256(String);

impl Sha256 {
    /// Of these 32 bytes.
    #[must_use]
    pub fn of_digest(digest: &[u8]) -> Self {
        Self(digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sha256 {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err("a SHA-256 has 64 hexadecimal digits")
        }
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
