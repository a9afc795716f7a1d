//! The audit log: who changed what. Each entry contains the hash of the previous one, so that no entry can be altered
//! or removed unnoticed.

use aws_lc_rs::digest;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{actor::Actor, id::ProductId, subject::Subject};

/// A change to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was done, such as `release.publish` or `subscription.suspend`.
    pub action: &'static str,
    /// What was changed.
    pub subject: Subject,
    pub product: Option<ProductId>,
    /// What was changed and why. Never contains a secret.
    pub details: Value,
}

impl Record {
    /// A change between two states; only the differences are kept. `null` stands for a thing that does not exist.
    #[must_use]
    pub fn change(
        action: &'static str,
        subject: Subject,
        product: Option<ProductId>,
        before: Value,
        after: Value,
    ) -> Self {
        let (before, after) = differing(before, after);
        Self { action, subject, product, details: json!({ "before": before, "after": after }) }
    }
}

/// Removes what is equal in both.
fn differing(before: Value, after: Value) -> (Value, Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let keep = |from: &Map<String, Value>, other: &Map<String, Value>| {
                let differs = |(name, value): &(&String, &Value)| other.get(*name) != Some(*value);
                from.iter().filter(differs).map(|(name, value)| (name.clone(), value.clone())).collect()
            };
            (Value::Object(keep(&before, &after)), Value::Object(keep(&after, &before)))
        }
        others => others,
    }
}

/// A SHA-256.
pub type Hash = [u8; 32];

/// The hash before the first entry.
pub const BEGINNING: Hash = [0; 32];

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 1 for the first entry; there are no gaps.
    pub number: i64,
    pub at: Timestamp,
    pub actor: Actor,
    pub action: String,
    pub subject: String,
    pub product: Option<ProductId>,
    /// What was changed and why, as stored: JSON.
    pub details: String,
}

impl Entry {
    /// The hash of this entry after one with the hash `previous`: SHA-256 of the canonical JSON (RFC 8785). `None` if
    /// there is no canonical form; all entries that Sluice writes have one.
    #[must_use]
    pub fn hash(&self, previous: &Hash) -> Option<Hash> {
        let text = serde_json_canonicalizer::to_vec(&json!({
            "number": self.number.to_string(),
            "at": self.at.to_string(),
            "actor": {
                "kind": self.actor.kind,
                "id": self.actor.id.map(|id| id.to_string()),
                "name": self.actor.name,
                "address": self.actor.address.map(|address| address.to_string()),
            },
            "action": self.action,
            "subject": self.subject,
            "product": self.product.map(|id| id.to_string()),
            "details": self.details,
            "previous": hexadecimal(previous),
        }));
        digest::digest(&digest::SHA256, &text.ok()?).as_ref().try_into().ok()
    }
}

/// Bytes in hexadecimal notation.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("entry {0} is missing: it was removed")]
    Missing(i64),
    /// This entry was altered, or an earlier one replaced.
    #[error("entry {0} does not match its hash: it was altered, or put in place of another one")]
    Altered(i64),
    #[error("the log ends with entry {found}, and should with {expected}: the newest entries were removed")]
    Shortened { found: i64, expected: i64 },
    /// The entry differs from the one that was kept elsewhere.
    #[error("entry {0} differs from the head that was given: the log was rewritten")]
    Rewritten(i64),
}

/// Verifies a log from its beginning.
#[derive(Clone, Copy, Debug)]
pub struct Verifier {
    /// The number of the last verified entry; 0 before the first.
    pub number: i64,
    /// The hash of that entry.
    pub hash: Hash,
}

impl Default for Verifier {
    fn default() -> Self {
        Self { number: 0, hash: BEGINNING }
    }
}

impl Verifier {
    /// Verifies the next entry, which was stored with the hash `stored`.
    ///
    /// # Errors
    /// [`Damage`] when an entry is missing, or its hash is wrong.
    pub fn next(&mut self, entry: &Entry, stored: &[u8]) -> Result<(), Damage> {
        let expected = self.number.saturating_add(1);
        if entry.number != expected {
            return Err(Damage::Missing(expected));
        }
        match entry.hash(&self.hash) {
            Some(hash) if hash == stored => *self = Self { number: entry.number, hash },
            _ => return Err(Damage::Altered(entry.number)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::actor::ActorKind;

    #[test]
    fn only_what_differs_is_kept() {
        let (before, after) = (json!({"name": "a", "size": 1}), json!({"name": "a", "size": 2}));
        let subject = Subject::Product(ProductId(uuid::Uuid::nil()));
        let details = |before, after| Record::change("thing.change", subject.clone(), None, before, after).details;
        assert_eq!(details(before, after.clone()), json!({"before": {"size": 1}, "after": {"size": 2}}));
        assert_eq!(details(Value::Null, after.clone()), json!({"before": null, "after": after}));
    }

    fn entry(number: i64) -> Entry {
        Entry {
            number,
            at: Timestamp::UNIX_EPOCH,
            actor: Actor::nameless(ActorKind::Server),
            action: "thing.add".to_owned(),
            subject: "thing:a".to_owned(),
            product: None,
            details: "{}".to_owned(),
        }
    }

    /// Computed apart from this program by Python:
    /// `hashlib.sha256(json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()).hexdigest()`.
    #[test]
    fn the_first_hash_is_what_another_program_computes() {
        let hash = entry(1).hash(&BEGINNING).map(|hash| hexadecimal(&hash));
        assert_eq!(hash.as_deref(), Some("9b64c1a19efb274a1593ec6e60e73c43956eb2d15593ea555bd34147a0cdab03"));
    }

    #[test]
    fn what_was_altered_removed_or_exchanged_is_found() {
        let mut hashes = vec![BEGINNING];
        for number in 1..=3 {
            let previous = hashes.last().copied().unwrap_or(BEGINNING);
            hashes.extend(entry(number).hash(&previous));
        }
        let go = |entries: &[(Entry, Hash)]| {
            let mut verifier = Verifier::default();
            entries.iter().try_for_each(|(entry, hash)| verifier.next(entry, hash))
        };
        let whole: Vec<_> = (1..=3).map(entry).zip(hashes.iter().skip(1).copied()).collect();
        assert_eq!(go(&whole), Ok(()));
        let mut altered = whole.clone();
        altered[1].0.actor.name = "somebody else".to_owned();
        assert_eq!(go(&altered), Err(Damage::Altered(2)));
        let mut removed = whole.clone();
        removed.remove(1);
        assert_eq!(go(&removed), Err(Damage::Missing(2)));
        let mut renumbered = removed;
        renumbered[1].0.number = 2;
        assert_eq!(go(&renumbered), Err(Damage::Altered(2)));
    }
}
