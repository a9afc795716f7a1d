//! Single sign-on: logins through an identity provider, whose groups bring the roles.
//!
//! Logins in progress are not stored here: the browser keeps them, encrypted, so that any replica can complete a login
//! that another one began. The provider decides at every login: a user without a role there loses their sessions.

use std::{net::IpAddr, sync::Arc};

use aws_lc_rs::constant_time;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    auth::{
        issuer::{Claims, repeatable},
        provider::{ProviderError, Return},
    },
    domain::{
        actor::{Actor, ActorKind},
        role::Role,
        role_claim,
    },
    services::{
        desk::{Code, Committed, Context, Faults, Refusal, Write, acting::acting_as},
        people::{
            authentication::Authentication,
            identity_provider::SingleSignOn,
            log_in::{self, Tokens},
            passwords::lower,
            users::{is_last_owner, is_trusted_alike},
        },
    },
    store::{
        self,
        users::{Identity, SecondFactor, User},
    },
};

/// How long a user may stay at the provider.
pub const TIME: SignedDuration = SignedDuration::from_mins(10);
/// The purpose under which a login in progress is sealed. Nothing else is sealed under it.
const PURPOSE: &str = "single sign-on";
/// The maximum length of a subject in bytes (`OpenID` Connect Core 1.0, section 2).
const LONGEST_SUBJECT: usize = 255;

/// A login in progress, as the browser keeps it.
#[derive(Serialize, Deserialize)]
struct UnderWay {
    state: String,
    nonce: String,
    verifier: String,
    until: Timestamp,
}

/// The start of a login, which sends the user to the provider.
#[derive(Clone)]
pub struct Departure {
    /// The URL of the provider to which the user goes.
    pub url: String,
    /// The sealed login in progress, for the browser to keep.
    pub kept: String,
}

/// The parameters with which a user returns from the provider.
#[derive(Clone, Default)]
pub struct Arrival {
    /// The code; `None` if the provider refused.
    pub code: Option<String>,
    /// The `state` of the login that was begun.
    pub state: Option<String>,
    /// The provider that answered (RFC 9207).
    pub issuer: Option<String>,
    /// The error with which the provider refused.
    pub error: Option<String>,
    /// The error in words.
    pub error_description: Option<String>,
    /// The sealed login in progress that the browser kept.
    pub kept: Option<String>,
    /// The address of the caller.
    pub address: Option<IpAddr>,
}

fn failed(detail: impl Into<String>) -> Refusal {
    Refusal::new(Code::SingleSignOnFailed, detail)
}

fn refused(detail: impl Into<String>) -> Refusal {
    Refusal::new(Code::SingleSignOnRefused, detail)
}

impl From<ProviderError> for Refusal {
    fn from(error: ProviderError) -> Self {
        let ProviderError::Away(reason) = error else {
            tracing::warn!(%error, "a login through the identity provider failed");
            return failed(error.to_string());
        };
        tracing::warn!(reason, "the identity provider cannot be used");
        let detail = "the identity provider cannot be used just now; try again in a minute, and see the server's log";
        Self::new(Code::IdentityProviderUnavailable, detail)
    }
}

fn of(authentication: &Authentication) -> Result<&SingleSignOn, Refusal> {
    let off = || Refusal::new(Code::NotFound, "there is no single sign-on here; `single_sign_on.issuer` is not set");
    authentication.single_sign_on.as_ref().ok_or_else(off)
}

/// Checks whether the provider answers, and logs the result at the start. Password logins work in either case.
pub async fn look_for_provider(context: Arc<Context>, authentication: Arc<Authentication>) {
    let Some(sign_on) = &authentication.single_sign_on else { return };
    match sign_on.provider.discovery(context.clock.now()).await {
        Ok(_) => tracing::info!(issuer = sign_on.provider.issuer(), "people can log in through the identity provider"),
        Err(error) => {
            let issuer = sign_on.provider.issuer();
            tracing::warn!(issuer, %error, "nobody can log in through the identity provider until it answers");
        }
    }
}

