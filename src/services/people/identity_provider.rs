//! The identity provider that people can log in through, as the configuration has it.

use jiff::SignedDuration;

use crate::{auth::provider::Provider, domain::role_claim::Assignment};

/// Logins through a provider, as the configuration has them.
#[derive(Debug)]
pub struct SingleSignOn {
    /// The provider.
    pub provider: Provider,
    /// The claim that names somebody's groups.
    pub role_claim: String,
    /// Which of them bring a role.
    pub roles: Vec<Assignment>,
    /// Whether somebody who is not known yet is entered.
    pub create_users: bool,
    /// Whether addresses count as verified of which the provider does not say so.
    pub trust_email: bool,
    /// How long a login lasts at most.
    pub login_ttl: SignedDuration,
    /// Whether passwords let others in than owners.
    pub password_login: bool,
}
