//! Rollouts as people set them: the percentage, the stages, and the halt rule.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        health::{FailureLimit, HaltRule, Rate},
        patch::Patch,
        product::Product,
        release::Release,
        rollout::{Percent, Rollout, RolloutState, Stage},
        stop::Stop,
    },
    services::desk::{Code, Faults, Refusal, Write},
    store,
};

/// The largest number of stages of a rollout; the API's description states the same number.
const STAGES: usize = 50;

/// Who a release is offered to. At publication, absent fields mean 100 percent, no stages, and a halt at the first
/// report of lost data. Later, absent fields keep their value.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRollout {
    /// The share of sites, in percent with at most two decimals.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = f64, minimum = 0, maximum = 100, multiple_of = 0.01, example = 25)]
    pub percent: Patch<Percent>,
    /// Stages that open by themselves after hours of the rollout's clock, at most 50. The clock starts at the later of
    /// `published_at` and this call, and stands still while the release is not offered (paused, halted, yanked,
    /// stopped).
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Vec<Stage>, max_items = 50)]
    pub stages: Patch<Vec<Stage>>,
    /// The rule that halts the rollout by itself. `null`: at the first report of lost data only.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<Halt>)]
    pub halt: Patch<Option<Halt>>,
}

/// The rule that halts a rollout by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Halt {
    /// The share of updates that may fail, above 0 and below 1. The release is halted when the lower bound of the
    /// one-sided 95 % Wilson interval of the failure rate is above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, required = false, exclusive_minimum = 0, exclusive_maximum = 1, example = 0.1)]
    pub failure_rate: Option<Rate>,
    /// The number of outcomes, one for each subscription, from which the failure rate is judged. Required with
    /// `failure_rate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u32, required = false, minimum = 1, example = 5)]
    pub min_reports: Option<u32>,
    /// The number of subscriptions reporting lost data that halts the rollout at once; 0 is never.
    #[serde(default = "first_one")]
    pub data_loss_reports: u32,
}

const fn first_one() -> u32 {
    1
}

impl Halt {
    /// The halt rule in the form of the API.
    #[must_use]
    pub fn of(rule: &HaltRule) -> Self {
        Self {
            failure_rate: rule.failures.map(|limit| limit.failure_rate),
            min_reports: rule.failures.map(|limit| limit.min_reports),
            data_loss_reports: rule.data_loss_reports,
        }
    }

    fn rule(self, faults: &mut Faults) -> HaltRule {
        let failures = match (self.failure_rate, self.min_reports) {
            (Some(failure_rate), Some(min_reports)) => Some(FailureLimit { failure_rate, min_reports }),
            (Some(_), None) => {
                faults.add("halt.min_reports", "is needed with `failure_rate`");
                None
            }
            (None, Some(_)) => {
                faults.add("halt.failure_rate", "is needed with `min_reports`");
                None
            }
            (None, None) => None,
        };
        if self.min_reports == Some(0) {
            faults.add("halt.min_reports", "must be at least 1");
        }
        HaltRule { failures, data_loss_reports: self.data_loss_reports }
    }
}

impl NewRollout {
    /// Applies the setting to a rollout. With new stages, the rollout's clock starts at `start`.
    ///
    /// # Errors
    /// `body_invalid`; the rollout is then unchanged.
    pub fn apply(&self, field: &str, rollout: &mut Rollout, start: Timestamp) -> Result<(), Refusal> {
        let mut faults = Faults::default();
        let percent = self.percent.or(rollout.percent);
        if let Patch::Set(stages) = &self.stages {
            check_stages(stages, percent, &mut faults);
        }
        let halt = self.halt.value().map(|halt| halt.map(|halt| halt.rule(&mut faults)).unwrap_or_default());
        faults.within(field).finish()?;
        rollout.percent = percent;
        if let Patch::Set(stages) = &self.stages {
            rollout.begin(stages.clone(), start);
        }
        rollout.plan.halt = halt.unwrap_or(rollout.plan.halt);
        Ok(())
    }

    /// The first rollout of a release that is published now and offered from `published_at` on.
    ///
    /// # Errors
    /// `body_invalid`.
    pub fn first(&self, published_at: Timestamp, now: Timestamp) -> Result<Rollout, Refusal> {
        let mut rollout = Rollout::default();
        rollout.begin(Vec::new(), published_at.max(now));
        self.apply("rollout", &mut rollout, published_at.max(now))?;
        Ok(rollout)
    }
}

