//! What is missing, what exists, and what differs: pure comparisons of `release.toml` with the server's state. Keys
//! that are not in the file are never compared.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Unit;

use super::super::{client::wire, release_file::ReleaseFile};
use crate::domain::{locale::LanguageTag, manifest::Manifest};

/// A local file, and the artifact that it will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub path: PathBuf,
    pub artifact: wire::Artifact,
}

/// The fields that differ on the server. Notes are changed together, so notes in other languages are included.
pub(super) fn changes(file: &ReleaseFile, release: &wire::Release) -> wire::Details {
    let said = file.details.clone();
    let differ = |notes: &BTreeMap<LanguageTag, String>| {
        notes.iter().any(|(locale, text)| release.notes.get(locale) != Some(text))
    };
    wire::Details {
        channel: said.channel.filter(|channel| *channel != release.channel),
        severity: said.severity.filter(|severity| *severity != release.severity),
        access: said.access.filter(|access| *access != release.access),
        min_from: said.min_from.filter(|version| Some(version) != release.min_from.as_ref()),
        compatible_clients: said
            .compatible_clients
            .filter(|requirement| Some(requirement) != release.compatible_clients.as_ref()),
        notes: said.notes.filter(differ).map(|notes| release.notes.clone().into_iter().chain(notes).collect()),
    }
}

/// The names of the fields that change.
pub(super) fn names(changes: &wire::Details) -> Vec<&'static str> {
    let wire::Details { channel, severity, access, min_from, compatible_clients, notes } = changes;
    [
        ("channel", channel.is_some()),
        ("severity", severity.is_some()),
        ("access", access.is_some()),
        ("min_from", min_from.is_some()),
        ("compatible_clients", compatible_clients.is_some()),
        ("notes", notes.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, changes)| changes.then_some(name))
    .collect()
}

/// Whether the server has a file already.
pub(super) fn is_there(ready: &Ready, artifacts: &[wire::Artifact]) -> bool {
    artifacts.iter().any(|artifact| is_same(&ready.artifact, artifact))
}

/// Equal in everything that the file sets; a signature that it does not name may exist.
fn is_same(wanted: &wire::Artifact, found: &wire::Artifact) -> bool {
    let signature = wanted.signature.clone().or_else(|| found.signature.clone());
    wire::Artifact { signature, ..wanted.clone() } == *found
}

/// The server's files that `release.toml` does not list.
pub(super) fn strays(ready: &[Ready], artifacts: &[wire::Artifact]) -> Vec<String> {
    let listed = |artifact: &wire::Artifact| ready.iter().any(|ready| ready.artifact.filename == artifact.filename);
    artifacts.iter().filter(|artifact| !listed(artifact)).map(|artifact| artifact.filename.to_string()).collect()
}

/// The differences between a published release and the file, each as one phrase.
pub(super) fn differences(file: &ReleaseFile, ready: &[Ready], release: &wire::Release) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ =
        |name: &str, said: String, has: String| found.push(format!("{name} is `{has}`, release.toml says `{said}`"));
    let changes = changes(file, release);
    if file.version.to_string() != release.version.to_string() {
        differ("version", file.version.to_string(), release.version.to_string());
    }
    if let Some(channel) = changes.channel {
        differ("channel", channel.to_string(), release.channel.to_string());
    }
    if let Some(severity) = changes.severity {
        differ("severity", severity.to_string(), release.severity.to_string());
    }
    if let Some(access) = changes.access {
        differ("access", access.to_string(), release.access.to_string());
    }
    if let Some(version) = changes.min_from {
        differ("min_from", version.to_string(), or_nothing(release.min_from.as_ref()));
    }
    if let Some(requirement) = changes.compatible_clients {
        differ("compatible_clients", requirement.to_string(), or_nothing(release.compatible_clients.as_ref()));
    }
    // A server may store fewer decimals of a second than were written.
    let second = |at: jiff::Timestamp| at.round(Unit::Second).unwrap_or(at);
    if let Some(at) = file.publish.published_at
        && release.published_at.map(second) != Some(second(at))
    {
        differ("published_at", at.to_string(), or_nothing(release.published_at.as_ref()));
    }
    for (locale, text) in file.details.notes.iter().flatten() {
        match release.notes.get(locale) {
            None => found.push(format!("notes.{locale} are missing")),
            Some(has) if has != text => found.push(format!("notes.{locale} differ")),
            Some(_) => {}
        }
    }
    found.extend(other_files(ready, &release.artifacts));
    found
}

fn or_nothing(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

/// What is wrong in the manifest that the server has signed.
pub(super) fn wrong_in_manifest(file: &ReleaseFile, ready: &[Ready], manifest: &Manifest) -> Vec<String> {
    let mut wrong = Vec::new();
    if (&manifest.product, &manifest.version) != (&file.product, &file.version) {
        wrong.push(format!("it belongs to {} {}", manifest.product, manifest.version));
    }
    let artifacts: Vec<_> = manifest
        .artifacts
        .iter()
        .map(|artifact| wire::Artifact {
            component: artifact.component,
            platform: artifact.platform,
            arch: artifact.arch,
            kind: artifact.kind,
            filename: artifact.filename.clone(),
            size: artifact.size,
            sha256: artifact.sha256,
            signature: artifact.signature.clone(),
        })
        .collect();
    wrong.extend(other_files(ready, &artifacts));
    wrong
}

/// The differences between the expected files and the server's, each as one phrase.
fn other_files(ready: &[Ready], artifacts: &[wire::Artifact]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for Ready { artifact: wanted, .. } in ready {
        let name = &wanted.filename;
        let Some(has) = artifacts.iter().find(|artifact| artifact.filename == *name) else {
            found.push(format!("{name} is missing"));
            continue;
        };
        let place = |artifact: &wire::Artifact| {
            format!("{}, {}, {}, {}", artifact.component, artifact.platform, artifact.arch, artifact.kind)
        };
        if (has.size, has.sha256) != (wanted.size, wanted.sha256) {
            found.push(format!(
                "{name} has other bytes (SHA-256 {}, {} bytes; the local file {}, {} bytes)",
                has.sha256, has.size, wanted.sha256, wanted.size
            ));
        }
        if place(has) != place(wanted) {
            found.push(format!("{name} is for {}; release.toml says {}", place(has), place(wanted)));
        }
        if wanted.signature.is_some() && has.signature != wanted.signature {
            found.push(format!("{name} has another signature"));
        }
    }
    found.extend(strays(ready, artifacts).into_iter().map(|name| format!("{name} is not listed in release.toml")));
    found
}

#[cfg(test)]
mod tests;
