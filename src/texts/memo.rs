//! A cache per thread of rendered messages. Checks return few different texts about few releases, so most messages were
//! rendered before. A look-up costs a hash and a comparison, without allocation.

use std::{cell::RefCell, collections::HashMap, hash::BuildHasher as _, sync::Arc};

use foldhash::fast::RandomState;
use jiff::{Timestamp, civil, tz::TimeZone};

use super::{Text, Values};

/// The most messages per thread. Texts times languages times offered releases stay well below; dates, and server
/// versions that clients send, may exceed it, and then the cache is emptied.
const CAPACITY: usize = 2048;

/// The longest value of a cached message, in bytes, so that [`CAPACITY`] limits the memory too.
const MAX_VALUE_LENGTH: usize = 512;

thread_local! {
    static MEMO: RefCell<Memo> = RefCell::new(Memo::default());
}

/// The cached message with these values, or the result of `write`, which is then cached.
pub(super) fn recall(
    language: &'static str,
    text: Text,
    values: &Values<'_>,
    write: impl FnOnce() -> String,
) -> Arc<str> {
    MEMO.with_borrow_mut(|memo| memo.recall(language, text, values, write))
}

#[derive(Default)]
struct Memo {
    /// Seeded per thread, because the hash covers versions that clients send. An attacker who finds the seed can only
    /// cause messages to be rendered again.
    hashing: RandomState,
    /// By the hash of their values. Of two messages with the same hash, the later one replaces the earlier.
    messages: HashMap<u64, Message, RandomState>,
}

/// A message with the values that it was rendered from.
struct Message {
    language: &'static str,
    text: Text,
    words: [Box<str>; 5],
    date: Option<civil::Date>,
    time: Option<Timestamp>,
    zone: Option<TimeZone>,
    rendered: Arc<str>,
}

impl Memo {
    fn recall(
        &mut self,
        language: &'static str,
        text: Text,
        values: &Values<'_>,
        write: impl FnOnce() -> String,
    ) -> Arc<str> {
        let hash = self.hash(language, text, values);
        if let Some(message) = self.messages.get(&hash).filter(|message| message.is_of(language, text, values)) {
            return Arc::clone(&message.rendered);
        }
        let rendered: Arc<str> = write().into();
        if words(values).iter().all(|word| word.len() <= MAX_VALUE_LENGTH) {
            if self.messages.len() >= CAPACITY {
                self.messages.clear();
            }
            let message = Message {
                language,
                text,
                words: words(values).map(Into::into),
                date: values.date,
                time: values.time,
                zone: values.zone.cloned(),
                rendered: Arc::clone(&rendered),
            };
            self.messages.insert(hash, message);
        }
        rendered
    }

    /// The zone is only compared: its rules have no hash, and it rarely distinguishes messages.
    fn hash(&self, language: &str, text: Text, values: &Values<'_>) -> u64 {
        self.hashing.hash_one((language, text, words(values), values.date, values.time))
    }
}

impl Message {
    fn is_of(&self, language: &str, text: Text, values: &Values<'_>) -> bool {
        self.language == language
            && self.text == text
            && self.words.iter().zip(words(values)).all(|(kept, given)| same(kept, given))
            && (self.date, self.time) == (values.date, values.time)
            && self.zone.as_ref() == values.zone
    }
}

/// Compares the lengths first. Most values are empty; comparing empty texts costs about 100 ns on processors where the
/// C library compares with masked loads.
fn same(kept: &str, given: &str) -> bool {
    kept.len() == given.len() && (given.is_empty() || kept == given)
}

const fn words<'a>(values: &Values<'a>) -> [&'a str; 5] {
    let Values { product, version, newer, server_version, reason, .. } = *values;
    [product, version, newer, server_version, reason]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_written_once_and_again_when_any_value_differs() {
        let mut memo = Memo::default();
        let rome = TimeZone::get("Europe/Rome").expect("a zone");
        let values = Values {
            product: "Office Maker",
            time: Some(Timestamp::UNIX_EPOCH),
            zone: Some(&rome),
            ..Values::default()
        };
        let mut written = 0;
        let mut recall = |language, text, values: &Values<'_>| {
            memo.recall(language, text, values, || {
                written += 1;
                "text".to_owned()
            });
            written
        };
        assert_eq!(recall("de", Text::UpToDate, &values), 1);
        assert_eq!(recall("de", Text::UpToDate, &values), 1);
        assert_eq!(recall("fr", Text::UpToDate, &values), 2);
        assert_eq!(recall("de", Text::Managed, &values), 3);
        assert_eq!(recall("de", Text::UpToDate, &Values { newer: "Office Maker", product: "", ..values }), 4);
        assert_eq!(recall("de", Text::UpToDate, &Values { time: None, ..values }), 5);
        assert_eq!(recall("de", Text::UpToDate, &Values { zone: None, ..values }), 6);
    }

    #[test]
    fn it_never_holds_more_than_it_may() {
        let mut memo = Memo::default();
        for number in 0..=CAPACITY * 2 {
            let version = number.to_string();
            memo.recall("en", Text::UpdateAvailable, &Values { version: &version, ..Values::default() }, String::new);
        }
        assert_eq!(memo.messages.len(), 1);
        let long = "x".repeat(MAX_VALUE_LENGTH + 1);
        memo.recall("en", Text::BlockedStopped, &Values { reason: &long, ..Values::default() }, String::new);
        assert_eq!(memo.messages.len(), 1);
    }
}
