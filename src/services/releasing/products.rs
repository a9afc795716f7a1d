//! Products: added and changed by staff.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    directory::{Change, ProductEntry},
    domain::{
        channel::Channels,
        id::ProductId,
        line::Line,
        link::Link,
        locale::LanguageTag,
        page::Page,
        patch::{Patch, patch_body},
        product::{ExpiryPolicy, Product, RequiredArtifact},
        reach::Reach,
        slug::Slug,
        version::Version,
        zone::Zone,
    },
    services::{
        desk::{Code, Context, Expected, Faults, Refusal, Write, lookup},
        releasing::roll_out,
        second_person::{self, Carried, Request},
    },
    store,
};

/// A new product.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    /// Its name in URLs; never changes.
    #[schema(example = "photo-maker")]
    pub slug: Slug,
    /// Its name for people.
    pub name: Line,
    /// Its channels, the most stable first; `["stable", "beta", "alpha"]` unless given.
    #[serde(default = "default_channels")]
    #[schema(min_items = 1, max_items = 16)]
    pub channels: Vec<Slug>,
    /// The language of texts when the asker's is not there; `en` unless given.
    #[serde(default = "LanguageTag::english")]
    #[schema(example = "it")]
    pub default_locale: LanguageTag,
    /// Where a failed update sends the user.
    pub help_url: Option<Link>,
    /// Where a subscription is renewed.
    pub renew_url: Option<Link>,
    /// What an expired subscription still gives; `keep_published` unless given.
    #[serde(default = "keep_published")]
    pub expiry_policy: ExpiryPolicy,
    /// Versions below it must update.
    pub min_supported_version: Option<Version>,
    /// Where the days of its subscriptions begin and end; `UTC` unless given.
    #[serde(default = "Zone::utc")]
    pub timezone: Zone,
    /// What a release must have before it can be published.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub required_artifacts: Vec<RequiredArtifact>,
    /// The languages that a release's notes must have before it can be published.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub required_locales: Vec<LanguageTag>,
    /// Whether publishing, lifting a stop, and whatever else brings a release to customers takes the approval of a
    /// second person; not unless given.
    #[serde(default)]
    #[schema(default = false)]
    pub two_person_rule: bool,
}

fn default_channels() -> Vec<Slug> {
    ["stable", "beta", "alpha"].iter().filter_map(|name| name.parse().ok()).collect()
}

const fn keep_published() -> ExpiryPolicy {
    ExpiryPolicy::KeepPublished
}

patch_body! {
    /// A change to a product: what is absent stays as it is, `null` clears what can be cleared.
    #[derive(Debug, Serialize)]
    pub struct ProductChange {
        /// Its name for people.
        pub name: Patch<Line>,
        /// Its channels, the most stable first. One that is in use cannot be removed.
        #[schema(min_items = 1, max_items = 16)]
        pub channels: Patch<Vec<Slug>>,
        /// The language of texts when the asker's is not there.
        pub default_locale: Patch<LanguageTag>,
        /// Where a failed update sends the user.
        pub help_url: Patch<Option<Link>>,
        /// Where a subscription is renewed.
        pub renew_url: Patch<Option<Link>>,
        /// What an expired subscription still gives.
        pub expiry_policy: Patch<ExpiryPolicy>,
        /// Versions below it must update.
        pub min_supported_version: Patch<Option<Version>>,
        /// Where the days of its subscriptions begin and end.
        pub timezone: Patch<Zone>,
        /// What a release must have before it can be published.
        #[schema(max_items = 100)]
        pub required_artifacts: Patch<Vec<RequiredArtifact>>,
        /// The languages that a release's notes must have before it can be published.
        #[schema(max_items = 100)]
        pub required_locales: Patch<Vec<LanguageTag>>,
        /// Whether what brings a release to customers takes a second person. On at once, if there are two people who
        /// could approve; off only when a second one approves.
        pub two_person_rule: Patch<bool>,
    }
}

/// Checks the rules of a product that its types do not enforce.
fn check(product: &Product) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    if product.required_artifacts.len() > 100 {
        faults.add("required_artifacts", "must be at most 100");
    }
    if product.required_locales.len() > 100 {
        faults.add("required_locales", "must be at most 100");
    }
    faults.finish()
}

fn channels(names: Vec<Slug>) -> Result<Channels, Refusal> {
    Channels::new(names).map_err(|error| Refusal::field("channels", error.to_string()))
}

/// Adds a product and returns it.
///
/// # Errors
/// `body_invalid`, `product_exists`, `second_person_missing`.
pub async fn add(context: &Arc<Context>, new: NewProduct) -> Result<Product, Refusal> {
    context
        .write(move |write| {
            let id = write.new_id();
            let product = add_within(write, id, new)?;
            if product.two_person_rule {
                second_person::require_two(write, product.id)?;
            }
            Ok(product)
        })
        .await
}