/// Begins a login at the provider.
///
/// # Errors
/// `not_found` if no provider is configured; `identity_provider_unavailable`.
pub async fn begin(context: &Arc<Context>, authentication: &Authentication) -> Result<Departure, Refusal> {
    let now = context.clock.now();
    let departure = of(authentication)?.provider.depart(now).await?;
    let until = now.checked_add(TIME).unwrap_or(Timestamp::MAX);
    let under_way = UnderWay { state: departure.state, nonce: departure.nonce, verifier: departure.verifier, until };
    let text = serde_json::to_string(&under_way).map_err(|error| Refusal::internal(&error))?;
    let kept = context.keys.load().logins().seal(PURPOSE, &text).map_err(|error| Refusal::internal(&error))?;
    Ok(Departure { url: departure.url, kept })
}

/// Completes the login of a user who returns from the provider.
///
/// # Errors
/// `not_found` if no provider is configured; `single_sign_on_failed` for invalid parameters; `single_sign_on_refused`
/// for a user who is authenticated but not allowed; `identity_provider_unavailable`; `conflict`.
pub async fn complete(
    context: &Arc<Context>,
    authentication: &Arc<Authentication>,
    arrival: Arrival,
) -> Result<Tokens, Refusal> {
    let sign_on = of(authentication)?;
    let now = context.clock.now();
    let address = arrival.address;
    let under_way = under_way(context, &arrival, now)?;
    let sends_issuer = sign_on.provider.discovery(now).await?.authorization_response_iss_parameter_supported;
    let is_theirs = arrival.issuer.map_or(!sends_issuer, |issuer| issuer == sign_on.provider.issuer());
    if !is_theirs {
        return Err(failed("this is the answer of another identity provider (`iss`); begin again at /api/v1/auth/sso"));
    }
    if let Some(error) = arrival.error {
        let said = arrival.error_description.map(|text| format!(" ({})", repeatable(&text))).unwrap_or_default();
        return Err(failed(format!("the identity provider answered `{}`{said}", repeatable(&error))));
    }
    let code =
        arrival.code.ok_or_else(|| failed("the identity provider sent no `code`; begin again at /api/v1/auth/sso"))?;
    let back = Return { code, nonce: under_way.nonce, verifier: under_way.verifier };
    let is_whole =
        |claims: &Claims| claims.contains_key("email") && role_claim::claim(claims, &sign_on.role_claim).is_some();
    let claims = sign_on.provider.claims(back, is_whole, now).await?;
    let person = Person::of(sign_on, &claims)?;
    let actor = person.as_actor(context, address).await?;
    let doors = Arc::clone(authentication);
    acting_as(actor, context.write(move |write| person.come_in(of(&doors)?, write))).await?.into_result()
}

/// The login in progress that the browser kept, if the user returns from that one.
fn under_way(context: &Context, arrival: &Arrival, now: Timestamp) -> Result<UnderWay, Refusal> {
    let opened = arrival.kept.as_ref().and_then(|kept| context.keys.load().logins().open(PURPOSE, kept).ok());
    let under_way =
        opened.and_then(|text| serde_json::from_str::<UnderWay>(&text).ok()).filter(|kept| now < kept.until);
    let under_way = under_way.ok_or_else(|| {
        let minutes = TIME.as_mins();
        failed(format!(
            "no login was begun in this browser within the last {minutes} minutes; begin at /api/v1/auth/sso"
        ))
    })?;
    let state = arrival.state.as_deref().unwrap_or_default();
    match constant_time::verify_slices_are_equal(state.as_bytes(), under_way.state.as_bytes()) {
        Ok(()) => Ok(under_way),
        Err(_) => {
            Err(failed("this is not the login that was begun last in this browser; begin again at /api/v1/auth/sso"))
        }
    }
}

/// A user, as the provider describes them.
#[derive(Debug)]
struct Person {
    identity: Identity,
    /// The e-mail address, if it is verified.
    email: Option<String>,
    /// The role that the groups bring, if any.
    role: Option<Role>,
}

