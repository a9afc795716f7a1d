//! `[single_sign_on]`: logins through an identity provider.

use serde::{Deserialize, Serialize};

use super::{List, Secret, Span};
use crate::domain::role_claim::Assignment;

/// `[single_sign_on]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SingleSignOnConfig {
    /// The provider's issuer; empty for none.
    pub issuer: String,
    pub client_id: String,
    /// Empty if the provider does not require one.
    pub client_secret: Secret,
    /// The scopes to request.
    pub scopes: List<String>,
    /// The claim with the user's groups.
    pub role_claim: String,
    /// The groups that give a role.
    pub roles: List<Assignment>,
    /// Whether an unknown user with a role is added.
    pub create_users: bool,
    /// Whether an e-mail address counts as verified if the provider does not say so.
    pub trust_email: bool,
    /// The longest time that a login at the provider may take.
    pub login_ttl: Span,
    /// Whether users other than owners can log in with a password.
    pub password_login: bool,
}

impl SingleSignOnConfig {
    /// Whether single sign-on is configured.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !self.issuer.is_empty()
    }

    /// What is wrong with the section, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if !self.is_on() {
            return (!self.password_login)
                .then_some("single_sign_on.password_login is off, but single_sign_on.issuer is missing");
        }
        if self.client_id.is_empty() {
            return Some(
                "single_sign_on.client_id is required with single_sign_on.issuer: the provider's name for this server",
            );
        }
        if !self.scopes.0.iter().any(|scope| scope == "openid") {
            return Some("single_sign_on.scopes must include `openid`, or the provider does not identify the user");
        }
        if self.role_claim.is_empty() || self.roles.0.is_empty() {
            return Some(
                "single_sign_on.role_claim and single_sign_on.roles are required with single_sign_on.issuer: without a role nobody can log in; write for example `roles = [\"sluice-owners=owner\"]`",
            );
        }
        (self.login_ttl.seconds() < 1).then_some("single_sign_on.login_ttl must be at least one second")
    }
}
