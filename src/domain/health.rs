//! The health of a release: the outcomes of its rollout, and the rule that halts it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    fixed_point::{self, fixed_point},
    named_enum,
    run::{FailureClass, Outcome, Run},
};

/// The 95 % quantile of the normal distribution; the interval is one-sided.
const Z: f64 = 1.644_853_626_951_472_6;

/// Ten-thousandths in a whole.
const WHOLE: u16 = 10_000;

fixed_point! {
    /// A share above 0 and below 1, with at most four decimals.
    #[derive(utoipa::ToSchema)]
    #[schema(value_type = f64, exclusive_minimum = 0, exclusive_maximum = 1, multiple_of = 0.0001, example = 0.1)]
    Rate(u16), "rate", places 4, units 1..WHOLE, expected "a share above 0 and below 1 with at most four decimals, such as 0.1 for 10 %"
}

impl Rate {
    fn share(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }

    /// The share as a percentage; its units are hundredths of a percent.
    fn percent(self) -> String {
        fixed_point::write(u64::from(self.0), 2)
    }
}

/// The number of outcomes and the share of failures from which a release is halted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureLimit {
    pub failure_rate: Rate,
    /// The number of outcomes required before they are judged.
    pub min_reports: u32,
}

/// When a release is halted automatically.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HaltRule {
    /// Halt when too many updates fail; `None` for never.
    pub failures: Option<FailureLimit>,
    /// Halt when this many subscriptions have reported lost data; 0 for never.
    pub data_loss_reports: u32,
}

impl Default for HaltRule {
    /// The first report of lost data halts a release.
    fn default() -> Self {
        Self { failures: None, data_loss_reports: 1 }
    }
}

named_enum! {
    /// The outcome of a run as a vote on its release.
    Vote, "vote" {
        Succeeded = "succeeded",
        Failed = "failed",
    }
}

/// The vote of a run, if it has one. Cancelled runs have none, nor do failures that are due to the site (issue:
/// `environment`, `network`, `users_connected`). A lost run counts as failed.
#[must_use]
pub fn vote(run: &Run) -> Option<Vote> {
    match run.outcome {
        Some(Outcome::Succeeded) => Some(Vote::Succeeded),
        Some(Outcome::Cancelled) => None,
        Some(Outcome::Failed | Outcome::RolledBack) => match run.error.as_ref().map(|error| error.class) {
            Some(FailureClass::Environment | FailureClass::Network | FailureClass::UsersConnected) => None,
            _ => Some(Vote::Failed),
        },
        None => run.lost_at.map(|_| Vote::Failed),
    }
}

/// The vote of a subscription on a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ballot {
    /// The last outcome of its runs that has a vote.
    pub outcome: Option<Vote>,
    pub voted_at: Option<Timestamp>,
    /// When one of its runs last reported lost data.
    pub data_loss_at: Option<Timestamp>,
}

impl Ballot {
    /// Whether a report changed anything that counts.
    #[must_use]
    pub fn concerns(before: Option<&Run>, after: &Run) -> bool {
        let says = |run: &Run| (vote(run), run.over_at(), run.data_loss_at);
        before.map_or((None, None, None), says) != says(after)
    }

    /// Counts a report. Returns `false` if it withdrew the vote that counted (a lost run came back, or it failed for a
    /// reason without a vote). Then the last vote before it must be read from the runs.
    #[must_use]
    pub fn count(&mut self, before: Option<&Run>, after: &Run) -> bool {
        self.data_loss_at = self.data_loss_at.max(after.data_loss_at);
        if let (Some(outcome), Some(at)) = (vote(after), after.over_at())
            && self.voted_at.is_none_or(|last| last <= at)
        {
            (self.outcome, self.voted_at) = (Some(outcome), Some(at));
            return true;
        }
        let counted = before.filter(|before| vote(before).is_some()).and_then(Run::over_at);
        counted.is_none() || counted != self.voted_at
    }
}

/// The votes on a release, one per subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub succeeded: u32,
    pub failed: u32,
    /// Subscriptions that reported lost data.
    pub data_loss: u32,
}

/// Why a release is halted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Alarm {
    /// The number of sites that lost data.
    DataLoss(u32),
    /// Too many failures: the votes, the lower bound of the failure rate, and the limit.
    Failures(Tally, f64, Rate),
}

impl fmt::Display for Alarm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataLoss(1) => formatter.write_str("1 site reported lost data"),
            Self::DataLoss(sites) => write!(formatter, "{sites} sites reported lost data"),
            Self::Failures(tally, bound, limit) => write!(
                formatter,
                "{} of {} updates failed: with 95 % confidence the failure rate is at least {:.1} %, above the limit of {} %",
                tally.failed,
                tally.failed.saturating_add(tally.succeeded),
                bound * 100.0,
                limit.percent()
            ),
        }
    }
}

