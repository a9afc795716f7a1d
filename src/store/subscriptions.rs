//! Table `subscriptions`: one row for each subscription.

use std::{collections::HashMap, sync::Arc};

use diesel::prelude::*;
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use super::{
    BATCH, Connection, Page, StoreError,
    changes::{SUBSCRIPTION, Stretch},
    locks,
    schema::{changes, customers, subscriptions},
    streams, transaction,
    value::{Json, Key, Moment, Name},
};
use crate::domain::{
    id::{CustomerId, HostingGroupId, ProductId, SubscriptionId},
    line::Line,
    reach::Reach,
    slug::Slug,
    subscription::{Coverage, Deployment, Subscription, SubscriptionState},
    version::Requirement,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = subscriptions, treat_none_as_null = true)]
struct Row {
    id: Key<SubscriptionId>,
    customer_id: Key<CustomerId>,
    product_id: Key<ProductId>,
    deployment: Name<Deployment>,
    state: Name<SubscriptionState>,
    starts_on: Name<Date>,
    ends_on: Option<Name<Date>>,
    grace_days: i64,
    channels: Json<Vec<Slug>>,
    version_req: Option<Name<Requirement>>,
    hosting_group_id: Option<Key<HostingGroupId>>,
    external_ref: Option<Name<Line>>,
    renews: bool,
    created_at: Moment,
    revision: i64,
}

impl Row {
    fn of(subscription: &Subscription) -> Self {
        let coverage = &subscription.coverage;
        Self {
            id: Key(coverage.id),
            customer_id: Key(subscription.customer),
            product_id: Key(coverage.product),
            deployment: Name(coverage.deployment),
            state: Name(coverage.state),
            starts_on: Name(coverage.starts_on),
            ends_on: coverage.ends_on.map(Name),
            grace_days: i64::from(coverage.grace_days),
            channels: Json(coverage.channels.to_vec()),
            version_req: coverage.version_req.as_deref().cloned().map(Name),
            hosting_group_id: coverage.hosting_group.map(Key),
            external_ref: subscription.external_ref.clone().map(Name),
            renews: subscription.renews,
            created_at: Moment(subscription.created_at),
            revision: subscription.revision,
        }
    }

    fn into_domain(self) -> Result<Subscription, StoreError> {
        let grace_days = grace_days(self.id.0, self.grace_days)?;
        Ok(Subscription {
            coverage: Coverage {
                id: self.id.0,
                product: self.product_id.0,
                deployment: self.deployment.0,
                state: self.state.0,
                starts_on: self.starts_on.0,
                ends_on: self.ends_on.map(|day| day.0),
                grace_days,
                channels: self.channels.0.into(),
                version_req: self.version_req.map(|requirement| requirement.0.into()),
                hosting_group: self.hosting_group_id.map(|id| id.0),
            },
            customer: self.customer_id.0,
            external_ref: self.external_ref.map(|reference| reference.0),
            renews: self.renews,
            created_at: self.created_at.0,
            revision: self.revision,
        })
    }
}

fn grace_days(id: SubscriptionId, days: i64) -> Result<u16, StoreError> {
    u16::try_from(days)
        .map_err(|_| StoreError::Damaged(format!("subscription {id} in the database has {days} days of grace")))
}

/// The columns of a subscription that decisions depend on. There may be a million rows, and all are read at the start.
#[derive(Queryable, Selectable)]
#[diesel(table_name = subscriptions)]
struct CoverageRow {
    id: Key<SubscriptionId>,
    product_id: Key<ProductId>,
    deployment: Name<Deployment>,
    state: Name<SubscriptionState>,
    starts_on: Name<Date>,
    ends_on: Option<Name<Date>>,
    grace_days: i64,
    channels: String,
    version_req: Option<Name<Requirement>>,
    hosting_group_id: Option<Key<HostingGroupId>>,
}

