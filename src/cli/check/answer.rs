//! The answer to a check as text for a terminal: one name and value per line, aligned.

use std::fmt::{self, Write as _};

use indicatif::HumanBytes;
use jiff::{Timestamp, civil::Date};
use serde::Deserialize;

use super::super::client::error::one_line;
use crate::domain::{
    decision::reason::Status,
    platform::{Arch, Component, Platform},
    release::Severity,
};

/// The fields of an answer that are shown. Versions and names are shown unparsed.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    status: Status,
    reason: Option<String>,
    message: String,
    channel: String,
    checked_at: Timestamp,
    next_check_after: u64,
    current: Current,
    update: Option<Update>,
    newer: Option<Newer>,
    next_window_at: Option<Timestamp>,
    subscription: Option<Subscription>,
    help_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Current {
    version: String,
    yanked: bool,
    supported: bool,
}

#[derive(Debug, Deserialize)]
struct Update {
    version: String,
    channel: String,
    published_at: Timestamp,
    severity: Severity,
    mandatory: bool,
    applies_to: Component,
    path: Vec<String>,
    notes: Vec<Notes>,
    artifact: Option<Artifact>,
    #[serde(default)]
    companions: Vec<Artifact>,
}

#[derive(Debug, Deserialize)]
struct Notes {
    version: String,
    locale: String,
    markdown: String,
}

