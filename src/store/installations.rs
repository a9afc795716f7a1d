//! Table `installations`: what the last check of each installation said.

use std::collections::BTreeMap;

use diesel::prelude::*;
use jiff::Timestamp;

use super::{
    Connection, Page, StoreError,
    bulk::{Bulk, NewRow, Replace},
    schema::installations,
    value::{Key, Moment, Name},
};
use crate::domain::{
    id::{InstallationId, ProductId, SubscriptionId},
    installation::Sighting,
    locale::LanguageTag,
    platform::{Component, MachineArch, Platform},
    reach::Reach,
    slug::Slug,
    version::Version,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = installations)]
struct Row {
    product_id: Key<ProductId>,
    id: Key<InstallationId>,
    subscription_id: Option<Key<SubscriptionId>>,
    component: Name<Component>,
    version: Name<Version>,
    platform: Name<Platform>,
    arch: Name<MachineArch>,
    channel: Name<Slug>,
    locale: Option<Name<LanguageTag>>,
    first_seen_at: Moment,
    last_seen_at: Moment,
}

/// An installation, with its last sighting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    pub last: Sighting,
    /// When it checked for the first time.
    pub first_seen_at: Timestamp,
}

impl Row {
    fn into_domain(self) -> Installation {
        Installation {
            last: Sighting {
                installation: self.id.0,
                product: self.product_id.0,
                subscription: self.subscription_id.map(|id| id.0),
                component: self.component.0,
                version: self.version.0,
                platform: self.platform.0,
                arch: self.arch.0,
                channel: self.channel.0,
                locale: self.locale.map(|locale| locale.0),
                // The table `offers` stores offers, by site.
                offered: None,
                seen_at: self.last_seen_at.0,
            },
            first_seen_at: self.first_seen_at.0,
        }
    }
}

/// Rows in one statement: 11 values each, of the 32,766 that `SQLite` accepts.
const AT_ONCE: usize = 1000;

/// How a new sighting changes a known installation. One statement decides this, so that two replicas with sightings of
/// one installation do not undo each other's writes.
const NEWER_STAYS: Replace = Replace {
    kept: &[installations::first_seen_at::NAME],
    kept_without_value: &[installations::subscription_id::NAME],
    unless_smaller: Some(installations::last_seen_at::NAME),
};

/// Stores sightings: the newest of each installation. A sighting without a key does not remove the installation's
/// subscription.
pub fn take_in(connection: &mut Connection, sightings: &[Sighting]) -> Result<(), StoreError> {
    // In the order of the key, so that two transactions on the same installations cannot deadlock.
    let mut newest: BTreeMap<(ProductId, InstallationId), &Sighting> = BTreeMap::new();
    for sighting in sightings {
        let place = newest.entry((sighting.product, sighting.installation)).or_insert(sighting);
        if place.seen_at < sighting.seen_at {
            *place = sighting;
        }
    }
    let mut rows = newest.into_values().map(new_row).peekable();
    while rows.peek().is_some() {
        Bulk::of(rows.by_ref().take(AT_ONCE).collect()).replacing(NEWER_STAYS).insert(connection)?;
    }
    Ok(())
}

fn new_row(sighting: &Sighting) -> impl NewRow<Table = installations::table> {
    let seen_at = Moment(sighting.seen_at);
    (
        (installations::product_id, Key(sighting.product)),
        (installations::id, Key(sighting.installation)),
        (installations::subscription_id, sighting.subscription.map(Key)),
        (installations::component, Name(sighting.component)),
        (installations::version, Name(sighting.version.clone())),
        (installations::platform, Name(sighting.platform)),
        (installations::arch, Name(sighting.arch)),
        (installations::channel, Name(sighting.channel.clone())),
        (installations::locale, sighting.locale.clone().map(Name)),
        (installations::first_seen_at, seen_at),
        (installations::last_seen_at, seen_at),
    )
}

/// The platform of the last stored sighting.
pub fn platform(
    connection: &mut Connection,
    product: ProductId,
    id: InstallationId,
) -> Result<Option<Platform>, StoreError> {
    let place = installations::table.find((Key(product), Key(id))).select(installations::platform);
    let platform: Option<Name<Platform>> = place.first(connection).optional()?;
    Ok(platform.map(|platform| platform.0))
}

/// The filter of a list of installations; `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only products within this reach.
    pub reach: Reach,
    pub subscription: Option<SubscriptionId>,
}

/// A page of installations, by product and id.
pub fn matching(
    connection: &mut Connection,
    wanted: &Wanted,
    page: Page<(ProductId, InstallationId)>,
) -> Result<Vec<Installation>, StoreError> {
    let mut query = installations::table
        .order((installations::product_id, installations::id))
        .limit(page.limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some((product, id)) = page.after {
        query = query.filter(
            installations::product_id
                .gt(Key(product))
                .or(installations::product_id.eq(Key(product)).and(installations::id.gt(Key(id)))),
        );
    }
    if let Some(products) = wanted.reach.products() {
        query = query.filter(installations::product_id.eq_any(products.iter().copied().map(Key)));
    }
    if let Some(subscription) = wanted.subscription {
        query = query.filter(installations::subscription_id.eq(Key(subscription)));
    }
    Ok(query.load(connection)?.into_iter().map(Row::into_domain).collect())
}
