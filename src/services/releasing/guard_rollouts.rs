//! The automatic part of rollouts: halts a release whose updates fail, opens the next stage of a healthy release when
//! it is due, and announces scheduled publications.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    domain::{
        health::{Alarm, Tally},
        id::ReleaseId,
        release::{Release, ReleaseState},
        rollout::RolloutState,
    },
    services::{
        desk::{Context, Refusal, Write},
        releasing::{release::save_and_announce, roll_out},
        telling::events,
    },
    store,
};

/// The queue of releases whose votes changed and whose health is to be judged.
#[derive(Debug, Default)]
pub struct Judging {
    releases: Mutex<Releases>,
    told: Notify,
}

#[derive(Debug, Default)]
struct Releases {
    waiting: BTreeSet<ReleaseId>,
    /// The releases that are being judged now.
    in_hand: BTreeSet<ReleaseId>,
}

impl Judging {
    /// Queues these releases for judging.
    pub fn add(&self, releases: BTreeSet<ReleaseId>) {
        if !releases.is_empty() {
            self.releases.lock().waiting.extend(releases);
            self.told.notify_one();
        }
    }

    /// Waits until a release is queued.
    pub async fn wanted(&self) {
        self.told.notified().await;
    }

    /// The number of releases that are not yet judged by their newest votes.
    pub fn backlog(&self) -> usize {
        let releases = self.releases.lock();
        releases.waiting.union(&releases.in_hand).count()
    }

    fn take(&self) -> BTreeSet<ReleaseId> {
        let mut releases = self.releases.lock();
        releases.in_hand = std::mem::take(&mut releases.waiting);
        releases.in_hand.clone()
    }

    fn finish(&self) {
        self.releases.lock().in_hand.clear();
    }
}

/// Judges the queued releases. After an error all of them are queued again at once.
pub async fn judge(context: &Arc<Context>, judging: &Judging) -> Result<(), Refusal> {
    let releases = judging.take();
    let done = judge_these(context, &releases).await;
    if done.is_err() {
        judging.add(releases);
    }
    judging.finish();
    done
}

/// Judges the releases whose votes changed within the last `since`; without `since`, all that have votes. They may
/// have been in the queue of another replica when it ended. They do not go through [`Judging`], so that releases with
/// new reports do not wait behind them.
pub async fn judge_recent(context: &Arc<Context>, since: Option<SignedDuration>) -> Result<(), Refusal> {
    let since = since.and_then(|since| context.clock.now().checked_sub(since).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    let releases = context.read(move |connection| Ok(store::votes::changed_since(connection, since)?)).await?;
    judge_these(context, &releases).await
}

async fn judge_these(context: &Arc<Context>, releases: &BTreeSet<ReleaseId>) -> Result<(), Refusal> {
    let mut outcome = Ok(());
    for &id in releases {
        // A failure to judge one release does not keep the others from being judged.
        outcome = outcome.and(judge_one(context, id).await);
    }
    outcome
}

async fn judge_one(context: &Arc<Context>, id: ReleaseId) -> Result<(), Refusal> {
    // Reads first, outside a write: nearly always there is nothing to halt.
    let alarm = context.read(move |connection| {
        let Some(release) = store::releases::get(connection, id)? else { return Ok(None) };
        Ok(alarm(connection, &release)?)
    });
    if alarm.await?.is_some() {
        context.write(move |write| halt_if_failing(write, id).map(drop)).await?;
    }
    Ok(())
}

/// Counts the votes on a release since the moment from which it is judged.
pub async fn votes(context: &Arc<Context>, release: &Release) -> Result<Tally, Refusal> {
    let (id, judged_from) = (release.id, release.rollout.plan.judged_from);
    context.read(move |connection| Ok(store::votes::tally(connection, id, judged_from)?)).await
}

/// The reason to halt a release now; `None` if it is healthy, not published, or already halted.
fn alarm(connection: &mut store::Connection, release: &Release) -> Result<Option<Alarm>, store::StoreError> {
    if release.state != ReleaseState::Published || release.rollout.state == RolloutState::Halted {
        return Ok(None);
    }
    let plan = &release.rollout.plan;
    let tally = store::votes::tally(connection, release.id, plan.judged_from)?;
    Ok(plan.halt.alarm(tally))
}

/// Halts a release if its updates fail; returns whether it did.
fn halt_if_failing(write: &mut Write<'_>, id: ReleaseId) -> Result<bool, Refusal> {
    let Some(mut release) = store::releases::get(write.connection, id)? else { return Ok(false) };
    let Some(alarm) = alarm(write.connection, &release)? else { return Ok(false) };
    let Some(product) = store::products::get(write.connection, release.product)? else { return Ok(false) };
    let before = release.clone();
    release.rollout.state = RolloutState::Halted;
    release.rollout.reason = Some(alarm.to_string());
    roll_out::keep_clock(write, &product, &mut release)?;
    write.save("rollout.halt", &before, &mut release)?;
    events::release_halted(write, &product, &release)?;
    let (slug, version) = (product.slug, release.version);
    write.say(move || tracing::warn!(product = %slug, %version, reason = %alarm, "release halted"));
    Ok(true)
}

/// Opens the stages and announces the publications that are due.
pub async fn tend(context: &Arc<Context>) -> Result<(), Refusal> {
    let now = context.clock.now();
    let due: Vec<ReleaseId> = {
        let catalogue = context.directory.catalogue();
        let releases = catalogue.products().flat_map(|entry| &entry.releases);
        releases
            .filter(|release| stage_is_due(release, now) || is_out(release, now))
            .map(|release| release.id)
            .collect()
    };
    let mut outcome = Ok(());
    for id in due {
        outcome = outcome.and(context.write(move |write| tend_one(write, id)).await);
    }
    outcome
}

fn stage_is_due(release: &Release, now: Timestamp) -> bool {
    release.state == ReleaseState::Published
        && release.rollout.state == RolloutState::Running
        && release.rollout.next_stage().is_some_and(|(_, at)| at.is_some_and(|at| at <= now))
}

/// Whether a release is published and not yet announced.
fn is_out(release: &Release, now: Timestamp) -> bool {
    release.announced_at.is_none() && release.state == ReleaseState::Published && release.was_published_by(now)
}

fn tend_one(write: &mut Write<'_>, id: ReleaseId) -> Result<(), Refusal> {
    let Some(mut release) = store::releases::get(write.connection, id)? else { return Ok(()) };
    if is_out(&release, write.now)
        && let Some(product) = store::products::get(write.connection, release.product)?
    {
        let before = release.clone();
        save_and_announce(write, "release.come_out", &product, &before, &mut release)?;
        let (slug, version) = (product.slug, release.version.clone());
        write.say(move || tracing::info!(product = %slug, %version, "a scheduled release is out"));
    }
    // A stage opens only if the release is healthy by the votes of this moment.
    if stage_is_due(&release, write.now) && !halt_if_failing(write, id)? {
        let before = release.clone();
        release.rollout.open_due(write.now);
        write.save("rollout.stage", &before, &mut release)?;
        let (version, percent) = (release.version, release.rollout.percent);
        write.say(move || tracing::info!(%version, %percent, "the next stage of a rollout is open"));
    }
    Ok(())
}
