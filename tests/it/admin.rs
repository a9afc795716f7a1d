//! What the vendor's staff do.

mod audit;
mod customers;
mod hosting_groups;
mod import;
mod installations;
mod known_problems;
mod products;
mod rights;
mod second_factor;
mod sessions;
mod single_sign_on;
mod slow_down;
mod stats;
mod subscriptions;
mod tokens;
mod trusted_publishers;
mod unchanged;
mod users;
