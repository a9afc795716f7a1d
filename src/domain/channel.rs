//! Channels: how stable a release is meant to be.

use super::slug::Slug;

/// The channels of a product, the most stable first. A check on one sees it and every more stable one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Channels(Vec<Slug>);

/// Why a list of channels is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelsError {
    /// No channel at all.
    #[error("a product has at least one channel")]
    Empty,
    /// One name twice.
    #[error("the channel `{0}` is named twice")]
    Twice(Slug),
    /// More than can be meant.
    #[error("a product has at most 16 channels")]
    TooMany,
}

impl Channels {
    /// The channels in this order, the most stable first.
    ///
    /// # Errors
    /// When there is none, more than 16, or one is named twice.
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

    /// How far from the most stable one the channel stands: 0 is the most stable.
    #[must_use]
    pub fn rank(&self, name: &Slug) -> Option<usize> {
        self.0.iter().position(|known| known == name)
    }

    /// The channel at a rank.
    #[must_use]
    pub fn at(&self, rank: usize) -> Option<&Slug> {
        self.0.get(rank)
    }

    /// All of them, the most stable first.
    pub fn names(&self) -> std::slice::Iter<'_, Slug> {
        self.0.iter()
    }

    /// The names as one text, for messages: `stable, beta, alpha`.
    #[must_use]
    pub fn listed(&self) -> String {
        self.0.iter().map(Slug::as_str).collect::<Vec<_>>().join(", ")
    }
}