/// Adds a product under a given id, within a write.
pub(in crate::services) fn add_within(
    write: &mut Write<'_>,
    id: ProductId,
    new: NewProduct,
) -> Result<Product, Refusal> {
    let channels = channels(new.channels)?;
    if store::products::by_slug(write.connection, &new.slug)?.is_some() {
        return Err(Refusal::new(Code::ProductExists, format!("there is a product `{}` already", new.slug)));
    }
    let product = Product {
        id,
        slug: new.slug,
        name: new.name,
        channels,
        default_locale: new.default_locale,
        help_url: new.help_url,
        renew_url: new.renew_url,
        expiry_policy: new.expiry_policy,
        min_supported_version: new.min_supported_version,
        timezone: new.timezone,
        required_artifacts: new.required_artifacts,
        required_locales: new.required_locales,
        two_person_rule: new.two_person_rule,
        revision: 1,
    };
    check(&product)?;
    store::products::insert(write.connection, &product)?;
    write.made("product.add", &product)?;
    write.changed(Change::Product(product.id));
    Ok(product)
}

/// Changes a product. A change that would undo its two-person rule waits for a second person.
///
/// # Errors
/// `product_not_found`, `precondition_failed`, `body_invalid`, `channel_in_use`, `second_person_missing`.
pub async fn change(
    context: &Arc<Context>,
    slug: Slug,
    expected: Expected,
    change: ProductChange,
) -> Result<Carried<Product>, Refusal> {
    context
        .write(move |write| {
            let product = lookup::product(write.connection, &slug)?;
            expected.check(product.revision)?;
            let request =
                undoes_the_rule(&product, &change).then(|| Request::about_product(&product, &change)).transpose()?;
            second_person::carry_out(write, &product.clone(), request, |write| change_within(write, product, change))
        })
        .await
}

/// Whether a change would bring releases to customers without a second person's approval: it switches the rule off, or
/// reorders the channels, so that a beta becomes stable.
fn undoes_the_rule(product: &Product, change: &ProductChange) -> bool {
    let reorders = |names: &Vec<Slug>| {
        let kept = product.channels.names().filter(|name| names.contains(name));
        !kept.eq(names.iter().filter(|name| product.channels.rank(name).is_some()))
    };
    change.two_person_rule == Patch::Set(false) || change.channels.as_value().is_some_and(reorders)
}

/// Changes a product, within a write.
pub(in crate::services) fn change_within(
    write: &mut Write<'_>,
    mut product: Product,
    change: ProductChange,
) -> Result<Product, Refusal> {
    let before = product.clone();
    if let Patch::Set(names) = change.channels {
        product.channels = channels(names)?;
        let mut used = store::releases::channels_in_use(write.connection, product.id)?;
        used.extend(store::subscriptions::channels_in_use(write.connection, product.id)?);
        let stops = store::stops::of_product(write.connection, product.id)?;
        used.extend(stops.into_iter().filter_map(|stop| stop.channel));
        if let Some(gone) = used.iter().find(|name| product.channels.rank(name).is_none()) {
            let detail = format!(
                "the channel `{gone}` is in use by a release, a subscription or a stop, so it cannot be removed"
            );
            return Err(Refusal::new(Code::ChannelInUse, detail));
        }
    }
    change.name.apply(&mut product.name);
    change.default_locale.apply(&mut product.default_locale);
    change.help_url.apply(&mut product.help_url);
    change.renew_url.apply(&mut product.renew_url);
    change.expiry_policy.apply(&mut product.expiry_policy);
    change.min_supported_version.apply(&mut product.min_supported_version);
    change.timezone.apply(&mut product.timezone);
    change.required_artifacts.apply(&mut product.required_artifacts);
    change.required_locales.apply(&mut product.required_locales);
    change.two_person_rule.apply(&mut product.two_person_rule);
    check(&product)?;
    if product.two_person_rule && !before.two_person_rule {
        second_person::require_two(write, product.id)?;
    }
    if write.save("product.change", &before, &mut product)? {
        // With other channels, a stop may cover other releases.
        roll_out::keep_clocks(write, &product)?;
    }
    Ok(product)
}

/// A page of the products within reach, by slug.
#[must_use]
pub fn list(context: &Context, reach: &Reach, page: &Page<Slug>) -> Vec<Arc<ProductEntry>> {
    let catalogue = context.directory.catalogue();
    let within = catalogue.products().filter(|entry| reach.includes(entry.product.id));
    let rest = within.filter(|entry| page.after.as_ref().is_none_or(|after| entry.product.slug > *after));
    page.first_of(rest.map(Arc::clone))
}
