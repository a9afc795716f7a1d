//! Rollouts: how a published release reaches installations (contract section 3, rules 5 and 7).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{fixed_point::fixed_point, health::HaltRule, id::ReleaseId, named_enum, spread};

/// The number of buckets: hundredths of a percent.
const BUCKETS: u16 = 10_000;

fixed_point! {
    /// A percentage with at most two decimals, stored in hundredths.
    #[derive(utoipa::ToSchema)]
    #[schema(value_type = f64, minimum = 0, maximum = 100, multiple_of = 0.01, example = 25)]
    Percent(u16), "percentage", places 2, units 0..=BUCKETS, expected "0 to 100 with at most two decimals"
}

impl Percent {
    /// 100 %.
    pub const ALL: Self = Self(BUCKETS);

    /// The percentage in hundredths.
    #[must_use]
    pub const fn hundredths(self) -> u16 {
        self.0
    }
}

/// The longest time before a stage: a leap year, in hundredths of an hour.
const LONGEST_WAIT: u32 = 366 * 24 * 100;

fixed_point! {
    /// Hours with at most two decimals, that is, in steps of 36 seconds.
    #[derive(utoipa::ToSchema)]
    #[schema(value_type = f64, minimum = 0, maximum = 8784, multiple_of = 0.01, example = 24)]
    Hours(u32), "number of hours", places 2, units 0..=LONGEST_WAIT, expected "0 to 8784 hours with at most two decimals"
}

impl Hours {
    /// The hours as a duration.
    #[must_use]
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.0) * 36)
    }
}

named_enum! {
    /// The state of a rollout.
    RolloutState, "rollout state" {
        Running = "running",
        /// A person paused it.
        Paused = "paused",
        /// It was halted because updates fail.
        Halted = "halted",
    }
}

/// A stage that opens this much after its time was missed; less is what the server needs to notice.
const LATE: SignedDuration = SignedDuration::from_mins(5);

/// A percentage that a rollout opens to automatically.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The percentage of sites from then on.
    pub percent: Percent,
    /// Hours of the rollout's own clock, which stops while nothing is offered.
    pub after_hours: Hours,
}

/// The automatic part of a rollout: its stages, when it halts, and the clock for both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// The stages in the order of their opening.
    pub stages: Vec<Stage>,
    /// How many stages have opened.
    pub opened: usize,
    pub halt: HaltRule,
    /// When the clock would have started if it had never stopped.
    pub clock_start: Option<Timestamp>,
    /// Since when the clock is stopped; `None` while it runs.
    pub stands_since: Option<Timestamp>,
    /// Outcomes count from here: when a person last resumed it after a halt.
    pub judged_from: Option<Timestamp>,
}

/// How far a published release is open.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rollout {
    pub percent: Percent,
    pub state: RolloutState,
    /// Why it was last paused, halted or resumed.
    pub reason: Option<String>,
    pub plan: Plan,
}

impl Default for Rollout {
    /// Open to all sites.
    fn default() -> Self {
        Self { percent: Percent::ALL, state: RolloutState::Running, reason: None, plan: Plan::default() }
    }
}

impl Rollout {
    /// Opens to `percent` of the sites at `start`, then by stages.
    pub fn begin(&mut self, stages: Vec<Stage>, start: Timestamp) {
        self.plan.stages = stages;
        self.plan.opened = 0;
        self.plan.clock_start = Some(start);
        self.plan.stands_since = None;
    }

    /// When a stage opens; `None` while the clock is stopped.
    #[must_use]
    pub fn opens_at(&self, stage: &Stage) -> Option<Timestamp> {
        let start = self.plan.clock_start.filter(|_| self.plan.stands_since.is_none())?;
        start.checked_add(stage.after_hours.duration()).ok()
    }

    /// The next stage and when it opens; no time while the clock is stopped.
    #[must_use]
    pub fn next_stage(&self) -> Option<(Stage, Option<Timestamp>)> {
        let stage = self.plan.stages.get(self.plan.opened)?;
        Some((*stage, self.opens_at(stage)))
    }

    /// Opens the next stage if it is due, and returns whether it did. Only one stage opens at a time. If the server was
    /// down for long, the following stage keeps its distance, because each stage should prove itself first. A stage
    /// never reduces a percentage that a person has raised further.
    pub fn open_due(&mut self, now: Timestamp) -> bool {
        let Some((stage, Some(at))) = self.next_stage() else { return false };
        let late = now.duration_since(at);
        if late.is_negative() {
            return false;
        }
        self.plan.opened += 1;
        self.percent = self.percent.max(stage.percent);
        if late > LATE {
            self.plan.clock_start = self.plan.clock_start.and_then(|start| start.checked_add(late).ok());
        }
        true
    }

    /// Opens to all sites, without further stages.
    pub fn complete(&mut self) {
        self.percent = Percent::ALL;
        self.plan.opened = self.plan.stages.len();
    }

