//! Callers and their rights: a handler that takes a [`Caller`] cannot be reached without the right it names.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::{Payload, ServiceRequest},
    http::header,
    web,
};

use super::{super::Problem, ClientAddress};
use crate::{
    app::App,
    auth::session::Session,
    domain::{
        actor::{Actor, ActorKind},
        id::UserId,
        role::Role,
        scope::Scope,
    },
    services::{
        Code, Reach, Refusal,
        desk::acting::{Acting, Credential},
        people::{
            log_in,
            tokens::{self, ApiToken},
        },
    },
};

/// A right that a handler asks for.
pub trait Right: 'static {
    /// The roles of which a person needs one.
    const ROLES: &'static [Role];
    /// The scopes of which an API token needs one; empty: only users have the right.
    const SCOPES: &'static [Scope];
    /// Whether the right is about things of no product, so that callers limited to some products do not have it.
    const IS_WHOLE: bool;
}

macro_rules! rights {
    ($($(#[$meta:meta])* $name:ident: $roles:expr, $scopes:expr $(, $whole:ident)?;)+) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;
        impl Right for $name {
            const ROLES: &'static [Role] = &$roles;
            const SCOPES: &'static [Scope] = &$scopes;
            const IS_WHOLE: bool = rights!(@is_whole $($whole)?);
        }
    )+};
    (@is_whole whole) => { true };
    (@is_whole) => { false };
}

/// The rights, each with its roles and scopes, and whether it is only for those who may act on all products.
mod table {
    use super::{
        Right,
        Role::{self, Owner, ReleaseManager, Support, Viewer},
        Scope,
    };

    rights! {
        /// See releases and products.
        ReadReleases: [Owner, ReleaseManager, Support, Viewer], [Scope::ReleasesRead];
        /// Make drafts and upload artifacts.
        WriteReleases: [Owner, ReleaseManager], [Scope::ReleasesWrite];
        /// Publish, and steer what is published.
        PublishReleases: [Owner, ReleaseManager], [Scope::ReleasesPublish];
        /// Change drafts or published releases; the use case checks which.
        ChangeReleases: [Owner, ReleaseManager], [Scope::ReleasesWrite, Scope::ReleasesPublish];
        /// Set a stop. Support may do it too, as it is the first to hear of damage.
        PutStops: [Owner, ReleaseManager, Support], [Scope::ReleasesPublish];
        /// Lift a stop.
        LiftStops: [Owner, ReleaseManager], [Scope::StopsLift];
        /// Decide on another person's request; the use case checks the role for it.
        DecideApprovals: [Owner, ReleaseManager], [];
        /// See customers, subscriptions, installations and runs.
        ReadSubscriptions: [Owner, ReleaseManager, Support, Viewer], [Scope::SubscriptionsRead];
        /// Change customers, subscriptions and known problems.
        WriteSubscriptions: [Owner, Support], [Scope::SubscriptionsWrite];
        /// Change a product.
        ChangeProducts: [Owner, ReleaseManager], [];
        /// Add a product.
        AddProducts: [Owner, ReleaseManager], [], whole;
        /// Add and change hosting groups.
        ManageHostingGroups: [Owner, Support], [], whole;
        /// See the mails.
        ReadMails: [Owner, ReleaseManager, Support, Viewer], [], whole;
        /// Send a mail again.
        RetryMails: [Owner, Support], [], whole;
        /// See webhooks and the messages to them. Their addresses may hold secrets of others.
        ReadWebhooks: [Owner, ReleaseManager], [], whole;
        /// Enter, change and remove webhooks, and send messages again.
        ManageWebhooks: [Owner], [], whole;
        /// Make, see and delete API tokens.
        ManageTokens: [Owner], [], whole;
        /// See, add and remove trusted publishers.
        ManageTrust: [Owner], [];
        /// Enter, see, change and remove people.
        ManageUsers: [Owner], [], whole;
        /// Read the audit log.
        ReadAudit: [Owner], [], whole;
        /// Manage one's own account.
        ActForOneself: [Owner, ReleaseManager, Support, Viewer], [];
    }
}

pub use table::*;

/// A caller who has the right `R`.
#[derive(Debug)]
pub struct Caller<R> {
    /// The products that the caller may act on.
    pub reach: Reach,
    /// The user, where the caller is not a machine.
    pub person: Option<Person>,
    right: PhantomData<R>,
}

/// A person who is logged in.
#[derive(Clone, Debug)]
pub struct Person {
    /// The login.
    pub session: Session,
    /// Their id.
    pub id: UserId,
    /// Their e-mail address.
    pub email: String,
    /// The role.
    pub role: Role,
    /// The products that they may act on.
    pub reach: Reach,
}

impl<R: Right> Caller<R> {
    /// The user. Only users have rights without a scope.
    ///
    /// # Errors
    /// `scope_insufficient` for an API token.
    pub fn person(&self) -> Result<&Person, Problem> {
        self.person.as_ref().ok_or_else(people_only)
    }
}

fn people_only() -> Problem {
    Problem::new(Code::ScopeInsufficient, "an API token is not allowed to do this; log in")
}

/// The owner of a request's credentials.
#[derive(Clone, Debug)]
pub enum Identity {
    /// A machine's, and which products it may touch.
    Machine(Box<ApiToken>, Reach),
    /// A person's.
    Person(Person),
}

/// Identifies the caller before anything else of a request is read, so that mistakes in a body are told only to
/// those who may send one. The result is kept with the request, where [`Caller`] finds it.
pub async fn identify(request: &ServiceRequest) {
    let Some(app) = request.app_data::<web::Data<App>>() else { return };
    let value = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, token)) = value.and_then(|text| text.split_once(' ')) else { return };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return;
    }
    let identity = identity_of(app, token.trim()).await.and_then(|identity| counted(app, identity));
    request.extensions_mut().insert(identity);
}

