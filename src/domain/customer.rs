//! Customers of the vendor.

use super::{id::CustomerId, locale::LanguageTag};

/// A customer: who subscriptions belong to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Customer {
    /// Their id.
    pub id: CustomerId,
    /// Their name for people.
    pub name: String,
    /// Where to write to.
    pub email: Option<String>,
    /// The language to write in.
    pub locale: Option<LanguageTag>,
    /// What the vendor's other systems call them.
    pub external_ref: Option<String>,
    /// When they were entered.
    pub created_at: jiff::Timestamp,
    /// Counts changes, for `If-Match`.
    pub revision: i64,
}
