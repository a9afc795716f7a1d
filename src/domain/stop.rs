//! The emergency switch of a product or one of its channels (contract section 2).

use std::collections::BTreeMap;

use super::{channel::Channels, locale::LanguageTag, slug::Slug};

/// Nothing is offered while it is on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Stop {
    /// The channel it covers, with every less stable one; `None` covers the whole product.
    pub channel: Option<Slug>,
    /// Why, for the vendor's staff and, where no message is given, for users.
    pub reason: String,
    /// What users are shown, by locale.
    pub message: BTreeMap<LanguageTag, String>,
    /// Since when.
    pub since: jiff::Timestamp,
}

impl Stop {
    /// Whether the channel is covered (contract section 3, rule 3).
    #[must_use]
    pub fn covers(&self, channels: &Channels, channel: &Slug) -> bool {
        channels.rank(channel).is_some_and(|rank| self.covers_rank(channels, rank))
    }

    /// The same for the channel of a rank.
    #[must_use]
    pub fn covers_rank(&self, channels: &Channels, asked: usize) -> bool {
        let Some(stopped) = &self.channel else { return true };
        // A stop on a channel that the product no longer has covers nothing; the store does not let it come to that.
        channels.rank(stopped).is_some_and(|stopped| asked >= stopped)
    }
}
