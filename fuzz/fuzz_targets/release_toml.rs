//! `release.toml`: what is taken says what the file says, and what is refused is on one of its lines.
#![no_main]

use std::{fs, sync::LazyLock};

use libfuzzer_sys::{Corpus, fuzz_target};
use sluice::cli::release_file::ReleaseFile;
use tempfile::TempDir;

/// A folder with the files that the seeds name.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a.zip", "b.zip", "notes.md", "a.sig"] {
        fs::write(folder.path().join(name), "a text\n").expect("a file");
    }
    folder
});

fuzz_target!(|text: &str| -> Corpus {
    // No other files of this machine.
    if text.contains('/') || text.contains("\\u") || text.contains("\\U") || text.contains("\\x") {
        return Corpus::Reject;
    }
    match ReleaseFile::parse(text, FOLDER.path()) {
        Ok(release) => {
            let table: toml::Table = text.parse().expect("TOML");
            assert_eq!(table["product"].as_str(), Some(release.product.as_str()));
            assert_eq!(table["version"].as_str().expect("a text").parse(), Ok(release.version));
            assert_eq!(table["artifacts"].as_array().expect("a list").len(), release.artifacts.len());
            assert!(!release.artifacts.is_empty());
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                assert!(!mistake.message.is_empty());
                assert!(
                    mistake.line.is_none_or(|line| (1..=text.matches('\n').count() + 1).contains(&line)),
                    "{mistake:?}"
                );
            }
        }
    }
    Corpus::Keep
});
