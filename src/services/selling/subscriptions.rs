//! Subscriptions: added, changed, renewed, suspended and cancelled by staff.

use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        id::{CustomerId, LicenseKeyId, SubscriptionId},
        line::Line,
        named_enum,
        page::Page,
        patch::{Patch, patch_body},
        product::Product,
        reach::Reach,
        slug::Slug,
        subscription::{Coverage, Deployment, Status, Subscription, SubscriptionState},
        version::Requirement,
    },
    services::{
        desk::{Code, Context, Expected, Faults, Refusal, Write, lookup},
        selling::{
            customers, hosting_groups,
            license_keys::{self, Issued},
        },
        telling::events,
    },
    signing::KeyRing,
    store,
};

pub use crate::store::subscriptions::Wanted;

/// A new subscription.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSubscription {
    /// Whose it is.
    pub customer_id: CustomerId,
    /// The slug of the product.
    #[schema(example = "office-maker")]
    pub product: Slug,
    /// How the customer runs it.
    pub deployment: Deployment,
    /// The first covered day.
    #[schema(value_type = String, format = Date, example = "2026-01-01")]
    pub starts_on: Date,
    /// The last covered day; `null` for no end. It must be said which.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<String>, required = true, format = Date, example = "2026-12-31")]
    pub ends_on: Option<Date>,
    /// Days after `ends_on` that are covered too; 0 unless given.
    #[serde(default)]
    #[schema(maximum = 3650)]
    pub grace_days: u16,
    /// The channels it may be answered on; the product's most stable one unless given.
    #[schema(min_items = 1, max_items = 16)]
    pub channels: Option<Vec<Slug>>,
    /// The versions it is pinned to.
    pub version_req: Option<Requirement>,
    /// The slug of its hosting group; needed for `cloud`, and only for it.
    pub hosting_group: Option<Slug>,
    /// What the vendor's other systems call it.
    pub external_ref: Option<Line>,
    /// A key that the vendor has in the field already; a new one is made unless given.
    #[schema(min_length = 16, max_length = 128, pattern = "^[!-~]+$")]
    pub license_key: Option<String>,
}

patch_body! {
    /// A change to a subscription: what is absent stays as it is, `null` clears what can be cleared.
    #[derive(Debug)]
    pub struct SubscriptionChange {
        /// How the customer runs it.
        pub deployment: Patch<Deployment>,
        /// The first covered day.
        pub starts_on: Patch<Date>,
        /// The last covered day; `null` for no end.
        pub ends_on: Patch<Option<Date>>,
        /// Days after `ends_on` that are covered too.
        #[schema(maximum = 3650)]
        pub grace_days: Patch<u16>,
        /// The channels it may be answered on.
        #[schema(min_items = 1, max_items = 16)]
        pub channels: Patch<Vec<Slug>>,
        /// The versions it is pinned to.
        pub version_req: Patch<Option<Requirement>>,
        /// The slug of its hosting group.
        pub hosting_group: Patch<Option<Slug>>,
        /// What the vendor's other systems call it.
        pub external_ref: Patch<Option<Line>>,
    }
}

/// Until when a subscription is renewed.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// The new last covered day; `null` for no end.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<String>, required = true, format = Date, example = "2027-12-31")]
    pub ends_on: Option<Date>,
}

named_enum! {
    /// When a cancellation takes effect.
    CancelAt, "time of cancellation" {
        /// At `ends_on`: it is not renewed.
        End = "end",
        /// At once.
        Now = "now",
    }
}

/// When a subscription is to be over.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    /// At its end (unless given otherwise) or at once.
    pub at: Option<CancelAt>,
}

/// An action on a subscription.
#[derive(Clone, Debug)]
pub enum Action {
    Change(Box<SubscriptionChange>),
    Renew(Renewal),
    Suspend,
    Resume,
    Cancel(Cancellation),
}

/// Checks the rules that the types do not enforce, against the product.
fn check(product: &Product, subscription: &Subscription) -> Result<(), Refusal> {
    let coverage = &subscription.coverage;
    let mut faults = Faults::default();
    if coverage.ends_on.is_some_and(|end| end < coverage.starts_on) {
        faults.add("ends_on", "must not be before starts_on");
    }
    if coverage.grace_days > 3650 {
        faults.add("grace_days", "must be at most 3650");
    }
    if coverage.channels.is_empty() {
        faults.add("channels", "must name at least one channel");
    }
    for (index, channel) in coverage.channels.iter().enumerate() {
        if product.channels.rank(channel).is_none() {
            faults.add(
                &format!("channels[{index}]"),
                format!("`{channel}` is not a channel of `{}`; expected {}", product.slug, product.channels.listed()),
            );
        }
    }
    match (coverage.deployment, coverage.hosting_group) {
        (Deployment::Cloud, None) => faults.add("hosting_group", "is needed for the deployment `cloud`"),
        (Deployment::SingleUser | Deployment::MultiUser, Some(_)) => {
            faults.add("hosting_group", "is only for the deployment `cloud`; set it to null");
        }
        _ => {}
    }
    faults.finish()
}

