//! `group_slots`: hosted sites that are being updated, or were just offered an update, in groups that limit how many at once.

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

/// What a site says that would be offered an update.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Its group.
    pub group: HostingGroupId,
    /// The site.
    pub site: SubscriptionId,
    /// How many slots the group has.
    pub limit: u32,
}

/// Whether a site would get a slot at this moment, or has one. Takes none, and holds nobody up.
///
/// # Errors
/// When the database cannot be read.
pub fn has_room(connection: &mut Connection, claim: Claim, now: Timestamp) -> Result<bool, StoreError> {
    let held: Vec<Key<SubscriptionId>> = group_slots::table
        .filter(group_slots::hosting_group_id.eq(Key(claim.group)))
        .filter(group_slots::free_at.gt(Moment(now)))
        .select(group_slots::subscription_id)
        .load(connection)?;
    Ok(held.contains(&Key(claim.site)) || held.len() < usize::try_from(claim.limit).unwrap_or(usize::MAX))
}

/// Takes a slot until `until`, where there is one; `false` where there is none. A site that has one keeps it, at least until
/// then. Claims on one group come one after the other, so that there are never more than there may be.
///
/// # Errors
/// When the database cannot be written.
pub fn take(connection: &mut Connection, claim: Claim, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
    transaction::hold(connection, locks::GROUP, claim.group.0)?;
    let there_is_one = has_room(connection, claim, now)?;
    if there_is_one {
        keep(connection, claim.group, claim.site, until, LATER_STAYS)?;
    }
    Ok(there_is_one)
}

/// What reports say of slots: until when each site has one, or that it needs none any more. Of several words on one site the one
/// that reaches furthest counts, as they come in no order.
///
/// # Errors
/// When the database cannot be written.
pub fn reported(
    connection: &mut Connection,
    words: &[(HostingGroupId, SubscriptionId, Option<Timestamp>)],
) -> Result<(), StoreError> {
    // In the order of the sites, so that two that write the same ones wait for each other one way only.
    let mut furthest: BTreeMap<SubscriptionId, (Option<Timestamp>, HostingGroupId)> = BTreeMap::new();
    for (group, site, until) in words {
        let word = furthest.entry(*site).or_insert((*until, *group));
        *word = (*word).max((*until, *group));
    }
    for (site, (until, group)) in furthest {
        match until {
            Some(until) => keep(connection, group, site, until, Replace::ALL)?,
            // In every group: the site may have been in another one when the update began.
            None => drop(
                diesel::delete(group_slots::table.filter(group_slots::subscription_id.eq(Key(site))))
                    .execute(connection)?,
            ),
        }
    }
    Ok(())
}

/// A slot that a site has until later stays as it is.
const LATER_STAYS: Replace = Replace { unless_smaller: Some(group_slots::free_at::NAME), ..Replace::ALL };

/// Gives a site a slot until a moment.
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
