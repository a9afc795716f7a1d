//! A decision in plain words, so that it can be compared with what a table or the reference says.

use sluice::domain::decision::report::Decision;

use super::world::name;

/// What the one who asks is told, each thing by its name on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: String,
    pub reason: Option<String>,
    pub channel: String,
    pub update: Option<Update>,
    pub newer: Option<String>,
    pub next_window_at: Option<String>,
}

/// What is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    pub version: String,
    pub applies_to: String,
    pub mandatory: bool,
    pub path: Vec<String>,
    pub notes: Vec<String>,
    pub artifact: Option<String>,
    pub companions: Vec<String>,
}

impl Answer {
    /// The answer in a decision.
    pub fn of(decision: &Decision<'_>) -> Self {
        Self {
            status: decision.status.to_string(),
            reason: decision.reason.map(|reason| reason.to_string()),
            channel: decision.channel.to_string(),
            update: decision.offer.as_ref().map(|offer| Update {
                version: offer.release.version.to_string(),
                applies_to: offer.applies_to.to_string(),
                mandatory: offer.mandatory,
                path: offer.path.iter().map(ToString::to_string).collect(),
                notes: offer.notes.iter().map(|release| release.version.to_string()).collect(),
                artifact: offer.artifact.map(name),
                companions: offer.companions.iter().map(|artifact| name(artifact)).collect(),
            }),
            newer: decision.newer.map(|release| release.version.to_string()),
            next_window_at: decision.next_window_at.map(|at| at.to_string()),
        }
    }
}