    /// Stops or resumes the clock.
    pub fn keep_clock(&mut self, stands: bool, now: Timestamp) {
        match (stands, self.plan.stands_since) {
            (true, None) => self.plan.stands_since = Some(now),
            (false, Some(since)) => {
                self.plan.stands_since = None;
                // The clock does not run before the start.
                if let Some(start) = self.plan.clock_start {
                    let stood = now.duration_since(since.max(start)).max(SignedDuration::ZERO);
                    self.plan.clock_start = start.checked_add(stood).ok();
                }
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
}

/// The position of a site in the queue for a release: 0 is first, 9 999 last. `site` is the subscription, or the
/// installation if there is none; without either the position is 9 999.
#[must_use]
pub fn bucket(release: ReleaseId, site: Option<Uuid>) -> u16 {
    let Some(site) = site else { return BUCKETS - 1 };
    u16::try_from(spread::number(release.0, site) % u64::from(BUCKETS)).unwrap_or(BUCKETS - 1)
}

impl Percent {
    /// Whether the site is included. It does not hash for 0 % and 100 %.
    #[must_use]
    pub fn admits(self, release: ReleaseId, site: Option<Uuid>) -> bool {
        match self.0 {
            0 => false,
            BUCKETS => true,
            hundredths => bucket(release, site) < hundredths,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_vectors_of_the_contract() {
        let release =
            |last: u8| ReleaseId(Uuid::from_u128(0x0199_a0de_0000_7000_8000_0000_0000_0000 + u128::from(last)));
        let site = |last: u8| Some(Uuid::from_u128(0x0199_a0de_0000_7000_8000_0000_0000_0000 + u128::from(last)));
        assert_eq!(bucket(release(1), site(0xa1)), 2682);
        assert_eq!(bucket(release(1), site(0xa2)), 5366);
        assert_eq!(bucket(release(2), site(0xa1)), 3390);
        assert_eq!(bucket(release(1), None), 9999);
    }

    /// Computed independently with Python's `hashlib`: `int.from_bytes(sha256((release + site).encode()).digest()[:8],
    /// "big") % 10000`.
    #[test]
    fn buckets_are_what_another_program_computes() {
        let table = [
            ("0199a0de-0000-7000-8000-000000000003", "0199a0de-0000-7000-8000-0000000000a1", 6842),
            ("0199a0de-0000-7000-8000-000000000002", "0199a0de-0000-7000-8000-0000000000a2", 4742),
            ("0199a0de-0000-7000-8000-0000000009cd", "0199a0de-0000-7000-8000-0000000000a1", 0),
            ("0199a0de-0000-7000-8000-0000000002a3", "0199a0de-0000-7000-8000-0000000000a1", 9999),
            ("018f3c5e-9b1a-7cde-8f01-23456789abcd", "ffffffff-ffff-4fff-bfff-ffffffffffff", 981),
            ("0190F0F0-AAAA-7BBB-8CCC-DDDDDDDDDDDD", "3F2504E0-4F89-41D3-9A0C-0305E82C3301", 9880),
            ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000", 6197),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff", 8441),
        ];
        for (release, site, expected) in table {
            let site = Uuid::parse_str(site).expect("a UUID");
            assert_eq!(bucket(release.parse().expect("a UUID"), Some(site)), expected, "{release} {site}");
        }
    }

    #[test]
    fn percentages_are_exact_to_two_decimals_and_no_more() {
        let read = |text: &str| serde_json::from_str::<Percent>(text).map(Percent::hundredths);
        for (text, hundredths) in
            [("0", 0), ("100", 10_000), ("100.0", 10_000), ("0.01", 1), ("12.5", 1250), ("99.99", 9999), ("0.29", 29)]
        {
            assert_eq!(read(text).ok(), Some(hundredths), "{text}");
        }
        for wrong in ["100.01", "-1", "0.001", "1e2000", "\"5\"", "101", "33.333", "0.290001", "700", "999", "655.36"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&Percent(1250)).expect("json"), "12.5");
        assert_eq!(serde_json::to_string(&Percent(10_000)).expect("json"), "100");
        assert_eq!(Percent(5).to_string(), "0.05");
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(hours * 3600).expect("a time")
    }

    fn staged() -> Rollout {
        let stage = |percent: &str, hours: &str| Stage {
            percent: percent.parse().expect("a percentage"),
            after_hours: hours.parse().expect("hours"),
        };
        let mut rollout = Rollout { percent: Percent(500), ..Rollout::default() };
        rollout.begin(vec![stage("25", "24"), stage("100", "48.5")], at(100));
        rollout
    }

    #[test]
    fn stages_open_one_by_one_when_their_time_has_come() {
        let mut rollout = staged();
        assert!(!rollout.open_due(at(123)));
        assert!(rollout.open_due(at(124)));
        assert_eq!((rollout.percent, rollout.plan.opened), (Percent(2500), 1));
        assert!(!rollout.open_due(at(148)));
        assert!(rollout.open_due(at(149)));
        assert_eq!((rollout.percent, rollout.next_stage()), (Percent::ALL, None));
    }

    #[test]
    fn a_missed_stage_opens_late_and_the_next_keeps_its_distance() {
        let mut rollout = staged();
        assert!(rollout.open_due(at(1000)));
        assert_eq!((rollout.percent, rollout.plan.opened), (Percent(2500), 1));
        assert!(!rollout.open_due(at(1024)));
        assert!(rollout.open_due(at(1025)));
    }

    #[test]
    fn the_clock_stands_still_and_goes_on_from_where_it_stood() {
        let mut rollout = staged();
        rollout.keep_clock(true, at(110));
        rollout.keep_clock(true, at(120));
        assert!(!rollout.open_due(at(500)));
        rollout.keep_clock(false, at(600));
        assert!(!rollout.open_due(at(613)));
        assert!(rollout.open_due(at(614)));
        // A pause before the start does not count.
        let mut early = staged();
        early.keep_clock(true, at(10));
        early.keep_clock(false, at(90));
        assert_eq!(early, staged());
    }

    #[test]
    fn a_stage_never_takes_out_whom_a_person_let_in() {
        let mut rollout = staged();
        rollout.percent = Percent(5000);
        assert!(rollout.open_due(at(124)));
        assert_eq!(rollout.percent, Percent(5000));
    }
}