impl CoverageRow {
    fn into_domain(self, lists: &mut ChannelLists) -> Result<Coverage, StoreError> {
        Ok(Coverage {
            id: self.id.0,
            product: self.product_id.0,
            deployment: self.deployment.0,
            state: self.state.0,
            starts_on: self.starts_on.0,
            ends_on: self.ends_on.map(|day| day.0),
            grace_days: grace_days(self.id.0, self.grace_days)?,
            channels: lists.read(self.channels)?,
            version_req: self.version_req.map(|requirement| requirement.0.into()),
            hosting_group: self.hosting_group_id.map(|id| id.0),
        })
    }
}

/// The lists of channels that were read so far, by their JSON text. A million subscriptions share a handful of lists.
#[derive(Default)]
struct ChannelLists(HashMap<String, Arc<[Slug]>>);

impl ChannelLists {
    fn read(&mut self, text: String) -> Result<Arc<[Slug]>, StoreError> {
        if let Some(known) = self.0.get(&text) {
            return Ok(Arc::clone(known));
        }
        let list: Vec<Slug> = serde_json::from_str(&text).map_err(|error| {
            StoreError::Damaged(format!("a subscription in the database has channels that are none: {error}"))
        })?;
        let list: Arc<[Slug]> = list.into();
        self.0.insert(text, Arc::clone(&list));
        Ok(list)
    }
}

/// The filter of a list of subscriptions; `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub customer: Option<CustomerId>,
    /// Only products within this reach.
    pub reach: Reach,
    pub state: Option<SubscriptionState>,
    /// The last covered day is before this day.
    pub ends_before: Option<Date>,
}

/// Calls `each` with the coverage of every subscription, one at a time: there may be a million.
pub fn for_each_coverage(connection: &mut Connection, mut each: impl FnMut(Coverage)) -> Result<(), StoreError> {
    let mut lists = ChannelLists::default();
    let mut last: Option<Key<SubscriptionId>> = None;
    let streams = streams(connection);
    loop {
        let mut query = subscriptions::table.select(CoverageRow::as_select()).into_boxed();
        if !streams {
            query = query.order(subscriptions::id).limit(BATCH);
        }
        if let Some(last) = last {
            query = query.filter(subscriptions::id.gt(last));
        }
        let before = last;
        for row in query.load_iter(connection)? {
            let row: CoverageRow = row?;
            last = Some(row.id);
            each(row.into_domain(&mut lists)?);
        }
        if streams || last == before {
            return Ok(());
        }
    }
}

/// Calls `each` with the coverage of the subscriptions that a stretch of the change log names.
pub fn for_each_changed(
    connection: &mut Connection,
    Stretch { after, up_to }: Stretch,
    mut each: impl FnMut(Coverage),
) -> Result<(), StoreError> {
    let mut lists = ChannelLists::default();
    let named = changes::table
        .filter(changes::id.gt(after).and(changes::id.le(up_to)).and(changes::kind.eq(SUBSCRIPTION)))
        .select(changes::first);
    let query = subscriptions::table.filter(subscriptions::id.eq_any(named)).select(CoverageRow::as_select());
    for row in query.load_iter(connection)? {
        let row: CoverageRow = row?;
        each(row.into_domain(&mut lists)?);
    }
    Ok(())
}

/// Locks subscriptions until the transaction ends. Transactions that count their votes, mails or webhook messages then
/// run one after the other.
pub fn hold(
    connection: &mut Connection,
    subscriptions: impl Iterator<Item = SubscriptionId>,
) -> Result<(), StoreError> {
    let subscriptions: Vec<Uuid> = subscriptions.map(|id| id.0).collect();
    transaction::hold_all(connection, locks::SUBSCRIPTION, &subscriptions)
}

/// A subscription that ends soon, with its customer's name.
#[derive(Clone, Debug)]
pub struct EndingRow {
    pub id: SubscriptionId,
    pub product: ProductId,
    /// The last covered day.
    pub ends_on: Date,
    /// Whether it will be renewed.
    pub renews: bool,
    pub created_at: Timestamp,
    /// The name of the customer.
    pub customer: String,
}