impl Person {
    fn of(sign_on: &SingleSignOn, claims: &Claims) -> Result<Self, Refusal> {
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT || subject.contains('\0') {
            return Err(failed("the identity provider does not say who this is (`sub`)"));
        }
        // Some providers send the boolean as a string.
        let said = claims.get("email_verified").filter(|said| !said.is_null());
        let is_verified = said.map_or(sign_on.trust_email, |said| *said == true || *said == "true");
        let email = claims.get("email").and_then(Value::as_str).map(lower).filter(|_| is_verified);
        let email = email.filter(|email| {
            let mut faults = Faults::default();
            faults.email("email", email);
            faults.finish().is_ok()
        });
        let claim = role_claim::claim(claims, &sign_on.role_claim);
        tracing::debug!(subject, ?claim, "the identity provider vouches for somebody");
        // An unverified address gives no role, because anybody can claim it.
        let claim = claim.filter(|_| sign_on.role_claim != "email" || is_verified);
        let role = claim.and_then(|claim| role_claim::highest(&sign_on.roles, claim));
        let identity = Identity { issuer: sign_on.provider.issuer().to_owned(), subject: subject.to_owned() };
        Ok(Self { identity, email, role })
    }

    /// The actor for the audit log: a known user, or a stranger with their e-mail address or subject.
    async fn as_actor(&self, context: &Arc<Context>, address: Option<IpAddr>) -> Result<Actor, Refusal> {
        let identity = self.identity.clone();
        let known = context.read(move |connection| Ok(store::users::by_identity(connection, &identity)?)).await?;
        Ok(match known {
            Some(user) => Actor { kind: ActorKind::Person, id: Some(user.id.0), name: user.email, address },
            None => Actor {
                kind: ActorKind::Stranger,
                id: None,
                name: self.email.clone().unwrap_or_else(|| self.identity.subject.clone()),
                address,
            },
        })
    }

    /// Logs the user in or refuses them. The changes are committed in either case.
    fn come_in(&self, sign_on: &SingleSignOn, write: &mut Write<'_>) -> Result<Committed<Tokens>, Refusal> {
        let known = store::users::by_identity(write.connection, &self.identity)?.map(|user| user.id);
        let known = known.map(|id| store::users::lock(write.connection, id)).transpose()?.flatten();
        let Some(role) = self.role else {
            if let Some(user) = known {
                shut_out(write, &user)?;
            }
            let subject = self.identity.subject.clone();
            write.say(move || {
                tracing::info!(subject, "a login was refused: no group at the identity provider brings a role");
            });
            let detail = format!(
                "none of your groups at the identity provider (its claim `{}`) brings a role here (`single_sign_on.roles`); ask an owner",
                sign_on.role_claim
            );
            return Ok(Committed::Refused(refused(detail)));
        };
        let user = match known {
            Some(user) => self.follow(write, &user, role)?,
            None => match self.enter(sign_on, write, role)? {
                Committed::Done(user) => user,
                Committed::Refused(refusal) => return Ok(Committed::Refused(refusal)),
            },
        };
        let ends_at = write.now.checked_add(sign_on.login_ttl).ok();
        Ok(Committed::Done(log_in::begin(write.context(), write.connection, write.now, &user, ends_at)?))
    }

