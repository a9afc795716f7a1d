//! Selling: customers, what they bought, the license keys that prove it, and where it is hosted.
//!
//! Not here: what a subscription gives to a program that asks; `domain::decide` says that.

pub mod customers;
pub mod endings;
pub mod hosting_groups;
pub mod import_subscriptions;
pub mod license_keys;
pub mod subscriptions;
