//! Channels: how stable releases are.

use super::slug::Slug;

/// The channels of a product, the most stable first. A check on one sees its releases and those of all more stable
/// ones.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Channels(Vec<Slug>);

/// Why a list of channels is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelsError {
    #[error("a product has at least one channel")]
    Empty,
    #[error("the channel `{0}` is named twice")]
    Twice(Slug),
    #[error("a product has at most 16 channels")]
    TooMany,
}

impl Channels {
    /// The channels in this order, the most stable first.
    ///
    /// # Errors
    /// When the list is empty, has more than 16 channels, or names one twice.
    pub fn new(names: Vec<Slug>) -> Result<Self, ChannelsError> {
        if names.is_empty() {
            return Err(ChannelsError::Empty);
        }
        if names.len() > 16 {
            return Err(ChannelsError::TooMany);
        }
        let mut rest = names.as_slice();
        while let Some((name, tail)) = rest.split_first() {
            if tail.contains(name) {
                return Err(ChannelsError::Twice(name.clone()));
            }
            rest = tail;
        }
        Ok(Self(names))
    }

    /// The position of a channel; 0 is the most stable.
    #[must_use]
    pub fn rank(&self, name: &Slug) -> Option<usize> {
        self.0.iter().position(|known| known == name)
    }

    /// The channel with this rank.
    #[must_use]
    pub fn at(&self, rank: usize) -> Option<&Slug> {
        self.0.get(rank)
    }

    /// All channels, the most stable first.
    pub fn names(&self) -> std::slice::Iter<'_, Slug> {
        self.0.iter()
    }

    /// The names in one text, for messages: `stable, beta, alpha`.
    #[must_use]
    pub fn listed(&self) -> String {
        self.0.iter().map(Slug::as_str).collect::<Vec<_>>().join(", ")
    }
}