fn group_id(write: &mut Write<'_>, slug: Option<Slug>) -> Result<Option<crate::domain::id::HostingGroupId>, Refusal> {
    let Some(slug) = slug else { return Ok(None) };
    let group = store::hosting_groups::by_slug(write.connection, &slug)?;
    group.map(|group| Some(group.id)).ok_or_else(|| hosting_groups::not_found(slug.as_str()))
}

/// The ids of a new subscription and of its first license key.
#[derive(Clone, Copy, Debug)]
pub(in crate::services) struct Ids {
    pub subscription: SubscriptionId,
    pub license_key: LicenseKeyId,
}

/// Adds a subscription with a license key, within a write.
pub(in crate::services) fn add_within(
    write: &mut Write<'_>,
    keys: &KeyRing,
    reach: &Reach,
    ids: Ids,
    new: NewSubscription,
) -> Result<(Subscription, Issued), Refusal> {
    let product = lookup::product_within(write.connection, reach, &new.product)?;
    customers::find(write.connection, reach, new.customer_id)?;
    let hosting_group = group_id(write, new.hosting_group)?;
    let channels = new.channels.unwrap_or_else(|| product.channels.at(0).into_iter().cloned().collect());
    let subscription = Subscription {
        coverage: Coverage {
            id: ids.subscription,
            product: product.id,
            deployment: new.deployment,
            state: SubscriptionState::Active,
            starts_on: new.starts_on,
            ends_on: new.ends_on,
            grace_days: new.grace_days,
            channels: channels.into(),
            version_req: new.version_req.map(Arc::new),
            hosting_group,
        },
        customer: new.customer_id,
        external_ref: new.external_ref,
        renews: true,
        created_at: write.now,
        revision: 1,
    };
    check(&product, &subscription)?;
    store::subscriptions::insert(write.connection, &subscription)?;
    write.made("subscription.add", &subscription)?;
    let imported = new.license_key.as_deref();
    let issued = license_keys::add(write, keys, ids.license_key, subscription.coverage.id, imported)?;
    events::subscription_changed(write, &product, &subscription)?;
    Ok((subscription, issued))
}

/// Adds a subscription with a license key.
///
/// # Errors
/// `body_invalid`, `license_key_exists`.
pub async fn add(
    context: &Arc<Context>,
    reach: Reach,
    new: NewSubscription,
) -> Result<(Subscription, Issued), Refusal> {
    let keys = Arc::clone(context);
    context
        .write(move |write| {
            let ids = Ids { subscription: write.new_id(), license_key: write.new_id() };
            add_within(write, &keys.keys.load(), &reach, ids, new)
        })
        .await
}

/// The subscription with this id.
///
/// # Errors
/// `subscription_not_found`.
pub async fn get(context: &Arc<Context>, reach: Reach, id: SubscriptionId) -> Result<Subscription, Refusal> {
    context.read(move |connection| lookup::subscription(connection, &reach, id)).await
}

/// A page of the matching subscriptions with this status now.
pub async fn list(
    context: &Arc<Context>,
    mut wanted: Wanted,
    status: Option<Status>,
    mut page: Page<SubscriptionId>,
) -> Result<Vec<Subscription>, Refusal> {
    // The database filters by state. The rest of the status depends on the day in the product's time zone, so it is
    // filtered here.
    wanted.state = status.map(|status| match status {
        Status::Suspended => SubscriptionState::Suspended,
        Status::Cancelled => SubscriptionState::Cancelled,
        Status::Pending | Status::Active | Status::Grace | Status::Expired => SubscriptionState::Active,
    });
    let now = context.clock.now();
    let desk = Arc::clone(context);
    context
        .read(move |connection| {
            let catalogue = desk.directory.catalogue();
            let fits = |subscription: &Subscription| {
                let zone = catalogue.product_by_id(subscription.coverage.product).map(|entry| &entry.product.timezone);
                status.is_none_or(|status| zone.is_some_and(|zone| subscription.coverage.status(zone, now) == status))
            };
            let limit = usize::try_from(page.limit).unwrap_or(0);
            let mut found = Vec::new();
            page.limit = page.limit.max(1000);
            loop {
                let read = store::subscriptions::matching(connection, &wanted, page)?;
                let ended = i64::try_from(read.len()).unwrap_or(0) < page.limit;
                page.after = read.last().map(|last| last.coverage.id);
                found.extend(read.into_iter().filter(fits));
                if ended || found.len() >= limit {
                    found.truncate(limit);
                    return Ok(found);
                }
            }
        })
        .await
}

