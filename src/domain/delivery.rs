//! Deliveries: what is to reach somebody outside, and is tried again until it has, or for long enough.

use jiff::{SignedDuration, Timestamp};

use super::named_enum;

named_enum! {
    /// How far a delivery has come.
    #[schema(as = DeliveryState)]
    DeliveryState, "state of a delivery" {
        /// It is to be sent, or sent again.
        Queued = "queued",
        /// It was accepted.
        Sent = "sent",
        /// It was refused for good, or not accepted for too long.
        Failed = "failed",
    }
}

/// How long is waited after the first try that failed, the second, and so on; after the last of them always as long. A few
/// seconds for a restart, minutes for a fault that somebody sees to, hours for one that nobody has seen yet.
const WAITS: [SignedDuration; 7] = [
    SignedDuration::from_secs(10),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
];

/// Whoever is away for longer is not waited for: a weekend and a night.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(72);

/// An error is told in so many characters at most.
const ERROR_LENGTH: usize = 500;

/// What stands in [`Delivery::last_error`] from the beginning of a try until its end is noted. Where the process ends in between it
/// stays, and tells those who look why nothing else is known.
pub const UNDER_WAY: &str = "a try is under way, or was broken off";

/// How a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was tried since it was queued.
    pub attempts: u32,
    /// When it is tried next; only while it is queued.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last try that failed did.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was queued, last: later than `created_at` where somebody had it queued again.
    pub queued_at: Timestamp,
    /// When it was accepted.
    pub sent_at: Option<Timestamp>,
}

impl Delivery {
    /// One that is to be tried at once.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self {
            state: DeliveryState::Queued,
            attempts: 0,
            next_attempt_at: Some(now),
            last_error: None,
            created_at: now,
            queued_at: now,
            sent_at: None,
        }
    }

    /// Queues it again, as if it were new.
    pub fn queue_again(&mut self, now: Timestamp) {
        *self = Self { created_at: self.created_at, last_error: self.last_error.take(), ..Self::new(now) };
    }

    /// How it stands while it is tried: nobody else tries it until `until`, when the one who does must have died.
    #[must_use]
    pub fn claimed(&self, until: Timestamp) -> Self {
        Self {
            attempts: self.attempts.saturating_add(1),
            next_attempt_at: Some(until),
            last_error: Some(UNDER_WAY.to_owned()),
            ..self.clone()
        }
    }

    /// Whether somebody is trying it.
    #[must_use]
    pub fn is_under_way(&self, now: Timestamp) -> bool {
        self.last_error.as_deref() == Some(UNDER_WAY) && self.next_attempt_at.is_some_and(|until| until > now)
    }

    /// Notes that it was accepted.
    pub fn accepted(&mut self, now: Timestamp) {
        self.state = DeliveryState::Sent;
        self.attempts = self.attempts.saturating_add(1);
        self.next_attempt_at = None;
        self.last_error = None;
        self.sent_at = Some(now);
    }

    /// Notes that it was refused, so that trying again is of no use.
    pub fn refused(&mut self, error: &str) {
        self.state = DeliveryState::Failed;
        self.attempts = self.attempts.saturating_add(1);
        self.next_attempt_at = None;
        self.last_error = Some(error.chars().take(ERROR_LENGTH).collect());
    }

    /// Notes that a try failed: the next one comes later and later, until there is none. `chance` spreads those that failed
    /// together over a fifth of the wait to either side.
    pub fn missed(&mut self, now: Timestamp, error: &str, chance: u16) {
        let tried = usize::try_from(self.attempts).unwrap_or(usize::MAX);
        let wait = WAITS.get(tried).or(WAITS.last()).copied().unwrap_or(GIVE_UP);
        self.refused(error);
        let thousandths = 800 + i128::from(chance) * 400 / i128::from(u16::MAX);
        let wait = i64::try_from(wait.as_millis() * thousandths / 1000).map_or(wait, SignedDuration::from_millis);
        let next = now.checked_add(wait).ok().filter(|next| next.duration_since(self.queued_at) <= GIVE_UP);
        if next.is_some() {
            self.state = DeliveryState::Queued;
            self.next_attempt_at = next;
        }
    }

    /// Whether it has waited for so long that what it tells is no news any more.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now.duration_since(self.queued_at) > GIVE_UP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_after_about_three_days() {
        let begin = Timestamp::UNIX_EPOCH;
        for chance in [0, u16::MAX / 2, u16::MAX] {
            let mut delivery = Delivery::new(begin);
            let (mut now, mut waits) = (begin, Vec::new());
            while let Some(next) = delivery.next_attempt_at {
                waits.push(next.duration_since(now));
                now = next;
                delivery.missed(now, "away", chance);
            }
            assert!(waits.windows(2).skip(1).all(|pair| pair[0] <= pair[1]), "{waits:?}");
            assert!((8..=12).contains(&waits[1].as_secs()), "{waits:?}");
            let days = now.duration_since(begin).as_hours();
            assert!((55..=72).contains(&days), "{days} h");
            assert_eq!((delivery.state, delivery.last_error.as_deref()), (DeliveryState::Failed, Some("away")));
        }
    }

    #[test]
    fn what_is_queued_again_is_tried_as_if_it_were_new() {
        let mut delivery = Delivery::new(Timestamp::UNIX_EPOCH);
        delivery.refused(&"x".repeat(10_000));
        assert_eq!(delivery.last_error.as_ref().map(String::len), Some(ERROR_LENGTH));
        let later: Timestamp = "2030-01-01T00:00:00Z".parse().expect("a time");
        assert!(delivery.is_stale(later));
        delivery.queue_again(later);
        assert!(!delivery.is_stale(later));
        let claimed = delivery.claimed("2030-01-01T00:01:00Z".parse().expect("a time"));
        assert!(claimed.is_under_way(later) && !delivery.is_under_way(later));
        assert!(!claimed.is_under_way("2030-01-01T00:01:00Z".parse().expect("a time")), "whoever tried it has died");
        assert_eq!((claimed.attempts, claimed.state, claimed.queued_at), (1, DeliveryState::Queued, later));
        assert_eq!((delivery.attempts, delivery.next_attempt_at), (0, Some(later)));
        assert_eq!(delivery.created_at, Timestamp::UNIX_EPOCH);
        delivery.accepted(later);
        assert_eq!(
            (delivery.state, delivery.next_attempt_at, delivery.sent_at),
            (DeliveryState::Sent, None, Some(later))
        );
    }
}
