//! Table `offers`: the sites that were offered a release, once each.

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

/// An offer of a release to a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    pub release: ReleaseId,
    /// The id of the subscription, or without one of the installation (contract section 3, rule 7).
    pub site: Uuid,
    pub at: Timestamp,
}

impl Offer {
    /// The offer in a sighting; `None` if the check was offered nothing.
    #[must_use]
    pub fn of(sighting: &Sighting) -> Option<Self> {
        let site = sighting.subscription.map_or(sighting.installation.0, |subscription| subscription.0);
        sighting.offered.map(|release| Self { release, site, at: sighting.seen_at })
    }
}

/// Rows in one statement: 3 values each, of the 32,766 that `SQLite` accepts.
const AT_ONCE: usize = 1000;

/// Stores offers. Of several offers of a release to a site, the first counts.
pub fn take_in(connection: &mut Connection, offers: impl IntoIterator<Item = Offer>) -> Result<(), StoreError> {
    // In the order of the key, so that two transactions on the same sites cannot deadlock.
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
