//! Which products somebody has to do with.

use std::sync::Arc;

use super::id::ProductId;

/// Which products a caller may touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// All of them.
    #[default]
    Everything,
    /// Only these; the others do not exist for them.
    Only(Arc<[ProductId]>),
}

impl Reach {
    /// Only these products, or all where none are named.
    #[must_use]
    pub fn of(products: Option<&[ProductId]>) -> Self {
        products.map_or(Self::Everything, |products| Self::Only(products.into()))
    }

    /// Only this product.
    #[must_use]
    pub fn one(product: ProductId) -> Self {
        Self::Only([product].into())
    }

    /// Whether the product is within reach.
    #[must_use]
    pub fn includes(&self, product: ProductId) -> bool {
        self.products().is_none_or(|products| products.contains(&product))
    }

    /// The products that it is limited to; `None`: all.
    #[must_use]
    pub fn products(&self) -> Option<&[ProductId]> {
        match self {
            Self::Everything => None,
            Self::Only(products) => Some(products),
        }
    }
}
