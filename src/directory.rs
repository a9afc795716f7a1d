//! The read model that answers checks: everything a decision depends on, in memory and indexed.
//!
//! It is built at start-up from the database and kept in step by every write: a service makes its change in a
//! transaction, the changed things are read back in the same transaction ([`Loaded`]), and once it is committed
//! they are put in here ([`Directory::apply`]) before the write is answered. The catalogue (products, releases,
//! stops, hosting groups) is a snapshot that is replaced as a whole; subscriptions and license keys, of which there
//! may be a million, are in concurrent maps of their own.

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

/// What a write has changed, by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A product, its stops or its known problems.
    Product(ProductId),
    /// A release or its artifacts.
    Release(ProductId, ReleaseId),
    /// A hosting group.
    HostingGroup(HostingGroupId),
    /// A subscription or its license keys.
    Subscription(SubscriptionId),
}

/// What a write has changed, as it is now.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// A product with its stops and known problems.
    Product(Box<Product>, Vec<Stop>, Vec<KnownProblem>),
    /// A release with its artifacts, and its newest manifest once it is published.
    Release(Box<Release>, Option<SignedManifest>),
    /// A draft that was deleted.
    ReleaseGone(ProductId, ReleaseId),
    /// A hosting group.
    HostingGroup(HostingGroup),
    /// A subscription with all of its license keys.
    Subscription(Coverage, Vec<KeyRecord>),
}

/// A license key as checks look it up.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// Its id.
    pub id: LicenseKeyId,
    /// The subscription it opens. Here and not only its id: of a million, each step to another place in memory costs as
    /// much as a rule of the decision.
    pub coverage: Arc<Coverage>,
    /// Whether it opens it no more.
    pub revoked: bool,
}

/// Fingerprints are hashes already, and ids end in random bits (RFC 9562, version 7): their last bytes are as good a
/// hash as any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Big-endian, as the first of them has two bits that are the same in every id.
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_be_bytes(*last);
        }
    }

    /// The length of an array that is hashed as a slice says nothing.
    fn write_usize(&mut self, _: usize) {}
}

type Fingerprint = [u8; 32];

/// The read model.
#[derive(Debug, Default)]
pub struct Directory {
    catalogue: ArcSwap<Catalogue>,
    subscriptions: HashMap<SubscriptionId, Arc<Coverage>, BuildHasherDefault<Identity>>,
    keys: HashMap<Fingerprint, KeyEntry, BuildHasherDefault<Identity>>,
    revoked: HashMap<LicenseKeyId, (), BuildHasherDefault<Identity>>,
    imported: AtomicUsize,
    /// Lists of channels that subscriptions have; a million of them share a handful.
    channel_lists: Mutex<HashSet<Arc<[Slug]>>>,
    /// What checks told about their installations since it was last written down.
    pub sightings: Sightings,
}

impl Directory {
    /// The catalogue as it is now. A check takes it once, so that it answers from one state.
    #[must_use]
    pub fn catalogue(&self) -> Guard<Arc<Catalogue>> {
        self.catalogue.load()
    }

    /// The license key with this fingerprint.
    #[must_use]
    pub fn key(&self, fingerprint: &Fingerprint) -> Option<KeyEntry> {
        self.keys.pin().get(fingerprint).cloned()
    }

    /// Whether any key of the vendor's own was ever imported.
    #[must_use]
    pub fn has_imported_keys(&self) -> bool {
        self.imported.load(Ordering::Relaxed) > 0
    }

    /// Whether this key has been revoked; keys that are not known have not.
    #[must_use]
    pub fn is_revoked(&self, key: LicenseKeyId) -> bool {
        self.revoked.pin().contains_key(&key)
    }

    /// Takes a catalogue in place of the one that was known.
    pub fn replace_catalogue(&self, catalogue: Catalogue) {
        self.catalogue.store(Arc::new(catalogue));
    }

    /// What this subscription covers.
    #[must_use]
    pub fn coverage(&self, id: SubscriptionId) -> Option<Arc<Coverage>> {
        self.subscriptions.pin().get(&id).cloned()
    }

    /// Hands every subscription to `each`, in no particular order.
    pub fn for_each_coverage(&self, mut each: impl FnMut(&Coverage)) {
        for coverage in self.subscriptions.pin().values() {
            each(coverage);
        }
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn subscription_count(&self) -> usize {
        self.subscriptions.len()
    }

    /// Puts in what a committed write has changed. Called by one writer at a time, in the order of the commits.
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

    /// Puts in a subscription, in place of what was known of it.
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

    /// Puts in a license key of a subscription, in place of what was known of it.
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
