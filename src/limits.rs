//! Rate limits, counted in memory: by license key, by caller, and by network for requests without credentials.
//!
//! Each replica counts for itself. A count costs one look-up in a map. It is kept only until the allowance is full
//! again.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use foldhash::fast::RandomState;
use governor::{Quota, RateLimiter, clock::Clock as _, clock::DefaultClock, state::keyed::DashMapStateStore};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::domain::{frequency::Frequency, id::LicenseKeyId};

/// The limits from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Requests per license key.
    pub key: Frequency,
    /// Requests per API token or user.
    pub caller: Frequency,
    /// Checks and reports without a key per network.
    pub anonymous: Frequency,
    /// Invalid credentials per network.
    pub failures: Frequency,
    /// Attempts to log in per network.
    pub logins: Frequency,
    /// Concurrent downloads per license key; 0 for no limit.
    pub downloads_per_key: u32,
    /// Concurrent downloads without a key per network; 0 for no limit.
    pub downloads_per_address: u32,
}

/// The counters of all limits.
#[derive(Debug)]
pub struct Limits {
    /// Requests by license key.
    pub keys: Meter<LicenseKeyId>,
    /// Requests by API token or user.
    pub callers: Meter<Uuid>,
    /// Checks and reports without a key.
    pub anonymous: Meter<Network>,
    pub failures: Meter<Network>,
    pub logins: Meter<Network>,
    pub downloads: Downloads,
}

impl Limits {
    /// Counters at zero, with these limits.
    #[must_use]
    pub fn new(allowance: Allowance) -> Self {
        Self {
            keys: Meter::new(allowance.key),
            callers: Meter::new(allowance.caller),
            anonymous: Meter::new(allowance.anonymous),
            failures: Meter::new(allowance.failures),
            logins: Meter::new(allowance.logins),
            downloads: Downloads {
                per_key: allowance.downloads_per_key,
                per_address: allowance.downloads_per_address,
                running: Arc::default(),
            },
        }
    }

    /// Drops the counts whose allowance is full again, so that memory holds recent callers only.
    pub fn forget(&self) {
        self.keys.forget();
        self.callers.forget();
        self.anonymous.forget();
        self.failures.forget();
        self.logins.forget();
    }
}

/// A network that is counted as one: an IPv4 address, or a /64 of IPv6, which usually belongs to one subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// An IPv4 address that is mapped to IPv6 counts as IPv4.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address @ IpAddr::V4(_) => address,
        })
    }
}

type Limiter<K> = RateLimiter<K, DashMapStateStore<K, RandomState>, DefaultClock>;

/// Counts one kind of request by its sender.
#[derive(Debug)]
pub struct Meter<K: Hash + Eq + Clone>(Option<Limiter<K>>);

impl<K: Hash + Eq + Clone> Meter<K> {
    /// A meter with this limit. It counts nothing if the frequency is unlimited.
    #[must_use]
    pub fn new(frequency: Frequency) -> Self {
        let Frequency::Limited(times, period) = frequency else { return Self(None) };
        let quota = Quota::with_period(period.length() / times.get()).map(|quota| quota.allow_burst(times));
        Self(quota.map(|quota| {
            Limiter::dashmap_with_clock_and_hasher(quota, DefaultClock::default(), RandomState::default())
        }))
    }

    /// Counts a request, unless it exceeds the limit.
    ///
    /// # Errors
    /// How long to wait until the next request is within the limit.
    pub fn count(&self, who: &K) -> Result<(), Duration> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(who).map_err(|not_until| not_until.wait_time_from(limiter.clock().now()))
    }

    fn forget(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
        }
    }
}

/// The sender of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Downloader {
    Key(LicenseKeyId),
    Anonymous(Network),
}

type Running = Arc<Mutex<HashMap<Downloader, u32, RandomState>>>;

/// The current downloads, and their limits.
#[derive(Debug)]
pub struct Downloads {
    per_key: u32,
    per_address: u32,
    running: Running,
}

