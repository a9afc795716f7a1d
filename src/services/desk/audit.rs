//! The audit log, looked at and verified.

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

/// Entries that are read at once.
const AT_ONCE: i64 = 500;

/// Adds what a write has changed to the log, and notes how far the log goes, under the server's secret: who can write the
/// database but has not got the keys can neither end the log earlier nor write it anew. Where the log is not as it was noted
/// before, that note stays: what came afterwards must not make it good.
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

/// The note of a log in which nothing is yet.
pub(in crate::services) fn first_note(keys: &KeyRing) -> String {
    note(keys, 0, &BEGINNING)
}

/// How far the log goes, as it is noted: number, hash, and a mark that only the keys can make.
fn note(keys: &KeyRing, number: i64, hash: &Hash) -> String {
    let text = format!("{number}:{}", hexadecimal(hash));
    let mark = URL_SAFE_NO_PAD.encode(keys.mark_audit_head(&text));
    format!("{text}:{mark}")
}

/// Why a log is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It was tampered with, or damaged.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// The note of how far it goes was tampered with, or belongs to other keys.
    #[error("the note of how far the log goes was not made with these keys, or was altered")]
    Note,
    /// The database cannot be read.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Goes through the whole log, as it is at one moment; returns its head. `noted` is a head that somebody wrote down earlier: the
/// log must still have it.
///
/// # Errors
/// [`VerifyError`] with the first thing that is wrong.
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

/// What a note that does not fit the log says.
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
