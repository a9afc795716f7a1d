//! The identity provider of users, as configured.

use jiff::SignedDuration;

use crate::{auth::provider::Provider, domain::role_claim::Assignment};

/// The configuration of logins through an identity provider.
#[derive(Debug)]
pub struct SingleSignOn {
    pub provider: Provider,
    /// The claim that lists the groups of a user.
    pub role_claim: String,
    /// The groups that bring a role.
    pub roles: Vec<Assignment>,
    /// Whether an unknown user is added at the first login.
    pub create_users: bool,
    /// Whether an e-mail address counts as verified if the provider does not say so.
    pub trust_email: bool,
    /// The maximum duration of a login.
    pub login_ttl: SignedDuration,
    /// Whether users other than owners can log in with a password.
    pub password_login: bool,
}