/// Carries out an action on a subscription.
///
/// # Errors
/// `subscription_not_found`, `precondition_failed`, `body_invalid`, `subscription_cancelled`, `subscription_endless`.
pub async fn act(
    context: &Arc<Context>,
    reach: Reach,
    id: SubscriptionId,
    expected: Expected,
    action: Action,
) -> Result<Subscription, Refusal> {
    context.write(move |write| act_within(write, &reach, id, &expected, action)).await
}

/// Carries out an action on a subscription, within a write.
pub(in crate::services) fn act_within(
    write: &mut Write<'_>,
    reach: &Reach,
    id: SubscriptionId,
    expected: &Expected,
    action: Action,
) -> Result<Subscription, Refusal> {
    let mut subscription = lookup::subscription(write.connection, reach, id)?;
    expected.check(subscription.revision)?;
    let product = store::products::get(write.connection, subscription.coverage.product)?
        .ok_or_else(|| Refusal::internal(&"a subscription's product is gone"))?;
    let before = subscription.clone();
    let name = action.name();
    apply(write, &mut subscription, action)?;
    check(&product, &subscription)?;
    if write.save(name, &before, &mut subscription)? {
        events::subscription_changed(write, &product, &subscription)?;
    }
    Ok(subscription)
}

impl Action {
    /// The name of the action in the audit log.
    const fn name(&self) -> &'static str {
        match self {
            Self::Change(_) => "subscription.change",
            Self::Renew(_) => "subscription.renew",
            Self::Suspend => "subscription.suspend",
            Self::Resume => "subscription.resume",
            Self::Cancel(_) => "subscription.cancel",
        }
    }
}

fn apply(write: &mut Write<'_>, subscription: &mut Subscription, action: Action) -> Result<(), Refusal> {
    let id = subscription.coverage.id;
    let cancelled =
        || Refusal::new(Code::SubscriptionCancelled, format!("subscription {id} is cancelled; sell a new one"));
    match action {
        Action::Change(change) => change_fields(write, subscription, *change)?,
        _ if subscription.coverage.state == SubscriptionState::Cancelled => return Err(cancelled()),
        Action::Renew(renewal) => {
            subscription.coverage.ends_on = renewal.ends_on;
            subscription.renews = true;
        }
        Action::Suspend => subscription.coverage.state = SubscriptionState::Suspended,
        Action::Resume => subscription.coverage.state = SubscriptionState::Active,
        Action::Cancel(Cancellation { at: Some(CancelAt::Now) }) => {
            subscription.coverage.state = SubscriptionState::Cancelled;
            subscription.renews = false;
        }
        Action::Cancel(_) if subscription.coverage.ends_on.is_none() => {
            return Err(Refusal::new(
                Code::SubscriptionEndless,
                format!("subscription {id} has no end to run to; cancel it with `at`: `now`, or give it an end first"),
            ));
        }
        Action::Cancel(_) => subscription.renews = false,
    }
    Ok(())
}

fn change_fields(
    write: &mut Write<'_>,
    subscription: &mut Subscription,
    change: SubscriptionChange,
) -> Result<(), Refusal> {
    let coverage = &mut subscription.coverage;
    change.deployment.apply(&mut coverage.deployment);
    change.starts_on.apply(&mut coverage.starts_on);
    change.ends_on.apply(&mut coverage.ends_on);
    change.grace_days.apply(&mut coverage.grace_days);
    if let Patch::Set(channels) = change.channels {
        coverage.channels = channels.into();
    }
    if let Patch::Set(requirement) = change.version_req {
        coverage.version_req = requirement.map(Arc::new);
    }
    if let Patch::Set(slug) = change.hosting_group {
        coverage.hosting_group = group_id(write, slug)?;
    }
    change.external_ref.apply(&mut subscription.external_ref);
    Ok(())
}
