//! What the vendor's staff do.

mod customers;
mod hosting_groups;
mod import;
mod installations;
mod products;
mod rights;
mod sessions;
mod subscriptions;
mod tokens;
