//! Looks up what a request names, within the reach of the caller.

use std::sync::Arc;

use crate::{
    directory::ProductEntry,
    domain::{id::SubscriptionId, product::Product, reach::Reach, slug::Slug, subscription::Subscription},
    services::desk::{
        context::Context,
        refusal::{Code, Refusal},
    },
    store::{self, Connection},
};

/// The product with this slug, from the database.
///
/// # Errors
/// `product_not_found`.
pub(in crate::services) fn product(connection: &mut Connection, slug: &Slug) -> Result<Product, Refusal> {
    store::products::by_slug(connection, slug)?.ok_or_else(|| product_not_found(slug))
}

/// The product with this slug, from the directory.
///
/// # Errors
/// `product_not_found`.
pub fn product_entry(context: &Context, slug: &Slug) -> Result<Arc<ProductEntry>, Refusal> {
    context.directory.catalogue().product(slug.as_str()).map(Arc::clone).ok_or_else(|| product_not_found(slug))
}

/// The product with this slug, if it is within reach; otherwise `product_not_found`.
pub(in crate::services) fn product_within(
    connection: &mut Connection,
    reach: &Reach,
    slug: &Slug,
) -> Result<Product, Refusal> {
    let found = store::products::by_slug(connection, slug)?.filter(|product| reach.includes(product.id));
    found.ok_or_else(|| product_not_found(slug))
}

/// The refusal for a product that does not exist or is out of reach.
#[must_use]
pub fn product_not_found(slug: &Slug) -> Refusal {
    Refusal::new(Code::ProductNotFound, format!("there is no product `{slug}`"))
}

/// The reach of a list: only the named product, or without one the whole reach.
///
/// # Errors
/// `product_not_found` when the named product does not exist or is out of reach.
pub fn narrowed(context: &Context, reach: Reach, slug: Option<&Slug>) -> Result<Reach, Refusal> {
    let Some(slug) = slug else { return Ok(reach) };
    let catalogue = context.directory.catalogue();
    let entry = catalogue.product(slug.as_str()).filter(|entry| reach.includes(entry.product.id));
    entry.map(|entry| Reach::one(entry.product.id)).ok_or_else(|| product_not_found(slug))
}

/// The subscription with this id, if it is within reach; otherwise `subscription_not_found`.
pub(in crate::services) fn subscription(
    connection: &mut Connection,
    reach: &Reach,
    id: SubscriptionId,
) -> Result<Subscription, Refusal> {
    store::subscriptions::get(connection, id)?
        .filter(|subscription| reach.includes(subscription.coverage.product))
        .ok_or_else(|| Refusal::new(Code::SubscriptionNotFound, format!("there is no subscription {id}")))
}
