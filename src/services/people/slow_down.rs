//! Failed logins slow down later ones, by account and by address. Each replica counts failures in memory and forgets
//! them when it ends. This gives an attacker a few more attempts, and saves a write for each attempt.
//!
//! No user is locked out. The longest wait is a minute, and failures elsewhere never delay an account at an address
//! from which it has logged in.

use std::{collections::HashMap, hash::Hash, net::IpAddr};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::{
    auth::token_hash,
    domain::id::UserId,
    limits::Network,
    services::desk::{Code, Refusal},
};

/// Failures of an account that cause no wait, because people mistype.
const FREE_BY_ACCOUNT: u32 = 5;
/// Failures of an address that cause no wait. More than for an account, because an office may share the address.
const FREE_BY_ADDRESS: u32 = 20;
/// The longest wait, in seconds.
const LONGEST: i64 = 60;
/// Failures are forgotten after this time without another one.
const KEPT: SignedDuration = SignedDuration::from_mins(15);
/// How long an address stays familiar after a login from it.
const TRUSTED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The maximum number of entries in each map. Without a limit, strangers could fill the memory.
const CAPACITY: usize = 20_000;

/// The key of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    /// The hash of an account's name, whether the account exists or not.
    Account([u8; 32]),
    /// An address, or the part of one that belongs to one household.
    Network(Network),
    /// An account at an address from which it has logged in.
    Familiar([u8; 32], Network),
}

impl Who {
    const fn free(self) -> u32 {
        match self {
            Self::Network(_) => FREE_BY_ADDRESS,
            Self::Account(_) | Self::Familiar(..) => FREE_BY_ACCOUNT,
        }
    }
}

/// An attempt to authenticate, with the keys that count it.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    account: [u8; 32],
    network: Option<Network>,
}

impl Attempt {
    /// A login with this e-mail address from this IP address.
    #[must_use]
    pub fn to_log_in(email: &str, address: Option<IpAddr>) -> Self {
        Self { account: token_hash(email), network: address.map(Network::of) }
    }

    /// A check of the password within a session.
    #[must_use]
    pub fn at_password(user: UserId) -> Self {
        Self::within_session("PASSWORD", user)
    }

    /// A check of a code within a session.
    #[must_use]
    pub fn at_code(user: UserId) -> Self {
        Self::within_session("CODE", user)
    }

    /// Passwords and codes are counted apart: the right password must not clear the failures at codes. Stored e-mail
    /// addresses are in lower case, so the capitals of `proof` keep these counts apart from logins.
    fn within_session(proof: &str, user: UserId) -> Self {
        Self { account: token_hash(&format!("{proof} {user}")), network: None }
    }
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
}

#[derive(Debug, Default)]
struct Memory {
    failures: HashMap<Who, Failures>,
    /// The time of the last login from each familiar address.
    familiar: HashMap<Who, Timestamp>,
}

impl Memory {
    fn counted(&self, attempt: &Attempt, now: Timestamp) -> [Option<Who>; 2] {
        let familiar = attempt.network.map(|network| Who::Familiar(attempt.account, network));
        if let Some(who) = familiar
            && self.familiar.get(&who).is_some_and(|since| now.duration_since(*since) < TRUSTED)
        {
            return [familiar, None];
        }
        [Some(Who::Account(attempt.account)), attempt.network.map(Who::Network)]
    }

    fn wait(&self, who: Who, now: Timestamp) -> Option<i64> {
        let failures = self.failures.get(&who)?;
        let over = failures.count.checked_sub(who.free())?;
        let seconds = (1_i64 << over.min(6)).min(LONGEST);
        let passed = now.duration_since(failures.last).as_millis();
        // Rounded up, so that an attempt at the announced second is admitted.
        let left = (i128::from(seconds) * 1000 - passed + 999).div_euclid(1000);
        i64::try_from(left).ok().filter(|left| *left > 0).map(|left| left.min(LONGEST))
    }
}

/// The counts of failed attempts.
#[derive(Debug, Default)]
pub struct SlowDown(Mutex<Memory>);

impl SlowDown {
    pub(super) fn admit(&self, attempt: &Attempt, now: Timestamp) -> Result<(), Refusal> {
        let memory = self.0.lock();
        let waits = memory.counted(attempt, now).into_iter().flatten().filter_map(|who| memory.wait(who, now));
        match waits.max() {
            None => Ok(()),
            Some(seconds) => {
                let detail = format!("too many attempts have failed; try again in {seconds} s");
                Err(Refusal::new(Code::TooManyAttempts, detail).after(seconds.unsigned_abs()))
            }
        }
    }

    pub(super) fn failed(&self, attempt: &Attempt, now: Timestamp) {
        let memory = &mut *self.0.lock();
        for who in memory.counted(attempt, now).into_iter().flatten() {
            let before = memory.failures.get(&who).filter(|known| now.duration_since(known.last) < KEPT);
            let count = before.map_or(0, |known| known.count).saturating_add(1);
            make_room(&mut memory.failures, |known| known.last);
            memory.failures.insert(who, Failures { count, last: now });
        }
    }