/// Calls `each` with the active subscriptions that end from `first` to `last`, both included. With `created_after`,
/// only with those that were created after it.
pub fn for_each_ending(
    connection: &mut Connection,
    first: Date,
    last: Date,
    created_after: Option<Timestamp>,
    mut each: impl FnMut(EndingRow),
) -> Result<(), StoreError> {
    type Columns = (Key<SubscriptionId>, Key<ProductId>, Option<Name<Date>>, bool, Moment, String);
    let mut query = subscriptions::table
        .inner_join(customers::table)
        .filter(subscriptions::ends_on.ge(first.to_string()))
        .filter(subscriptions::ends_on.le(last.to_string()))
        .filter(subscriptions::state.eq(SubscriptionState::Active.as_str()))
        .select((
            subscriptions::id,
            subscriptions::product_id,
            subscriptions::ends_on,
            subscriptions::renews,
            subscriptions::created_at,
            customers::name,
        ))
        .into_boxed();
    if let Some(after) = created_after {
        query = query.filter(subscriptions::created_at.gt(Moment(after)));
    }
    for row in query.load_iter(connection)? {
        let (id, product, ends_on, renews, created_at, customer): Columns = row?;
        let Some(ends_on) = ends_on else { continue };
        let (id, product, ends_on, created_at) = (id.0, product.0, ends_on.0, created_at.0);
        each(EndingRow { id, product, ends_on, renews, created_at, customer });
    }
    Ok(())
}

/// The subscription with this id.
pub fn get(connection: &mut Connection, id: SubscriptionId) -> Result<Option<Subscription>, StoreError> {
    subscriptions::table
        .find(Key(id))
        .select(Row::as_select())
        .first(connection)
        .optional()?
        .map(Row::into_domain)
        .transpose()
}

/// A page of subscriptions, in the order of their creation.
pub fn matching(
    connection: &mut Connection,
    wanted: &Wanted,
    page: Page<SubscriptionId>,
) -> Result<Vec<Subscription>, StoreError> {
    let mut query =
        subscriptions::table.select(Row::as_select()).order(subscriptions::id).limit(page.limit).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(subscriptions::id.gt(Key(after)));
    }
    if let Some(customer) = wanted.customer {
        query = query.filter(subscriptions::customer_id.eq(Key(customer)));
    }
    if let Some(products) = wanted.reach.products() {
        query = query.filter(subscriptions::product_id.eq_any(products.iter().copied().map(Key)));
    }
    if let Some(state) = wanted.state {
        query = query.filter(subscriptions::state.eq(state.as_str()));
    }
    if let Some(day) = wanted.ends_before {
        query = query.filter(subscriptions::ends_on.lt(day.to_string()));
    }
    query.load(connection)?.into_iter().map(Row::into_domain).collect()
}

/// Whether a subscription of the product has this external reference.
pub fn has_external_ref(connection: &mut Connection, product: ProductId, reference: &Line) -> Result<bool, StoreError> {
    let having = subscriptions::table
        .filter(subscriptions::external_ref.eq(&**reference))
        .filter(subscriptions::product_id.eq(Key(product)))
        .select(subscriptions::id);
    Ok(diesel::select(diesel::dsl::exists(having)).get_result(connection)?)
}

/// The channels that the product's subscriptions name. They cannot be removed.
pub fn channels_in_use(connection: &mut Connection, product: ProductId) -> Result<Vec<Slug>, StoreError> {
    let rows: Vec<Json<Vec<Slug>>> = subscriptions::table
        .filter(subscriptions::product_id.eq(Key(product)))
        .select(subscriptions::channels)
        .distinct()
        .load(connection)?;
    Ok(rows.into_iter().flat_map(|channels| channels.0).collect())
}

/// Adds the row of a subscription.
pub fn insert(connection: &mut Connection, subscription: &Subscription) -> Result<(), StoreError> {
    diesel::insert_into(subscriptions::table).values(Row::of(subscription)).execute(connection)?;
    Ok(())
}

/// Replaces the row of a subscription.
pub fn update(connection: &mut Connection, subscription: &Subscription) -> Result<(), StoreError> {
    diesel::update(subscriptions::table.find(Key(subscription.coverage.id)))
        .set(Row::of(subscription))
        .execute(connection)?;
    Ok(())
}