/// The actor of a request, and the credential that lets them act.
#[must_use]
pub fn acting(request: &ServiceRequest) -> Acting {
    let address = Some(ClientAddress::of(request.request()).0);
    let actor = |kind, id, name: &str| Actor { kind, id: Some(id), name: name.to_owned(), address };
    match request.extensions().get::<Result<Identity, Problem>>() {
        Some(Ok(Identity::Person(person))) => Acting {
            actor: actor(ActorKind::Person, person.id.0, &person.email),
            credential: Some(Credential::Session(person.session.family)),
        },
        Some(Ok(Identity::Machine(token, _))) => Acting {
            actor: actor(ActorKind::Machine, token.id.0, &token.name),
            credential: Some(Credential::Token(token.id)),
        },
        Some(Err(_)) | None => Actor { address, ..Actor::nameless(ActorKind::Stranger) }.into(),
    }
}

async fn identity_of(app: &App, token: &str) -> Result<Identity, Problem> {
    if token.starts_with("slk_") {
        let (known, reach) = tokens::recognise(&app.context, &app.authentication, token).await?;
        return Ok(Identity::Machine(Box::new(known), reach));
    }
    let (session, user) = log_in::recognise(&app.context, token).await?;
    let reach = Reach::of(user.products.as_deref());
    Ok(Identity::Person(Person { session, id: user.id, email: user.email, role: user.role, reach }))
}

/// Counts the request towards the caller's limit.
fn counted(app: &App, identity: Identity) -> Result<Identity, Problem> {
    let who = match &identity {
        Identity::Machine(token, _) => token.id.0,
        Identity::Person(person) => person.id.0,
    };
    match app.limits.callers.count(&who) {
        Ok(()) => Ok(identity),
        Err(wait) => Err(Problem(Refusal::too_many("requests with these credentials", wait))),
    }
}

impl<R: Right> FromRequest for Caller<R> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(admit(request))
    }
}

fn admit<R: Right>(request: &HttpRequest) -> Result<Caller<R>, Problem> {
    let identity = request.extensions().get::<Result<Identity, Problem>>().cloned();
    let caller = match identity {
        None => {
            let detail = "credentials are missing; send `Authorization: Bearer <session or API token>`";
            return Err(Problem::new(Code::AuthorizationRequired, detail));
        }
        Some(Err(problem)) => return Err(problem),
        Some(Ok(Identity::Person(person))) => {
            check_role::<R>(&person)?;
            Caller { reach: person.reach.clone(), person: Some(person), right: PhantomData }
        }
        Some(Ok(Identity::Machine(token, reach))) => {
            if R::SCOPES.is_empty() {
                return Err(people_only());
            }
            if !R::SCOPES.iter().any(|needed| token.scopes.iter().any(|scope| scope.grants(*needed))) {
                let needed: Vec<_> = R::SCOPES.iter().map(|scope| format!("`{scope}`")).collect();
                let detail = format!("the API token `{}` lacks the scope {}", token.name, needed.join(" or "));
                return Err(Problem::new(Code::ScopeInsufficient, detail));
            }
            Caller { reach, person: None, right: PhantomData }
        }
    };
    within_reach(request, &caller.reach)?;
    Ok(caller)
}

fn check_role<R: Right>(person: &Person) -> Result<(), Problem> {
    if !R::ROLES.contains(&person.role) {
        let needed: Vec<_> = R::ROLES.iter().map(|role| format!("`{role}`")).collect();
        let detail = format!("your role `{}` is not allowed to do this; expected {}", person.role, needed.join(" or "));
        return Err(Problem::new(Code::RoleInsufficient, detail));
    }
    if R::IS_WHOLE && person.reach != Reach::Everything {
        let detail = "you are not allowed to do this: it concerns all products, and you are limited to some";
        return Err(Problem::new(Code::RoleInsufficient, detail));
    }
    Ok(())
}

/// A product out of reach is answered as unknown. Every `slug` in a path is a product's. The path itself is not
/// compared, as it can be written in many ways that lead to the same handler.
fn within_reach(request: &HttpRequest, reach: &Reach) -> Result<(), Problem> {
    let (Reach::Only(_), Some(slug)) = (reach, request.match_info().get("slug")) else { return Ok(()) };
    let app = request.app_data::<web::Data<App>>().ok_or_else(people_only)?;
    let catalogue = app.context.directory.catalogue();
    match catalogue.product(slug) {
        Some(entry) if reach.includes(entry.product.id) => Ok(()),
        _ => Err(Problem::new(Code::ProductNotFound, format!("there is no product `{slug}`"))),
    }
}