fn check_stages(stages: &[Stage], percent: Percent, faults: &mut Faults) {
    if stages.len() > STAGES {
        faults.add("stages", format!("must be at most {STAGES}"));
    }
    let mut before = (percent, None);
    for (number, stage) in stages.iter().enumerate() {
        if stage.percent <= before.0 {
            let what = if number == 0 { "the `percent` that it begins with" } else { "that of the stage before" };
            faults.add(&format!("stages[{number}].percent"), format!("must be above {}, {what}", before.0));
        }
        if before.1.is_some_and(|hours| stage.after_hours <= hours) {
            faults.add(&format!("stages[{number}].after_hours"), "must be above that of the stage before");
        }
        before = (stage.percent, Some(stage.after_hours));
    }
}

/// Pauses a running rollout. A halted one stays halted: it is not offered, and its withdrawn links stay withdrawn.
pub(in crate::services) fn pause(release: &mut Release, reason: Option<&str>) {
    if release.rollout.state == RolloutState::Running {
        release.rollout.state = RolloutState::Paused;
        release.rollout.reason = reason.map(str::to_owned);
    }
}

/// Resumes a rollout. After a halt, this needs a person and a reason, and outcomes are counted anew.
pub(in crate::services) fn resume(
    release: &mut Release,
    reason: Option<&str>,
    by_person: bool,
    now: Timestamp,
) -> Result<(), Refusal> {
    match release.rollout.state {
        RolloutState::Running => return Ok(()),
        RolloutState::Paused => {}
        RolloutState::Halted if !by_person => {
            return Err(Refusal::new(
                Code::ScopeInsufficient,
                "the release was halted because updates fail; only a person who is logged in may resume it, not an API token",
            ));
        }
        RolloutState::Halted if reason.is_none() => {
            return Err(Refusal::field(
                "reason",
                "is needed: the release was halted because updates fail; say why it may go on",
            ));
        }
        RolloutState::Halted => release.rollout.plan.judged_from = Some(now),
    }
    release.rollout.state = RolloutState::Running;
    release.rollout.reason = reason.map(str::to_owned);
    Ok(())
}

/// Opens a release to all sites. A halted rollout must be resumed first.
pub(in crate::services) fn complete(release: &mut Release) -> Result<(), Refusal> {
    if release.rollout.state == RolloutState::Halted {
        return Err(Refusal::new(
            Code::RolloutHalted,
            format!(
                "release {} was halted because updates fail; resume it first, and say why it may go on",
                release.version
            ),
        ));
    }
    release.rollout.complete();
    release.rollout.state = RolloutState::Running;
    Ok(())
}

/// Stops the clock of a rollout while the release is not offered.
pub(in crate::services) fn keep_clock(
    write: &mut Write<'_>,
    product: &Product,
    release: &mut Release,
) -> Result<(), Refusal> {
    let stops = store::stops::of_product(write.connection, product.id)?;
    keep_clock_by(product, &stops, release, write.now);
    Ok(())
}

/// Does what [`keep_clock`] does, with stops that the caller has read.
pub(in crate::services) fn keep_clock_by(product: &Product, stops: &[Stop], release: &mut Release, now: Timestamp) {
    let stopped = stops.iter().any(|stop| stop.covers(&product.channels, &release.channel));
    let stands = stopped || release.is_yanked() || release.rollout.state != RolloutState::Running;
    release.rollout.keep_clock(stands, now);
}

/// Stops or restarts the clocks of a product's rollouts after its stops, or the channels that they cover, have changed.
pub(in crate::services) fn keep_clocks(write: &mut Write<'_>, product: &Product) -> Result<(), Refusal> {
    let stops = store::stops::of_product(write.connection, product.id)?;
    for mut release in store::releases::of_product(write.connection, product.id)? {
        let before = release.clone();
        keep_clock_by(product, &stops, &mut release, write.now);
        // A rollout without a further stage needs no clock.
        if release.rollout.next_stage().is_some() {
            write.save("rollout.clock", &before, &mut release)?;
        }
    }
    Ok(())
}
