//! Appends to the audit log, and verifies it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;

use crate::{
    domain::{
        actor::Actor,
        audit::{BEGINNING, Damage, Hash, Record, Verifier, hexadecimal},
    },
    signing::KeyRing,
    store::{self, Connection, Store, StoreError, settings::AUDIT_HEAD},
};

/// Entries that are read in one step, to limit the memory that verifying takes.
const AT_ONCE: i64 = 500;

/// Appends the records of a write to the log, and stores a note of the log's head, sealed with the server's keys.
/// Without the keys, a person who can write to the database can neither shorten nor rewrite the log unnoticed. If the
/// log does not match the previous note, the note stays as it is: later entries must not make a damaged log valid.
pub(in crate::services) fn append(
    connection: &mut Connection,
    keys: &KeyRing,
    actor: &Actor,
    records: &[Record],
    now: Timestamp,
) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let (number, hash) = store::audit_log::head(connection)?;
    let is_whole = store::settings::get(connection, AUDIT_HEAD)?.is_some_and(|kept| kept == note(keys, number, &hash));
    let head = store::audit_log::append(connection, (number, hash), actor, records, now)?;
    if !is_whole {
        tracing::error!(
            number,
            "the audit log is not as this server left it; it goes on, and `sluice audit verify` says what is wrong"
        );
        return Ok(());
    }
    store::settings::replace(connection, AUDIT_HEAD, &note(keys, head.0, &head.1))
}

/// The note of an empty log.
pub(in crate::services) fn first_note(keys: &KeyRing) -> String {
    note(keys, 0, &BEGINNING)
}

/// The note of the log's head: number, hash, and a mark that only the keys can make.
fn note(keys: &KeyRing, number: i64, hash: &Hash) -> String {
    let text = format!("{number}:{}", hexadecimal(hash));
    let mark = URL_SAFE_NO_PAD.encode(keys.mark_audit_head(&text));
    format!("{text}:{mark}")
}

/// The reason why a log is not valid.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The log was altered or damaged.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// The note of the head was altered, or was made with other keys.
    #[error("the note of how far the log goes was not made with these keys, or was altered")]
    Note,
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Verifies the whole log in one snapshot, and returns its head. `noted` is a head that was recorded earlier outside of
/// the database: the log must still contain it.
///
/// # Errors
/// [`VerifyError`] for the first thing that is wrong.
pub fn verify(store: &Store, keys: &KeyRing, noted: Option<(i64, Hash)>) -> Result<(i64, Hash), VerifyError> {
    store.long_snapshot(|connection| {
        let mut verifier = Verifier::default();
        loop {
            let entries = store::audit_log::after(connection, verifier.number, AT_ONCE)?;
            if entries.is_empty() {
                break;
            }
            for stored in &entries {
                verifier.next(&stored.entry, &stored.hash)?;
                if noted.is_some_and(|(number, hash)| number == verifier.number && hash != verifier.hash) {
                    return Err(Damage::Rewritten(verifier.number).into());
                }
            }
        }
        let (found, hash) = (verifier.number, verifier.hash);
        if let Some((expected, _)) = noted.filter(|(number, _)| *number > found) {
            return Err(Damage::Shortened { found, expected }.into());
        }
        let kept = store::settings::get(connection, AUDIT_HEAD)?;
        if kept.as_deref() != Some(note(keys, found, &hash).as_str()) {
            return Err(shortened(keys, kept.as_deref(), found));
        }
        Ok((found, hash))
    })
}

/// The error for a note that does not match the log: either a genuine note says that the log was longer, or the note
/// itself is invalid.
fn shortened(keys: &KeyRing, kept: Option<&str>, found: i64) -> VerifyError {
    let read = kept.and_then(|kept| {
        let (text, mark) = kept.rsplit_once(':')?;
        let genuine = URL_SAFE_NO_PAD.encode(keys.mark_audit_head(text)) == mark;
        let expected: i64 = text.split_once(':')?.0.parse().ok()?;
        (genuine && expected > found).then_some(expected)
    });
    match read {
        Some(expected) => Damage::Shortened { found, expected }.into(),
        None => VerifyError::Note,
    }
}