#[derive(Debug, Deserialize)]
struct Artifact {
    component: Component,
    platform: Platform,
    arch: Arch,
    filename: String,
    size: u64,
    sha256: String,
    url: String,
    url_expires_at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Newer {
    version: String,
    published_at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Subscription {
    status: String,
    ends_on: Option<Date>,
    renew_url: Option<String>,
}

impl Answer {
    /// The exit code of the answer's status; the help lists them.
    pub(super) const fn exit_code(&self) -> u8 {
        match self.status {
            Status::UpToDate | Status::Managed => 0,
            Status::UpdateAvailable => 10,
            Status::Deferred => 11,
            Status::NotEntitled => 12,
            Status::Incompatible => 13,
            Status::Blocked => 14,
        }
    }
}

/// Prints lines of a name and a value.
struct Table<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Table<'_, '_> {
    fn line(&mut self, name: &str, value: impl fmt::Display) -> fmt::Result {
        // The server's text without its control characters, because it goes to a terminal.
        writeln!(self.0, "{name:<14} {}", one_line(&value.to_string()))
    }

    fn optional(&mut self, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
        value.map_or(Ok(()), |value| self.line(name, value))
    }

    fn artifact(&mut self, name: &str, artifact: &Artifact) -> fmt::Result {
        let Artifact { component, platform, arch, filename, size, .. } = artifact;
        self.line(name, format_args!("{filename} ({component}, {platform}, {arch}, {})", HumanBytes(*size)))?;
        self.line("  sha256", &artifact.sha256)?;
        self.line("  url", &artifact.url)?;
        self.line("  valid until", artifact.url_expires_at)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &mut Table(formatter);
        let Current { version, yanked, supported } = &self.current;
        let mut current = version.clone();
        for (applies, word) in [(*yanked, ", withdrawn"), (!*supported, ", no longer supported")] {
            current.push_str(if applies { word } else { "" });
        }
        table.line("status", self.status)?;
        table.optional("reason", self.reason.as_ref())?;
        table.line("message", &self.message)?;
        table.line("current", current)?;
        table.line("channel", &self.channel)?;
        if let Some(update) = &self.update {
            let mandatory = if update.mandatory { ", mandatory" } else { "" };
            table.line(
                "update",
                format_args!(
                    "{} for the {} ({}, {}{mandatory})",
                    update.version, update.applies_to, update.channel, update.severity
                ),
            )?;
            table.line("published", update.published_at)?;
            table.line("path", update.path.join(" -> "))?;
            if let Some(artifact) = &update.artifact {
                table.artifact("file", artifact)?;
            }
            for companion in &update.companions {
                table.artifact("with it", companion)?;
            }
        }
        if let Some(newer) = &self.newer {
            table.line("newer", format_args!("{} (published {})", newer.version, newer.published_at))?;
        }
        table.optional("next window", self.next_window_at)?;
        if let Some(Subscription { status, ends_on, renew_url }) = &self.subscription {
            let mut line = status.clone();
            if let Some(day) = ends_on {
                write!(line, ", until {day}")?;
            }
            table.line("subscription", line)?;
            table.optional("renew", renew_url.as_ref())?;
        }
        table.optional("help", self.help_url.as_ref())?;
        table.line("checked", self.checked_at)?;
        table.line("check again", format_args!("after {} s", self.next_check_after))?;
        for Notes { version, locale, markdown } in self.update.iter().flat_map(|update| &update.notes) {
            writeln!(table.0, "\nnotes of {} ({})", one_line(version), one_line(locale))?;
            for line in markdown.lines() {
                let shown: String = line.chars().filter(|letter| !letter.is_control()).collect();
                writeln!(table.0, "{}", format!("  {shown}").trim_end())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: &str, rest: serde_json::Value) -> Answer {
        let mut answer = json!({
            "status": status, "message": "A message.", "channel": "stable", "checked_at": "2026-07-01T08:00:00Z",
            "next_check_after": 86400, "current": {"version": "12.4.0", "yanked": false, "supported": true},
        });
        let (Some(all), serde_json::Value::Object(rest)) = (answer.as_object_mut(), rest) else { panic!("objects") };
        all.extend(rest);
        serde_json::from_value(answer).expect("an answer")
    }

    #[test]
    fn an_offer_is_shown_with_all_that_belongs_to_it() {
        let artifact = json!({
            "id": "0199a0de-0000-7000-8000-000000000001", "component": "standalone", "platform": "windows", "arch": "x86_64",
            "kind": "installer", "filename": "setup.exe", "size": 1_572_864, "sha256": "e3b0", "signature": null,
            "url": "http://127.0.0.1:8080/d/setup.exe?token=x", "url_expires_at": "2026-07-01T08:15:00Z",
        });
        let update = json!({
            "version": "13.0.0", "channel": "stable", "published_at": "2026-06-30T07:00:00Z", "severity": "critical",
            "mandatory": true, "applies_to": "standalone", "path": ["12.9.0", "13.0.0"], "artifact": artifact, "companions": [],
            "notes": [{"version": "13.0.0", "locale": "en", "markdown": "# New\n\n- Fast\u{1b}[31m\r\n"}],
        });
        let shown = answer(
            "update_available",
            json!({
                "update": update, "newer": {"version": "14.0.0", "published_at": "2026-07-01T07:00:00Z"},
                "current": {"version": "12.4.0", "yanked": true, "supported": false},
                "subscription": {"status": "expired", "ends_on": "2026-06-30", "renew_url": "https://example.com/renew"},
            }),
        );
        assert_eq!(shown.exit_code(), 10);
        let expected = "\
status         update_available
message        A message.
current        12.4.0, withdrawn, no longer supported
channel        stable
update         13.0.0 for the standalone (stable, critical, mandatory)
published      2026-06-30T07:00:00Z
path           12.9.0 -> 13.0.0
file           setup.exe (standalone, windows, x86_64, 1.50 MiB)
  sha256       e3b0
  url          http://127.0.0.1:8080/d/setup.exe?token=x
  valid until  2026-07-01T08:15:00Z
newer          14.0.0 (published 2026-07-01T07:00:00Z)
subscription   expired, until 2026-06-30
renew          https://example.com/renew
checked        2026-07-01T08:00:00Z
check again    after 86400 s

notes of 13.0.0 (en)
  # New

  - Fast[31m
";
        assert_eq!(shown.to_string(), expected);
    }

    #[test]
    fn an_answer_without_an_offer_is_short() {
        let shown = answer(
            "deferred",
            json!({"reason": "outside_maintenance_window", "next_window_at": "2026-07-02T23:00:00Z"}),
        );
        assert_eq!(shown.exit_code(), 11);
        let expected = "\
status         deferred
reason         outside_maintenance_window
message        A message.
current        12.4.0
channel        stable
next window    2026-07-02T23:00:00Z
checked        2026-07-01T08:00:00Z
check again    after 86400 s
";
        assert_eq!(shown.to_string(), expected);
    }

    #[test]
    fn every_status_with_something_to_do_has_its_own_exit_code() {
        let mut codes: Vec<_> =
            Status::ALL.iter().map(|status| answer(status.as_str(), json!({})).exit_code()).collect();
        codes.sort_unstable();
        assert_eq!(codes, [0, 0, 10, 11, 12, 13, 14]);
    }
}