    /// Clears the failures of the account, but not those of the address: otherwise an attacker could clear them with an
    /// account of their own, and guess at others.
    pub(super) fn succeeded(&self, attempt: &Attempt, now: Timestamp) {
        let familiar = attempt.network.map(|network| Who::Familiar(attempt.account, network));
        for who in [Some(Who::Account(attempt.account)), familiar].into_iter().flatten() {
            self.0.lock().failures.remove(&who);
        }
        self.settled(attempt, now);
    }

    /// Makes an address familiar to the account. Clears no failures.
    pub(super) fn settled(&self, attempt: &Attempt, now: Timestamp) {
        let memory = &mut *self.0.lock();
        if let Some(network) = attempt.network {
            make_room(&mut memory.familiar, |since| *since);
            memory.familiar.insert(Who::Familiar(attempt.account, network), now);
        }
    }
}

/// Removes the older half of a full map. To fill it, an attacker needs as many addresses.
fn make_room<T>(map: &mut HashMap<Who, T>, age: impl Fn(&T) -> Timestamp) {
    if map.len() < CAPACITY {
        return;
    }
    let mut ages: Vec<Timestamp> = map.values().map(&age).collect();
    ages.sort_unstable();
    if let Some(middle) = ages.get(ages.len() / 2) {
        map.retain(|_, value| age(value) > *middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).expect("a time")
    }

    fn from(email: &str, address: &str) -> Attempt {
        Attempt::to_log_in(email, Some(address.parse().expect("an address")))
    }

    fn wait(slow_down: &SlowDown, attempt: &Attempt, now: i64) -> Option<u64> {
        slow_down.admit(attempt, at(now)).err().and_then(|refusal| refusal.retry_after).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_wait_doubles_up_to_a_minute_and_ends() {
        let (slow_down, anna) = (SlowDown::default(), from("anna@example.com", "192.0.2.1"));
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..14 {
            slow_down.failed(&anna, at(now));
            let seconds = wait(&slow_down, &anna, now).unwrap_or(0);
            waits.push(seconds);
            now += i64::try_from(seconds).expect("few") * 1000;
            assert_eq!(wait(&slow_down, &anna, now), None);
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        slow_down.failed(&anna, at(now + KEPT.as_secs() * 1000));
        assert_eq!(wait(&slow_down, &anna, now + KEPT.as_secs() * 1000), None, "the old ones are forgotten");
    }

    #[test]
    fn an_account_waits_wherever_it_is_tried_except_at_home() {
        let (slow_down, home) = (SlowDown::default(), from("anna@example.com", "192.0.2.1"));
        slow_down.succeeded(&home, at(0));
        for number in 0..50 {
            slow_down.failed(&from("anna@example.com", &format!("198.51.100.{number}")), at(0));
        }
        assert_eq!(wait(&slow_down, &from("anna@example.com", "203.0.113.9"), 0), Some(60));
        assert_eq!(wait(&slow_down, &home, 0), None);
        for _ in 0..5 {
            slow_down.failed(&home, at(0));
        }
        assert_eq!(wait(&slow_down, &home, 0), Some(1));
        slow_down.succeeded(&home, at(1000));
        assert_eq!(wait(&slow_down, &home, 1000), None);
    }

    #[test]
    fn who_prolongs_a_login_is_at_home_and_clears_nothing() {
        let (slow_down, home) = (SlowDown::default(), from("anna@example.com", "192.0.2.1"));
        slow_down.settled(&home, at(0));
        for _ in 0..5 {
            slow_down.failed(&home, at(0));
            slow_down.settled(&home, at(0));
        }
        assert_eq!(wait(&slow_down, &home, 0), Some(1));
        assert_eq!(wait(&slow_down, &from("anna@example.com", "203.0.113.9"), 0), None);
    }

    #[test]
    fn an_address_waits_for_any_account_and_ipv6_by_household() {
        let slow_down = SlowDown::default();
        for number in 0..20 {
            slow_down.failed(&from(&format!("{number}@example.com"), &format!("2001:db8::{number}")), at(0));
        }
        assert_eq!(wait(&slow_down, &from("anna@example.com", "2001:db8::ffff"), 0), Some(1));
        assert_eq!(wait(&slow_down, &from("anna@example.com", "2001:db8:0:1::1"), 0), None);
        slow_down.succeeded(&from("own@example.com", "2001:db8::1"), at(0));
        assert_eq!(wait(&slow_down, &from("anna@example.com", "2001:db8::ffff"), 0), Some(1));
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let slow_down = SlowDown::default();
        for number in 0..30_000 {
            slow_down.failed(&Attempt::to_log_in(&number.to_string(), None), at(number));
        }
        assert!(slow_down.0.lock().failures.len() <= CAPACITY);
    }
}
