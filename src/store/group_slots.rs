//! Table `group_slots`: the slots of hosting groups that limit their concurrent updates. A site takes a slot when it is
//! offered an update, and keeps it during the update.

use std::collections::BTreeMap;

use diesel::prelude::*;
use jiff::Timestamp;

use super::{
    Connection, StoreError,
    bulk::{Bulk, Replace},
    locks,
    schema::group_slots,
    transaction,
    value::{Key, Moment},
};
use crate::domain::id::{HostingGroupId, SubscriptionId};

/// A site's claim on a slot of its hosting group.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    pub group: HostingGroupId,
    pub site: SubscriptionId,
    /// The number of slots of the group.
    pub limit: u32,
}

/// Whether the site has a slot, or could get one now. Takes no slot and locks nothing.
pub fn has_room(connection: &mut Connection, claim: Claim, now: Timestamp) -> Result<bool, StoreError> {
    let held: Vec<Key<SubscriptionId>> = group_slots::table
        .filter(group_slots::hosting_group_id.eq(Key(claim.group)))
        .filter(group_slots::free_at.gt(Moment(now)))
        .select(group_slots::subscription_id)
        .load(connection)?;
    Ok(held.contains(&Key(claim.site)) || held.len() < usize::try_from(claim.limit).unwrap_or(usize::MAX))
}

/// Takes a slot until `until`; `false` if no slot is free. A site that has a slot keeps it, at least until `until`.
/// Claims on one group run one after the other, so that the limit is never exceeded.
pub fn take(connection: &mut Connection, claim: Claim, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
    transaction::hold(connection, locks::GROUP, claim.group.0)?;
    let there_is_one = has_room(connection, claim, now)?;
    if there_is_one {
        keep(connection, claim.group, claim.site, until, LATER_STAYS)?;
    }
    Ok(there_is_one)
}

/// Stores how reports change the slots: until when a site keeps its slot, or `None` if it frees it. Of several reports
/// on one site the latest time counts, because reports come in no order.
pub fn reported(
    connection: &mut Connection,
    words: &[(HostingGroupId, SubscriptionId, Option<Timestamp>)],
) -> Result<(), StoreError> {
    // In the order of the sites, so that two transactions on the same sites cannot deadlock.
    let mut furthest: BTreeMap<SubscriptionId, (Option<Timestamp>, HostingGroupId)> = BTreeMap::new();
    for (group, site, until) in words {
        let word = furthest.entry(*site).or_insert((*until, *group));
        *word = (*word).max((*until, *group));
    }
    for (site, (until, group)) in furthest {
        match until {
            Some(until) => keep(connection, group, site, until, Replace::ALL)?,
            // In all groups: the site may have been in another group when the update began.
            None => drop(
                diesel::delete(group_slots::table.filter(group_slots::subscription_id.eq(Key(site))))
                    .execute(connection)?,
            ),
        }
    }
    Ok(())
}

/// A slot that ends later does not change.
const LATER_STAYS: Replace = Replace { unless_smaller: Some(group_slots::free_at::NAME), ..Replace::ALL };

/// Gives a site a slot until `until`.
fn keep(
    connection: &mut Connection,
    group: HostingGroupId,
    site: SubscriptionId,
    until: Timestamp,
    how: Replace,
) -> Result<(), StoreError> {
    let row = (
        (group_slots::hosting_group_id, Key(group)),
        (group_slots::subscription_id, Key(site)),
        (group_slots::free_at, Moment(until)),
    );
    Bulk::of(vec![row]).replacing(how).insert(connection)
}
