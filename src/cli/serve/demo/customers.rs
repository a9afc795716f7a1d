//! The demo's customers, with their subscriptions, license keys, installations and updates.

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use serde::Deserialize;

use super::{id, read};
use crate::{
    cli::failure::Failure,
    domain::{
        id::{InstallationId, LicenseKeyId, ProductId, RunId, SubscriptionId},
        installation::Sighting,
        locale::LanguageTag,
        platform::{Component, MachineArch, Platform},
        run::{Failure as RunFailure, FailureClass, Outcome, Run, Stage},
        slug::Slug,
        subscription::Deployment,
        version::{Requirement, Version},
        zone::utc_day,
    },
    services::{
        running::seed_vendor::{SeedSubscription, Vendor},
        selling::{
            customers::NewCustomer,
            subscriptions::{Action, CancelAt, Cancellation, NewSubscription},
        },
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Customers {
    customer: Vec<CustomerLine>,
    run: Vec<RunLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerLine {
    about: NewCustomer,
    subscription: Vec<SubscriptionLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscriptionLine {
    product: Slug,
    deployment: Deployment,
    starts: i64,
    ends: Option<i64>,
    #[serde(default)]
    grace: u16,
    channels: Option<Vec<Slug>>,
    pin: Option<Requirement>,
    group: Option<Slug>,
    action: Option<Done>,
    #[serde(default)]
    keys: Vec<String>,
    runs: Option<Version>,
    on: Option<Platform>,
}

/// What the staff did with a subscription.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Suspend,
    Cancel,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunLine {
    subscription: usize,
    component: Component,
    from: Version,
    to: Version,
    days_ago: i64,
    stage: Stage,
    outcome: Option<Outcome>,
    error: Option<ErrorLine>,
    notify_email: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorLine {
    class: FailureClass,
    code: String,
    message: String,
}

/// Enters the customers as of `now`. The products must exist.
pub(super) fn enter(vendor: &mut Vendor, now: Timestamp) -> Result<(), Failure> {
    let read: Customers = read("customers.toml", include_str!("customers.toml"))?;
    let today = utc_day(now);
    for (index, customer) in read.customer.into_iter().enumerate() {
        let customer_id = id(0xc, index + 1);
        let locale = customer.about.locale.clone();
        vendor.customers.push((customer_id, customer.about));
        for line in customer.subscription {
            let number = vendor.subscriptions.len() + 1;
            vendor.sightings.extend(sighting(vendor, number, &line, locale.as_ref(), now));
            vendor.subscriptions.push(subscription(number, line, customer_id, today));
        }
    }
    for (index, line) in read.run.into_iter().enumerate() {
        let run = run(vendor, index, line, now)?;
        vendor.runs.push(run);
    }
    Ok(())
}

fn subscription(
    number: usize,
    line: SubscriptionLine,
    customer_id: crate::domain::id::CustomerId,
    today: Date,
) -> SeedSubscription {
    let day = |offset: i64| today.saturating_add(offset.days());
    let mut keys = line.keys.into_iter();
    let new = NewSubscription {
        customer_id,
        product: line.product,
        deployment: line.deployment,
        starts_on: day(line.starts),
        ends_on: line.ends.map(day),
        grace_days: line.grace,
        channels: line.channels,
        version_req: line.pin,
        hosting_group: line.group,
        external_ref: format!("INV-{}", 20_000 + number).parse().ok(),
        license_key: keys.next(),
    };
    // Further keys have their own numbers, so that the first keys share the numbers of their subscriptions.
    let more_keys = keys.map(|key| (id::<LicenseKeyId>(0xbb, number), key)).collect();
    let action = line.action.map(|done| match done {
        Done::Suspend => Action::Suspend,
        Done::Cancel => Action::Cancel(Cancellation { at: Some(CancelAt::Now) }),
    });
    let (id, license_key) = (id(0xa, number), id(0xb, number));
    SeedSubscription { id, license_key, new, more_keys, actions: action.into_iter().collect() }
}

/// The last check of a subscription's program, some hours ago.
fn sighting(
    vendor: &Vendor,
    number: usize,
    line: &SubscriptionLine,
    locale: Option<&LanguageTag>,
    now: Timestamp,
) -> Option<Sighting> {
    let product = product(vendor, &line.product)?;
    let stable: Slug = "stable".parse().ok()?;
    let hours = i64::try_from(number).ok()? * 5 % 72;
    Some(Sighting {
        installation: id::<InstallationId>(0xe, number),
        product,
        subscription: Some(id(0xa, number)),
        component: component(line.deployment),
        version: line.runs.clone()?,
        platform: line.on?,
        arch: MachineArch::X86_64,
        channel: line.channels.as_ref().and_then(|channels| channels.last().cloned()).unwrap_or(stable),
        locale: locale.cloned(),
        offered: None,
        seen_at: before(now, SignedDuration::from_hours(hours)),
    })
}

fn run(vendor: &Vendor, index: usize, line: RunLine, now: Timestamp) -> Result<Run, Failure> {
    let lacking = || Failure::failed(&"a run of the demo has no subscription");
    let subscription: SubscriptionId = id(0xa, line.subscription);
    let sold = vendor.subscriptions.iter().find(|sold| sold.id == subscription).ok_or_else(lacking)?;
    let first_reported_at = before(now, SignedDuration::from_hours(line.days_ago * 24 + 2));
    Ok(Run {
        // The first number is used by the example in the API description.
        id: id::<RunId>(0xf, index + 2),
        product: product(vendor, &sold.new.product).ok_or_else(lacking)?,
        subscription: Some(subscription),
        installation: id(0xe, line.subscription),
        component: line.component,
        from_version: line.from,
        to_version: line.to,
        stage: line.stage,
        outcome: line.outcome,
        error: line.error.map(|error| RunFailure { class: error.class, code: error.code, message: error.message }),
        error_stage: line.stage,
        scheduled_for: (line.stage == Stage::Scheduled).then(|| before(now, SignedDuration::from_hours(-12))),
        notify_email: line.notify_email,
        locale: None,
        at: None,
        first_reported_at,
        last_reported_at: before(first_reported_at, SignedDuration::from_mins(-7)),
        release: None,
        has_vote: false,
        downloaded_at: None,
        ended_at: None,
        lost_at: None,
        data_loss_at: None,
        known_problem: None,
    })
}

fn product(vendor: &Vendor, slug: &Slug) -> Option<ProductId> {
    vendor.products.iter().find(|(_, product)| product.slug == *slug).map(|(id, _)| *id)
}

const fn component(deployment: Deployment) -> Component {
    match deployment {
        Deployment::SingleUser => Component::Standalone,
        Deployment::MultiUser | Deployment::Cloud => Component::Server,
    }
}

fn before(moment: Timestamp, span: SignedDuration) -> Timestamp {
    moment.checked_sub(span).unwrap_or(moment)
}
