//! Deliveries: outgoing messages that are tried again until they are accepted, refused or too old.

use jiff::{SignedDuration, Timestamp};

use super::named_enum;

named_enum! {
    /// The state of a delivery.
    #[schema(as = DeliveryState)]
    DeliveryState, "state of a delivery" {
        /// It waits for its next attempt.
        Queued = "queued",
        Sent = "sent",
        /// It was refused, or not accepted for too long.
        Failed = "failed",
    }
}

/// The pauses after the first failed attempt, the second, and so on; the last one repeats. Seconds suit a restart,
/// minutes a fault that someone is fixing, hours one that nobody has noticed yet.
const WAITS: [SignedDuration; 7] = [
    SignedDuration::from_secs(10),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
];

/// How long to keep trying: a weekend and a night.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(72);

/// The longest stored error, in characters.
const ERROR_LENGTH: usize = 500;

/// The value of [`Delivery::last_error`] while an attempt is under way. If the process dies in between, it stays and
/// explains why nothing else is known.
pub const UNDER_WAY: &str = "a try is under way, or was broken off";

/// The state of a delivery and its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub state: DeliveryState,
    /// The number of attempts since it was queued.
    pub attempts: u32,
    /// When the next attempt is due; only while queued.
    pub next_attempt_at: Option<Timestamp>,
    /// The error of the last failed attempt.
    pub last_error: Option<String>,
    pub created_at: Timestamp,
    /// When it was last queued; later than `created_at` if a user queued it again.
    pub queued_at: Timestamp,
    /// When it was accepted.
    pub sent_at: Option<Timestamp>,
}

impl Delivery {
    /// A delivery that is due at once.
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

    /// Queues it again as if it were new.
    pub fn queue_again(&mut self, now: Timestamp) {
        *self = Self { created_at: self.created_at, last_error: self.last_error.take(), ..Self::new(now) };
    }

    /// The state during an attempt: nobody else tries it before `until`, by which time the process must have ended or
    /// died.
    #[must_use]
    pub fn claimed(&self, until: Timestamp) -> Self {
        Self {
            attempts: self.attempts.saturating_add(1),
            next_attempt_at: Some(until),
            last_error: Some(UNDER_WAY.to_owned()),
            ..self.clone()
        }
    }

    /// Whether an attempt is under way.
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

    /// Notes a final refusal.
    pub fn refused(&mut self, error: &str) {
        self.state = DeliveryState::Failed;
        self.attempts = self.attempts.saturating_add(1);
        self.next_attempt_at = None;
        self.last_error = Some(error.chars().take(ERROR_LENGTH).collect());
    }

    /// Notes a failed attempt. The next ones come at growing pauses, until it is given up. `chance` spreads deliveries
    /// that failed together by up to a fifth of the pause in both directions.
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

    /// Whether it has waited so long that its message is outdated.
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
