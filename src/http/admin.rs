//! For the vendor's staff, with a session, and for machines, with an API token that has the scope.

pub mod audit;
pub mod customers;
pub mod explain;
pub mod hosting_groups;
pub mod installations;
pub mod known_problems;
pub mod mails;
pub mod me;
pub mod products;
pub mod runs;
pub mod session;
pub mod single_sign_on;
pub mod stats;
pub mod subscriptions;
pub mod tokens;
pub mod trusted_publishers;
pub mod users;
pub mod webhook_messages;
pub mod webhooks;
