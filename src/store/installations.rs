//! `installations`: what the last check of each said about itself.

use diesel::prelude::*;
use jiff::Timestamp;

use super::{
    Connection, Page, StoreError,
    schema::installations,
    value::{Key, Moment, Name},
};
use crate::domain::{
    id::{InstallationId, ProductId, SubscriptionId},
    installation::Sighting,
    locale::LanguageTag,
    platform::{Component, MachineArch, Platform},
    slug::Slug,
    version::Version,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = installations, treat_none_as_null = true)]
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

/// An installation: its last sighting, and when it was first seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// What its last check said.
    pub last: Sighting,
    /// When it asked for the first time.
    pub first_seen_at: Timestamp,
}

impl Row {
    fn of(sighting: &Sighting, first_seen_at: Moment) -> Self {
        Self {
            product_id: Key(sighting.product),
            id: Key(sighting.installation),
            subscription_id: sighting.subscription.map(Key),
            component: Name(sighting.component),
            version: Name(sighting.version.clone()),
            platform: Name(sighting.platform),
            arch: Name(sighting.arch),
            channel: Name(sighting.channel.clone()),
            locale: sighting.locale.clone().map(Name),
            first_seen_at,
            last_seen_at: Moment(sighting.seen_at),
        }
    }

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
                seen_at: self.last_seen_at.0,
            },
            first_seen_at: self.first_seen_at.0,
        }
    }
}

/// Takes in sightings: the newest of each installation stays, and a check without a key does not take away whose it is.
///
/// # Errors
/// When the database cannot be written.
pub fn take_in(connection: &mut Connection, sightings: &[Sighting]) -> Result<(), StoreError> {
    for sighting in sightings {
        let place = installations::table.find((Key(sighting.product), Key(sighting.installation)));
        let known: Option<Row> = place.select(Row::as_select()).first(connection).optional()?;
        match known {
            Some(known) if known.last_seen_at.0 > sighting.seen_at => {}
            Some(known) => {
                let mut row = Row::of(sighting, known.first_seen_at);
                row.subscription_id = row.subscription_id.or(known.subscription_id);
                diesel::update(place).set(row).execute(connection)?;
            }
            None => {
                let row = Row::of(sighting, Moment(sighting.seen_at));
                diesel::insert_into(installations::table).values(row).execute(connection)?;
            }
        }
    }
    Ok(())
}

/// Which installations a list is to show; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of this product.
    pub product: Option<ProductId>,
    /// Of this subscription.
    pub subscription: Option<SubscriptionId>,
}

/// A page of installations, by product and id.
///
/// # Errors
/// When the database cannot be read.
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
    if let Some(product) = wanted.product {
        query = query.filter(installations::product_id.eq(Key(product)));
    }
    if let Some(subscription) = wanted.subscription {
        query = query.filter(installations::subscription_id.eq(Key(subscription)));
    }
    Ok(query.load(connection)?.into_iter().map(Row::into_domain).collect())
}
