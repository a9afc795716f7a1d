//! Customers of the vendor.

use super::{id::CustomerId, line::Line, locale::LanguageTag};

/// The owner of subscriptions.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Customer {
    pub id: CustomerId,
    pub name: Line,
    pub email: Option<String>,
    /// The language of mails.
    pub locale: Option<LanguageTag>,
    /// The customer's id in the vendor's other systems.
    pub external_ref: Option<Line>,
    pub created_at: jiff::Timestamp,
    /// Counts changes, for `If-Match`.
    pub revision: i64,
}
