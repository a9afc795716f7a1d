//! Selling: customers, their subscriptions and license keys, and hosting groups.
//!
//! Not here: which releases a subscription gives to a program; see `domain::decision::decide`.

pub mod customers;
pub mod endings;
pub mod hosting_groups;
pub mod import_subscriptions;
pub mod license_keys;
pub mod subscriptions;
