//! The read model that answers checks: everything that a decision depends on, in memory and indexed.
//!
//! It is built from the database at the start, and each write updates it. A service makes its change in a transaction,
//! reads the changed things back in the same transaction ([`Loaded`]), and applies them here after the commit
//! ([`Directory::apply`]), before it answers. The catalogue (products, releases, stops, hosting groups) is a snapshot
//! that is replaced as a whole. Subscriptions and license keys, up to a million, are in concurrent maps.

pub mod catalogue;
pub mod sightings;

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use arc_swap::{ArcSwap, Guard};
use papaya::HashMap;

use parking_lot::Mutex;

use crate::domain::{
    hosting_group::HostingGroup,
    id::{HostingGroupId, LicenseKeyId, ProductId, ReleaseId, SubscriptionId},
    known_problem::KnownProblem,
    license_key::KeyRecord,
    manifest::SignedManifest,
    product::Product,
    release::Release,
    slug::Slug,
    stop::Stop,
    subscription::Coverage,
};
pub use catalogue::{Catalogue, ProductEntry};
use sightings::Sightings;

/// The things that a write has changed, by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A product, its stops or its known problems.
    Product(ProductId),
    /// A release or its artifacts.
    Release(ProductId, ReleaseId),
    HostingGroup(HostingGroupId),
    /// A subscription or its license keys.
    Subscription(SubscriptionId),
}

/// A changed thing with its new content, or the id of a deleted draft.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// A product with its stops and known problems.
    Product(Box<Product>, Vec<Stop>, Vec<KnownProblem>),
    /// A release with its artifacts, and its newest manifest once it is published.
    Release(Box<Release>, Option<SignedManifest>),
    /// A deleted draft, by product and id.
    ReleaseGone(ProductId, ReleaseId),
    HostingGroup(HostingGroup),
    /// A subscription with all of its license keys.
    Subscription(Coverage, Vec<KeyRecord>),
}

/// A license key, with what checks need of it.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    pub id: LicenseKeyId,
    /// The subscription itself instead of its id: with a million subscriptions, each further look-up costs a cache
    /// miss, as much as a rule of the decision.
    pub coverage: Arc<Coverage>,
    pub revoked: bool,
}

/// A hasher that returns the last 8 bytes of its input. Fingerprints are hashes already, and ids end in random bits
/// (RFC 9562, version 7).
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Big-endian: the first two bits of these bytes are the same in every id.
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_be_bytes(*last);
        }
    }

    /// An array is hashed as a slice, with its length first. The length is always the same.
    fn write_usize(&mut self, _: usize) {}
}

type Fingerprint = [u8; 32];

/// The read model of one replica.
#[derive(Debug, Default)]
pub struct Directory {
    catalogue: ArcSwap<Catalogue>,
    subscriptions: HashMap<SubscriptionId, Arc<Coverage>, BuildHasherDefault<Identity>>,
    keys: HashMap<Fingerprint, KeyEntry, BuildHasherDefault<Identity>>,
    revoked: HashMap<LicenseKeyId, (), BuildHasherDefault<Identity>>,
    imported: AtomicUsize,
    /// The lists of channels of all subscriptions: a million subscriptions share a handful of lists.
    channel_lists: Mutex<HashSet<Arc<[Slug]>>>,
    /// The sightings of installations since the last write of sightings to the database.
    pub sightings: Sightings,
}

impl Directory {
    /// The current catalogue. A check takes it once, so that it answers from one state.
    #[must_use]
    pub fn catalogue(&self) -> Guard<Arc<Catalogue>> {
        self.catalogue.load()
    }

    /// The license key with this fingerprint.
    #[must_use]
    pub fn key(&self, fingerprint: &Fingerprint) -> Option<KeyEntry> {
        self.keys.pin().get(fingerprint).cloned()
    }

    /// Whether the vendor has ever imported license keys.
    #[must_use]
    pub fn has_imported_keys(&self) -> bool {
        self.imported.load(Ordering::Relaxed) > 0
    }

    /// Whether the license key is revoked; `false` for an unknown key.
    #[must_use]
    pub fn is_revoked(&self, key: LicenseKeyId) -> bool {
        self.revoked.pin().contains_key(&key)
    }

    /// Replaces the catalogue.
    pub fn replace_catalogue(&self, catalogue: Catalogue) {
        self.catalogue.store(Arc::new(catalogue));
    }

    /// The coverage of a subscription.
    #[must_use]
    pub fn coverage(&self, id: SubscriptionId) -> Option<Arc<Coverage>> {
        self.subscriptions.pin().get(&id).cloned()
    }

    /// Calls `each` with every subscription, in no particular order.
    pub fn for_each_coverage(&self, mut each: impl FnMut(&Coverage)) {
        for coverage in self.subscriptions.pin().values() {
            each(coverage);
        }
    }

    /// The number of subscriptions.
    #[must_use]
    pub fn subscription_count(&self) -> usize {
        self.subscriptions.len()
    }

    /// Applies the changes of a committed write. One writer at a time may call this, in the order of the commits.
    pub fn apply(&self, loaded: Vec<Loaded>) {
        for one in loaded {
            match one {
                Loaded::Subscription(coverage, keys) => {
                    let coverage = self.put_subscription(coverage);
                    for key in &keys {
                        self.put_key(key, &coverage);
                    }
                }
                other => {
                    let mut catalogue = Catalogue::clone(&self.catalogue.load());
                    catalogue.apply(other);
                    self.catalogue.store(Arc::new(catalogue));
                }
            }
        }
    }

    /// Adds or replaces a subscription. Equal lists of channels are shared.
    pub fn put_subscription(&self, mut coverage: Coverage) -> Arc<Coverage> {
        let mut lists = self.channel_lists.lock();
        match lists.get(&coverage.channels) {
            Some(known) => coverage.channels = Arc::clone(known),
            None => {
                lists.insert(Arc::clone(&coverage.channels));
            }
        }
        drop(lists);
        let coverage = Arc::new(coverage);
        self.subscriptions.pin().insert(coverage.id, Arc::clone(&coverage));
        coverage
    }

    /// Adds or replaces a license key of a subscription.
    pub fn put_key(&self, key: &KeyRecord, coverage: &Arc<Coverage>) {
        let revoked = key.revoked_at.is_some();
        let entry = KeyEntry { id: key.id, coverage: Arc::clone(coverage), revoked };
        let known = self.keys.pin().insert(key.fingerprint, entry).is_some();
        if key.imported && !known {
            self.imported.fetch_add(1, Ordering::Relaxed);
        }
        if revoked {
            self.revoked.pin().insert(key.id, ());
        }
    }
}
