//! The bodies that tests read most, typed: a field that is missing, misspelt or new fails where it is read.

use jiff::Timestamp;
use serde::Deserialize;

/// The answer to a check.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckAnswer {
    pub status: String,
    pub reason: Option<String>,
    pub message: String,
    pub channel: String,
    pub checked_at: Timestamp,
    pub next_check_after: i64,
    pub current: Current,
    pub update: Option<Update>,
    pub newer: Option<Newer>,
    pub next_window_at: Option<Timestamp>,
    pub subscription: Option<Cover>,
    pub help_url: Option<String>,
}

impl CheckAnswer {
    /// The status with its reason.
    pub fn verdict(&self) -> (&str, Option<&str>) {
        (&self.status, self.reason.as_deref())
    }

    /// The version on offer.
    pub fn version(&self) -> Option<&str> {
        self.update.as_ref().map(|update| update.version.as_str())
    }

    /// The offer; the test fails without one.
    #[track_caller]
    pub fn offer(&self) -> &Update {
        self.update.as_ref().unwrap_or_else(|| panic!("no offer: {self:?}"))
    }

    /// The link to the file on offer; the test fails without one.
    #[track_caller]
    pub fn link(&self) -> &str {
        &self.offer().artifact.as_ref().unwrap_or_else(|| panic!("no file: {self:?}")).url
    }
}

/// The version in use.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Current {
    pub version: String,
    pub yanked: bool,
    pub supported: bool,
}

/// An offer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    pub version: String,
    pub channel: String,
    pub published_at: Option<Timestamp>,
    pub severity: String,
    pub mandatory: bool,
    pub applies_to: String,
    pub path: Vec<String>,
    pub notes: Vec<Note>,
    pub artifact: Option<File>,
    pub companions: Vec<File>,
}

/// The notes of one release in one language.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    pub version: String,
    pub locale: String,
    pub markdown: String,
}

/// A file to download.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub id: uuid::Uuid,
    pub component: String,
    pub platform: String,
    pub arch: String,
    pub kind: String,
    pub filename: String,
    pub size: u64,
    pub sha256: String,
    pub signature: Option<String>,
    pub url: String,
    pub url_expires_at: Timestamp,
}

/// A release that the subscription does not cover.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newer {
    pub version: String,
    pub published_at: Option<Timestamp>,
}

/// The subscription behind the license key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cover {
    pub status: String,
    pub ends_on: Option<String>,
    pub renew_url: Option<String>,
}

/// A rollout.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    pub state: String,
    pub percent: f64,
    pub reason: Option<String>,
    pub stages: Vec<Stage>,
    pub halt: Halt,
    /// Only where the rollout is read by itself.
    pub votes: Option<Votes>,
}

/// A stage of a rollout.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    pub percent: f64,
    pub after_hours: f64,
    pub opened: bool,
    pub opens_at: Option<Timestamp>,
}

impl Stage {
    /// Whether it opens at a moment whose text begins like this, such as `2030-03-02T08:0`.
    pub fn opens(&self, at: &str) -> bool {
        self.opens_at.is_some_and(|opens_at| opens_at.to_string().starts_with(at))
    }
}

/// When a rollout is halted by itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halt {
    pub failure_rate: Option<f64>,
    pub min_reports: Option<u32>,
    pub data_loss_reports: u32,
}

/// What subscriptions report of a release.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Votes {
    pub succeeded: u32,
    pub failed: u32,
    pub data_loss: u32,
}

/// A problem document (RFC 9457).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    pub r#type: String,
    pub title: String,
    pub status: u16,
    pub code: String,
    pub detail: String,
    #[serde(default)]
    pub errors: Vec<Fault>,
}

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub field: String,
    pub message: String,
    /// The kind of finding, of a release that should not be published as it is.
    pub code: Option<String>,
}
