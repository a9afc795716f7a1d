//! The slots of hosting groups: they limit how many sites of a group update at once. The slots are in the database,
//! which all replicas share. Only the check of a hosted server with an offer needs them; all other checks are answered
//! from memory.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        decision::facts::Slot,
        id::{HostingGroupId, SubscriptionId},
        platform::Component,
        run::{Run, Stage},
        subscription::Deployment,
    },
    services::desk::{Context, Refusal},
    store::group_slots::{self, Claim},
};

/// How long an offer keeps a slot until the first report of its run. If it is shorter than a server needs to report,
/// more sites than the limit update at once.
const OFFERED: SignedDuration = SignedDuration::from_mins(15);

/// How long a run keeps its slot after a report, until it begins to install.
const PREPARING: SignedDuration = SignedDuration::from_hours(1);

/// How long a check waits for the database before it is answered without a slot.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes a slot for a site with an offer. If the database does not answer, the site gets none: a server that waits is
/// better than a whole group that updates at once.
pub async fn take(context: &Arc<Context>, claim: Claim) -> Slot {
    let attempt = async {
        // Reads first: most sites find the group full, and need not queue for a write to learn that.
        let now = context.clock.now();
        if !context.read(move |connection| Ok(group_slots::has_room(connection, claim, now)?)).await? {
            return Ok(false);
        }
        let take = move |connection: &mut _, now: Timestamp| {
            group_slots::take(connection, claim, now, now.saturating_add(OFFERED).unwrap_or(now))
        };
        context.append(take).await
    };
    slot(attempt).await
}

/// Whether a site would find a free slot at this moment. Takes none.
pub async fn look(context: &Arc<Context>, claim: Claim, at: Timestamp) -> Slot {
    slot(context.read(move |connection| Ok(group_slots::has_room(connection, claim, at)?))).await
}

async fn slot(found: impl Future<Output = Result<bool, Refusal>>) -> Slot {
    match tokio::time::timeout(PATIENCE, found).await {
        Ok(Ok(true)) => Slot::Free,
        Ok(Ok(false)) => Slot::Taken,
        Ok(Err(refusal)) => {
            tracing::warn!(code = %refusal.code, "a hosted server waits, as no slot can be had without the database");
            Slot::Taken
        }
        Err(_) => {
            tracing::warn!("a hosted server waits, as the database does not answer");
            Slot::Taken
        }
    }
}

/// How a reported run changes its site's slot: the group, the site, and until when the slot is kept; an inner `None`
/// frees it. The result is `None` in two cases: the run takes no slot (a scheduled run does not occupy the site, so the
/// time of the offer runs on), or the run was over before (the slot may belong to the site's next run by now).
#[must_use]
pub fn word_of(
    context: &Context,
    before: Option<&Run>,
    run: &Run,
    now: Timestamp,
) -> Option<(HostingGroupId, SubscriptionId, Option<Timestamp>)> {
    let site = run.subscription.filter(|_| run.component == Component::Server)?;
    let coverage = context.directory.coverage(site).filter(|coverage| coverage.deployment == Deployment::Cloud)?;
    let group = coverage.hosting_group?;
    let is_over = |run: &Run| run.ended_at.is_some() || run.lost_at.is_some();
    if is_over(run) {
        return before.is_none_or(|before| !is_over(before)).then_some((group, site, None));
    }
    context.directory.catalogue().group(group)?.max_concurrent?;
    let held = match run.stage {
        Stage::Scheduled => return None,
        // Counted from now. The moment when the run is lost can be years away if the updater's clock is wrong.
        Stage::Installing | Stage::Migrating => context.settings.lost_after,
        _ => PREPARING,
    };
    Some((group, site, now.checked_add(held).ok()))
}
