//! Sightings: what checks say about their installations. They are gathered here until a job writes them to the
//! database.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use parking_lot::Mutex;

use crate::domain::{
    id::{InstallationId, ProductId},
    installation::Sighting,
    platform::Platform,
};

/// The number of parts. Each has its own lock, so that checks on different threads seldom wait for one another.
const PARTS: usize = 16;

/// The most installations in one part. More are dropped until the next write. All parts together hold two million, some
/// 600 MB. Only a database outage at a very large vendor, or a flood of invented installations, comes near.
const MOST_IN_A_PART: usize = 131_072;

/// The most installations without a license key in one part. It is lower, because anyone can send checks with invented
/// installations.
const MOST_STRANGERS_IN_A_PART: usize = 256;

/// Whether the part has room for another installation like this one.
fn has_room(part: &HashMap<Place, Sighting>, sighting: &Sighting) -> bool {
    let most = if sighting.subscription.is_some() { MOST_IN_A_PART } else { MOST_STRANGERS_IN_A_PART };
    part.len() < most
}

type Place = (ProductId, InstallationId);
type Part = Mutex<HashMap<Place, Sighting>>;

/// The last sighting of each installation since the last write.
#[derive(Debug, Default)]
pub struct Sightings {
    parts: [Part; PARTS],
    hasher: RandomState,
}

impl Sightings {
    /// Remembers a sighting, in place of an earlier one of the same installation. The earlier offer is kept if the new
    /// check was offered nothing.
    pub fn note(&self, mut sighting: Sighting) {
        let (part, place) = self.place(&sighting);
        let mut part = part.lock();
        if let Some(earlier) = part.get_mut(&place) {
            sighting.offered = sighting.offered.or(earlier.offered);
            *earlier = sighting;
        } else if has_room(&part, &sighting) {
            part.insert(place, sighting);
        }
    }

    /// The platform of an installation's last sighting; `None` if it has been written to the database.
    #[must_use]
    pub fn platform(&self, product: ProductId, installation: InstallationId) -> Option<Platform> {
        let place = (product, installation);
        self.part(place).lock().get(&place).map(|sighting| sighting.platform)
    }

    /// Removes and returns all sightings, in no particular order.
    #[must_use]
    pub fn take(&self) -> Vec<Sighting> {
        self.parts.iter().flat_map(|part| std::mem::take(&mut *part.lock()).into_values()).collect()
    }

    /// Puts back sightings that could not be written. A newer sighting of the same installation stays.
    pub fn put_back(&self, sightings: Vec<Sighting>) {
        for sighting in sightings {
            let (part, place) = self.place(&sighting);
            let mut part = part.lock();
            if let Some(later) = part.get_mut(&place) {
                later.offered = later.offered.or(sighting.offered);
            } else if has_room(&part, &sighting) {
                part.insert(place, sighting);
            }
        }
    }

    fn place(&self, sighting: &Sighting) -> (&Part, Place) {
        let place = (sighting.product, sighting.installation);
        (self.part(place), place)
    }

    fn part(&self, place: Place) -> &Part {
        let number = usize::try_from(self.hasher.hash_one(place)).unwrap_or(0) % PARTS;
        let [first, ..] = &self.parts;
        self.parts.get(number).unwrap_or(first)
    }
}
