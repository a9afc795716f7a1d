//! `[single_sign_on]`: logins through an identity provider.

use serde::{Deserialize, Serialize};

use super::{List, Secret, Span};
use crate::domain::role_claim::Assignment;

/// `[single_sign_on]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SingleSignOnConfig {
    /// What the provider calls itself, or empty.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// What this server proves itself with, or empty.
    pub client_secret: Secret,
    /// What it is asked for.
    pub scopes: List<String>,
    /// The claim that names somebody's groups.
    pub role_claim: String,
    /// Which of them bring a role.
    pub roles: List<Assignment>,
    /// Whether somebody with a role who is not known yet is entered.
    pub create_users: bool,
    /// Whether addresses count as verified of which the provider does not say so.
    pub trust_email: bool,
    /// How long such a login lasts at most.
    pub login_ttl: Span,
    /// Whether passwords let others in than owners.
    pub password_login: bool,
}

impl SingleSignOnConfig {
    /// Whether there is any.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !self.issuer.is_empty()
    }

    /// What is wrong with it, if something is.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if !self.is_on() {
            return (!self.password_login).then_some(
                "single_sign_on.password_login is off, but there is no single_sign_on.issuer to log in through",
            );
        }
        if self.client_id.is_empty() {
            return Some(
                "single_sign_on.client_id is needed with single_sign_on.issuer: the name of this server at the provider",
            );
        }
        if !self.scopes.0.iter().any(|scope| scope == "openid") {
            return Some(
                "single_sign_on.scopes must have `openid` among them, or the provider does not say who somebody is",
            );
        }
        if self.role_claim.is_empty() || self.roles.0.is_empty() {
            return Some(
                "single_sign_on.role_claim and single_sign_on.roles are needed with single_sign_on.issuer: without a role nobody is let in; write for example `roles = [\"sluice-owners=owner\"]`",
            );
        }
        (self.login_ttl.seconds() < 1).then_some("single_sign_on.login_ttl must be at least one second")
    }
}