    /// Updates a known user to what the provider says.
    fn follow(&self, write: &mut Write<'_>, before: &User, role: Role) -> Result<User, Refusal> {
        let mut user = User { identity: Some(self.identity.clone()), role, ..before.clone() };
        if role != Role::Owner && is_last_owner(write.connection, before)? {
            let id = user.id;
            write.say(move || {
                tracing::warn!(user = %id, %role, "the only owner has another role at the identity provider, and stays an owner");
            });
            user.role = Role::Owner;
        }
        match user.role {
            Role::Owner => user.products = None,
            // A password would still let them in after the provider refuses them. Owners keep theirs for when the
            // provider is unavailable.
            _ => drop_password(&mut user),
        }
        if let Some(email) = self.email.as_ref().filter(|email| **email != user.email) {
            if store::users::by_email(write.connection, email)?.is_none() {
                user.email.clone_from(email);
            } else {
                let id = user.id;
                write.say(move || {
                    tracing::warn!(user = %id, "the user's new e-mail address belongs to another user; the old one is kept");
                });
            }
        }
        let action = if before.identity == user.identity { "user.change" } else { "user.link" };
        if !write.save(action, before, &mut user)? {
            return Ok(user);
        }
        if !is_trusted_alike(before, &user) {
            store::refresh_tokens::end_all_of(write.connection, user.id)?;
        }
        let (id, role) = (user.id, user.role);
        write.say(move || tracing::info!(user = %id, %role, "user changed by the identity provider"));
        Ok(user)
    }

    /// Links an unknown identity to the user with its e-mail address, or adds a user.
    fn enter(&self, sign_on: &SingleSignOn, write: &mut Write<'_>, role: Role) -> Result<Committed<User>, Refusal> {
        let Some(email) = &self.email else {
            let detail = "your identity provider has not verified your e-mail address (`email`, `email_verified`), which is required for a first login; ask an owner to add you";
            return Ok(Committed::Refused(refused(detail)));
        };
        let was_removed = store::removed_identities::has(write.connection, &self.identity)?;
        let found = store::users::by_email(write.connection, email)?.map(|user| user.id);
        if let Some(user) = found.map(|id| store::users::lock(write.connection, id)).transpose()?.flatten() {
            if user.identity.as_ref().is_some_and(|other| other.issuer == self.identity.issuer) {
                let detail = format!(
                    "`{email}` is the address of somebody else here, who logs in through the identity provider too"
                );
                return Ok(Committed::Refused(refused(detail)));
            }
            // The address alone proves less than the second factor that this user has set up.
            if user.factor.secret.is_some() {
                let detail = format!(
                    "the user `{email}` has a second factor, and so is not taken over by address alone; log in with password and code, remove the second factor, and come again"
                );
                return Ok(Committed::Refused(refused(detail)));
            }
            if was_removed {
                store::removed_identities::delete(write.connection, &self.identity)?;
            }
            return self.follow(write, &user, role).map(Committed::Done);
        }
        if was_removed {
            let detail = "you were removed here; an owner can enter you again, with your address";
            return Ok(Committed::Refused(refused(detail)));
        }
        if !sign_on.create_users {
            let detail = format!("there is no user `{email}` here; an owner has to enter one first");
            return Ok(Committed::Refused(refused(detail)));
        }
        let user = User {
            identity: Some(self.identity.clone()),
            ..User::new(write.new_id(), email.clone(), None, role, write.now)
        };
        store::users::insert(write.connection, &user)?;
        write.made("user.add", &user)?;
        let id = user.id;
        write.say(move || tracing::info!(user = %id, %role, "user added by the identity provider"));
        Ok(Committed::Done(user))
    }
}

/// Removes the password, and the second factor that belongs to it.
fn drop_password(user: &mut User) {
    user.password_hash = None;
    user.factor = SecondFactor::default();
}

/// Shuts out a user who no longer has a role: sessions and password end, and an owner loses that role. The exception is
/// the only owner with a password. A wrong setting shuts out all owners one after the other, and one of them must be
/// able to correct it.
fn shut_out(write: &mut Write<'_>, before: &User) -> Result<(), Refusal> {
    let mut user = before.clone();
    let is_way_in =
        user.role == Role::Owner && !store::users::others_have_password(write.connection, Role::Owner, before.id)?;
    if !is_way_in {
        drop_password(&mut user);
        if user.role == Role::Owner {
            user.role = Role::Viewer;
        }
    }
    write.save("user.change", before, &mut user)?;
    if store::refresh_tokens::end_all_of(write.connection, user.id)? {
        write.done("user.sessions.end", &user);
    }
    Ok(())
}
