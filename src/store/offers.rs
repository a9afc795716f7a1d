//! `offers`: which sites were offered a release, once each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Connection, StoreError,
    bulk::{Bulk, NewRow},
    schema::offers,
    value::{Key, Moment},
};
use crate::domain::{id::ReleaseId, installation::Sighting};

/// That a site was offered a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The release.
    pub release: ReleaseId,
    /// The subscription; without one the installation (contract section 3, rule 7).
    pub site: Uuid,
    /// When.
    pub at: Timestamp,
}

impl Offer {
    /// The offer that a sighting tells of, if it does.
    #[must_use]
    pub fn of(sighting: &Sighting) -> Option<Self> {
        let site = sighting.subscription.map_or(sighting.installation.0, |subscription| subscription.0);
        sighting.offered.map(|release| Self { release, site, at: sighting.seen_at })
    }
}

/// Rows of one statement.
const AT_ONCE: usize = 1000;

/// Takes in offers; the first one to a site counts.
///
/// # Errors
/// When the database cannot be written.
pub fn take_in(connection: &mut Connection, offers: impl IntoIterator<Item = Offer>) -> Result<(), StoreError> {
    // In the order of the key, so that two that write the same ones wait for each other one way only.
    let mut first: BTreeMap<(ReleaseId, Uuid), Timestamp> = BTreeMap::new();
    for Offer { release, site, at } in offers {
        let known = first.entry((release, site)).or_insert(at);
        *known = at.min(*known);
    }
    let mut rows = first.into_iter().map(|((release, site), at)| new_row(Offer { release, site, at })).peekable();
    while rows.peek().is_some() {
        Bulk::of(rows.by_ref().take(AT_ONCE).collect()).ignoring().insert(connection)?;
    }
    Ok(())
}

fn new_row(offer: Offer) -> impl NewRow<Table = offers::table> {
    ((offers::release_id, Key(offer.release)), (offers::site, Key(offer.site)), (offers::offered_at, Moment(offer.at)))
}