/// A place for one download. It is freed when this is dropped.
#[derive(Debug)]
pub struct Turn(Option<(Downloader, Running)>);

impl Downloads {
    /// Begins a download; `None` if the limit is reached.
    #[must_use]
    pub fn begin(&self, downloader: Downloader) -> Option<Turn> {
        let allowed = match downloader {
            Downloader::Key(_) => self.per_key,
            Downloader::Anonymous(_) => self.per_address,
        };
        if allowed == 0 {
            return Some(Turn(None));
        }
        let mut running = self.running.lock();
        let count = running.entry(downloader).or_default();
        if *count >= allowed {
            return None;
        }
        *count += 1;
        drop(running);
        Some(Turn(Some((downloader, Arc::clone(&self.running)))))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some((downloader, running)) = self.0.take() else { return };
        let mut running = running.lock();
        match running.get_mut(&downloader) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(running.remove(&downloader)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::of(text.parse().expect(text))
    }

    #[test]
    fn all_of_an_allowance_can_be_used_at_once_and_by_each() {
        let meter = Meter::new("3/h".parse().expect("a rate"));
        let (one, other) = (network("192.0.2.1"), network("192.0.2.2"));
        assert!((0..3).all(|_| meter.count(&one).is_ok()));
        let wait = meter.count(&one).expect_err("one too many");
        assert!((1190..=1200).contains(&wait.as_secs()), "{wait:?}");
        assert_eq!(meter.count(&other), Ok(()));
        meter.forget();
        assert!(meter.count(&one).is_err(), "what was used is not forgotten before it has come back");
        assert!((0..100).all(|_| Meter::new(Frequency::Unlimited).count(&one).is_ok()));
    }

    #[test]
    fn those_who_have_their_whole_allowance_again_are_forgotten() {
        let meter = Meter::new("1000/s".parse().expect("a rate"));
        for number in 0..1000_u32 {
            meter.count(&Network::of(IpAddr::from(number.to_be_bytes()))).expect("within the allowance");
        }
        let limiter = || meter.0.as_ref().expect("a limiter");
        // At 1000/s the allowance is full again after a millisecond; a busy machine may take longer.
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while !limiter().is_empty() && std::time::Instant::now() < until {
            std::thread::yield_now();
            meter.forget();
        }
        assert_eq!(limiter().len(), 0);
    }

    #[test]
    fn ipv6_is_counted_by_network_and_ipv4_by_address() {
        for (one, other, same) in [
            ("2a00:1:2:3::1", "2a00:1:2:3:ffff::9", true),
            ("2a00:1:2:3::1", "2a00:1:2:4::1", false),
            ("1.2.3.4", "::ffff:1.2.3.4", true),
            ("1.2.3.4", "1.2.3.5", false),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.5", false),
        ] {
            assert_eq!(network(one) == network(other), same, "{one} {other}");
        }
    }

    #[test]
    fn a_download_that_ends_makes_room_for_the_next() {
        let allowance = Allowance {
            key: Frequency::Unlimited,
            caller: Frequency::Unlimited,
            anonymous: Frequency::Unlimited,
            failures: Frequency::Unlimited,
            logins: Frequency::Unlimited,
            downloads_per_key: 2,
            downloads_per_address: 0,
        };
        let downloads = Limits::new(allowance).downloads;
        let key = |number| Downloader::Key(LicenseKeyId(Uuid::from_u128(number)));
        let (first, second) = (downloads.begin(key(1)), downloads.begin(key(1)));
        assert!(first.is_some() && second.is_some() && downloads.begin(key(1)).is_none());
        assert!(downloads.begin(key(2)).is_some());
        drop(first);
        let third = downloads.begin(key(1));
        assert!(third.is_some() && downloads.begin(key(1)).is_none());
        drop((second, third));
        assert!(downloads.running.lock().is_empty());
        let anonymous = Downloader::Anonymous(network("192.0.2.1"));
        let all: Vec<_> = (0..100).map(|_| downloads.begin(anonymous)).collect();
        assert!(all.iter().all(Option::is_some));
    }
}
