//! The slots of hosting groups: never more sites of a group are updated at once than may be. They are in the database, which
//! all replicas share; nothing else of a check is, and only a hosted server that would be offered something gets here.

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

/// How long an offer holds a slot for a run that has not been heard of.
const OFFERED: SignedDuration = SignedDuration::from_mins(15);

/// How long a run holds a slot from one report to the next, until it begins to install.
const PREPARING: SignedDuration = SignedDuration::from_hours(1);

/// How long a check waits for a database that does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes a slot for a site that would be offered something. Without the database there is none to be had: better that a server
/// waits for its turn than that a whole group is updated at once.
pub async fn take(context: &Arc<Context>, claim: Claim) -> Slot {
    let attempt = async {
        // Most of those that ask find the group full, and need not wait for one another to be told so.
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

/// What a site would find that asked at this moment. Takes no slot.
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

/// What was heard of a run, as a word on its site's slot: its group, the site, and until when it holds the slot; `None` inside
/// frees it. Nothing where the run takes none (a plan keeps nobody busy: the offer's time runs on), and where it was over before:
/// the slot may be that of the next one.
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
        // Not until it is lost: that may be years from now, where an updater's clock is wrong.
        Stage::Installing | Stage::Migrating => context.settings.lost_after,
        _ => PREPARING,
    };
    Some((group, site, now.checked_add(held).ok()))
}
