//! Figures for support and management.

pub mod adoption;
pub mod renewals;
pub mod rollouts;

use crate::{directory::Catalogue, domain::id::ProductId};

/// The slug of the product of a row.
fn slug_of(catalogue: &Catalogue, product: ProductId) -> String {
    catalogue.product_by_id(product).map(|entry| entry.product.slug.to_string()).unwrap_or_default()
}