impl HaltRule {
    /// The reason for halting a release with these votes, if any.
    #[must_use]
    pub fn alarm(&self, tally: Tally) -> Option<Alarm> {
        if self.data_loss_reports > 0 && tally.data_loss >= self.data_loss_reports {
            return Some(Alarm::DataLoss(tally.data_loss));
        }
        let limit = self.failures?;
        let outcomes = tally.failed.saturating_add(tally.succeeded);
        if outcomes == 0 || outcomes < limit.min_reports {
            return None;
        }
        let bound = lower_bound(tally.failed, outcomes);
        (bound > limit.failure_rate.share()).then_some(Alarm::Failures(tally, bound, limit.failure_rate))
    }
}

/// The lower bound of the one-sided 95 % Wilson score interval for `failed` of `outcomes`, which is not 0 (E. B.
/// Wilson, *Probable inference, the law of succession, and statistical inference*, 1927).
fn lower_bound(failed: u32, outcomes: u32) -> f64 {
    let n = f64::from(outcomes);
    let share = f64::from(failed) / n;
    let centre = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    (centre - spread) / (1.0 + Z * Z / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(failed: u32, outcomes: u32) -> Tally {
        Tally { failed, succeeded: outcomes - failed, data_loss: 0 }
    }

    fn at_ten_percent(min_reports: u32) -> HaltRule {
        let failures = FailureLimit { failure_rate: "0.1".parse().expect("a rate"), min_reports };
        HaltRule { failures: Some(failures), ..HaltRule::default() }
    }

    #[test]
    fn the_worked_cases() {
        let rule = at_ten_percent(5);
        for (failed, outcomes, halts) in [(2, 5, true), (2, 10, false), (3, 10, true), (0, 5, false), (0, 1000, false)]
        {
            assert_eq!(rule.alarm(tally(failed, outcomes)).is_some(), halts, "{failed} of {outcomes}");
        }
    }

    /// Computed independently with Python's statsmodels: `proportion_confint(failed, outcomes, alpha=0.1,
    /// method="wilson")[0]`.
    #[test]
    fn bounds_are_what_another_program_computes() {
        let table = [
            (2, 5, 0.142_706_472_019_213_05),
            (2, 10, 0.068_557_987_737_532_02),
            (3, 10, 0.126_876_583_903_197_84),
            (1, 1, 0.269_865_948_784_054),
            (30, 100, 0.230_704_954_369_145_23),
            (117, 1000, 0.101_305_421_331_093_6),
            (0, 7, 0.0),
            (9999, 10_000, 0.999_551_882_468_901),
        ];
        for (failed, outcomes, expected) in table {
            let bound = lower_bound(failed, outcomes);
            assert!((bound - expected).abs() < 1e-9, "{failed} of {outcomes}: {bound} instead of {expected}");
        }
    }

    #[test]
    fn too_few_outcomes_are_not_judged() {
        assert_eq!(at_ten_percent(6).alarm(tally(5, 5)), None);
        assert_eq!(at_ten_percent(0).alarm(tally(0, 0)), None);
        assert_eq!(HaltRule::default().alarm(tally(500, 500)), None);
    }

    #[test]
    fn lost_data_halts_at_the_first_report_unless_said_otherwise() {
        let lost = |sites| Tally { data_loss: sites, ..Tally::default() };
        assert_eq!(HaltRule::default().alarm(lost(1)), Some(Alarm::DataLoss(1)));
        let patient = HaltRule { data_loss_reports: 3, ..HaltRule::default() };
        assert_eq!((patient.alarm(lost(2)), patient.alarm(lost(3))), (None, Some(Alarm::DataLoss(3))));
        assert_eq!(HaltRule { data_loss_reports: 0, ..HaltRule::default() }.alarm(lost(9)), None);
    }

    #[test]
    fn the_reason_names_the_limit_as_it_was_set() {
        let named = |rate: &str| {
            let alarm = Alarm::Failures(tally(9, 10), 0.5, rate.parse().expect("a rate"));
            let text = alarm.to_string();
            text.rsplit_once("the limit of ").map(|(_, limit)| limit.to_owned()).expect("a limit")
        };
        for whole in 1..100 {
            assert_eq!(named(&format!("0.{whole:02}")), format!("{whole} %"));
        }
        assert_eq!((named("0.0725").as_str(), named("0.005").as_str()), ("7.25 %", "0.5 %"));
    }

    #[test]
    fn rates_are_shares_not_percentages() {
        for wrong in ["1", "10", "0", "0.00001", "-0.1"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&"0.1".parse::<Rate>().expect("a rate")).expect("json"), "0.1");
    }
}
