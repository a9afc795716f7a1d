//! People and machines that act: users and their logins, API tokens, and trusted publishers.
//!
//! Not here: customers, who never log in; see the area `selling`.

pub mod authentication;
pub mod exchange_identity;
pub mod identity_provider;
pub mod log_in;
pub(in crate::services) mod passwords;
pub mod second_factor;
pub mod single_sign_on;
pub mod slow_down;
pub mod tokens;
pub mod trust;
pub mod users;
