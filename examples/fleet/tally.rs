//! What became of all sites.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{Arguments, updater::failure::Failure};

/// The counts.
#[derive(Debug, Default, Serialize)]
pub struct Tally {
    /// Sites that got an answer.
    checked: u32,
    /// That were offered the update.
    offered: u32,
    /// That began to install it.
    took: u32,
    /// At which it works.
    succeeded: u32,
    /// At which it does not.
    failed: u32,
    /// That were offered nothing, by the reason they were given.
    held_back: BTreeMap<String, u32>,
    /// That got no answer, by the code of the failure.
    unanswered: BTreeMap<String, u32>,
    /// Whose reports could not all be sent.
    unsent: u32,
    /// When a site was first told that the release is halted.
    halt: Option<Halt>,
}

/// A halt, as the sites noticed it.
#[derive(Debug, Serialize)]
struct Halt {
    /// So many seconds after the start.
    first_seen_after: f64,
    /// So many sites had begun to install by then. Those that had been offered it before go on.
    took: u32,
}

impl Tally {
    pub fn offered(&mut self) {
        self.checked += 1;
        self.offered += 1;
    }

    pub fn took(&mut self) {
        self.took += 1;
    }

    pub fn ended(&mut self, well: bool, sent: bool) {
        if well {
            self.succeeded += 1;
        } else {
            self.failed += 1;
        }
        self.unsent += u32::from(!sent);
    }

    pub fn held_back(&mut self, reason: &str, after: Duration) {
        self.checked += 1;
        *self.held_back.entry(reason.to_owned()).or_default() += 1;
        if reason == "rollout_halted" {
            let took = self.took;
            self.halt.get_or_insert(Halt { first_seen_after: after.as_secs_f64(), took });
        }
    }

    pub fn unanswered(&mut self, failure: &Failure) {
        *self.unanswered.entry(failure.code.to_string()).or_default() += 1;
    }

    /// For programs.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// For people.
    pub fn table(&self, fleet: &Arguments) -> String {
        let mut lines = vec![format!(
            "{} {}; the update fails at {:.1} % of all sites\n",
            fleet.product,
            fleet.from,
            fleet.failure_rate * 100.0
        )];
        let mut line = |name: &str, count: u32, more: String| {
            lines.push(format!("{name:<12}{count:>8}  {more}").trim_end().to_owned());
        };
        let listed = |counts: &BTreeMap<String, u32>| {
            let listed: Vec<String> = counts.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            listed.join(", ")
        };
        line("checked", self.checked, String::new());
        line("offered", self.offered, String::new());
        line("took it", self.took, String::new());
        line("succeeded", self.succeeded, String::new());
        line("failed", self.failed, String::new());
        line("held back", self.held_back.values().sum(), listed(&self.held_back));
        line("unanswered", self.unanswered.values().sum(), listed(&self.unanswered));
        line("unsent", self.unsent, String::new());
        lines.push(match &self.halt {
            Some(Halt { first_seen_after, took }) => {
                format!("\nhalt first seen after {first_seen_after:.1} s, when {took} sites had taken it")
            }
            None => "\nno halt was seen".to_owned(),
        });
        lines.join("\n")
    }
}
