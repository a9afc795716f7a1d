//! Stops: the emergency switch of a product or a channel (contract section 2).

use std::collections::BTreeMap;

use super::{channel::Channels, locale::LanguageTag, slug::Slug};

/// While a stop is set, nothing is offered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Stop {
    /// The channel that it covers, with all less stable ones; `None` for the whole product.
    pub channel: Option<Slug>,
    /// The reason, for staff; users see it too if there is no message.
    pub reason: String,
    /// What users see, by language.
    pub message: BTreeMap<LanguageTag, String>,
    pub since: jiff::Timestamp,
}

impl Stop {
    /// Whether the stop covers the channel (contract section 3, rule 3).
    #[must_use]
    pub fn covers(&self, channels: &Channels, channel: &Slug) -> bool {
        channels.rank(channel).is_some_and(|rank| self.covers_rank(channels, rank))
    }

    /// The same for the channel of a rank.
    #[must_use]
    pub fn covers_rank(&self, channels: &Channels, asked: usize) -> bool {
        let Some(stopped) = &self.channel else { return true };
        // A stop on a channel that was removed covers nothing; the store prevents this.
        channels.rank(stopped).is_some_and(|stopped| asked >= stopped)
    }
}
