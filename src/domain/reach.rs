//! The products that a caller may access.

use std::sync::Arc;

use super::id::ProductId;

/// The products that a caller may access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    #[default]
    Everything,
    /// Other products do not exist for the caller.
    Only(Arc<[ProductId]>),
}

impl Reach {
    /// Only these products; all if none are given.
    #[must_use]
    pub fn of(products: Option<&[ProductId]>) -> Self {
        products.map_or(Self::Everything, |products| Self::Only(products.into()))
    }

    /// Only this product.
    #[must_use]
    pub fn one(product: ProductId) -> Self {
        Self::Only([product].into())
    }

    /// Whether the product is accessible.
    #[must_use]
    pub fn includes(&self, product: ProductId) -> bool {
        self.products().is_none_or(|products| products.contains(&product))
    }

    /// The accessible products; `None` for all.
    #[must_use]
    pub fn products(&self) -> Option<&[ProductId]> {
        match self {
            Self::Everything => None,
            Self::Only(products) => Some(products),
        }
    }
}
