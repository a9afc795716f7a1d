//! Who calls, and whether they may: a handler that takes a [`Caller`] cannot be reached without the right it names.

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
    /// The scopes of which an API token needs one; none: only people.
    const SCOPES: &'static [Scope];
    /// Whether it is about what belongs to no product, so that nobody has it who is limited to some.
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

/// Beside each right who has it: which roles, which scopes, and whether only those have it who may touch all products.
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
        /// Change drafts or what is published; which of the two is looked at later.
        ChangeReleases: [Owner, ReleaseManager], [Scope::ReleasesWrite, Scope::ReleasesPublish];
        /// Put a stop on. Whoever hears of damage first may end it.
        PutStops: [Owner, ReleaseManager, Support], [Scope::ReleasesPublish];
        /// Lift a stop.
        LiftStops: [Owner, ReleaseManager], [Scope::StopsLift];
        /// Decide what another person has asked for; what exactly takes which role is looked at later.
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
        /// Say whose pipelines may release a product, and see it.
        ManageTrust: [Owner], [];
        /// Enter, see, change and remove people.
        ManageUsers: [Owner], [], whole;
        /// See who changed what.
        ReadAudit: [Owner], [], whole;
        /// Do what concerns nobody but oneself.
        ActForOneself: [Owner, ReleaseManager, Support, Viewer], [];
    }
}

pub use table::*;

/// Somebody who has the right `R`.
#[derive(Debug)]
pub struct Caller<R> {
    /// Which products they may touch.
    pub reach: Reach,
    /// The login, where it is a person.
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
    /// What they may do.
    pub role: Role,
    /// With which products.
    pub reach: Reach,
}

impl<R: Right> Caller<R> {
    /// The person, which the rights without a scope are only given to.
    ///
    /// # Errors
    /// `scope_insufficient` for an API token.
    pub fn person(&self) -> Result<&Person, Problem> {
        self.person.as_ref().ok_or_else(people_only)
    }
}

fn people_only() -> Problem {
    Problem::new(Code::ScopeInsufficient, "only a person who is logged in may do this, not an API token")
}

/// Whose credentials a request has.
#[derive(Clone, Debug)]
pub enum Identity {
    /// A machine's, and which products it may touch.
    Machine(Box<ApiToken>, Reach),
    /// A person's.
    Person(Person),
}

/// Finds out whose credentials a request has, before anything else of it is read: what is wrong with a body is told only to
/// those who may send one. The outcome is kept with the request, where [`Caller`] finds it.
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

/// Who a request is of, and what lets them change something.
#[must_use]
pub fn acting(request: &ServiceRequest) -> Acting {
    let address = Some(ClientAddress::of(request.request()).0);
    let somebody = |kind, id, name: &str| Actor { kind, id: Some(id), name: name.to_owned(), address };
    match request.extensions().get::<Result<Identity, Problem>>() {
        Some(Ok(Identity::Person(person))) => Acting {
            actor: somebody(ActorKind::Person, person.id.0, &person.email),
            credential: Some(Credential::Session(person.session.family)),
        },
        Some(Ok(Identity::Machine(token, _))) => Acting {
            actor: somebody(ActorKind::Machine, token.id.0, &token.name),
            credential: Some(Credential::Token(token.id)),
        },
        Some(Err(_)) | None => Actor { address, ..Actor::nameless(ActorKind::Stranger) }.into(),
    }
}

async fn identity_of(app: &App, token: &str) -> Result<Identity, Problem> {
    if token.starts_with("slk_") {
        let (known, reach) = tokens::recognise(&app.context, token).await?;
        return Ok(Identity::Machine(Box::new(known), reach));
    }
    let (session, user) = log_in::recognise(&app.context, token).await?;
    let reach = Reach::of(user.products.as_deref());
    Ok(Identity::Person(Person { session, id: user.id, email: user.email, role: user.role, reach }))
}

/// Counts the request on the caller's account.
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
            let detail = "send `Authorization: Bearer <session or API token>`";
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
        let detail = format!("your role is `{}`; this takes {}", person.role, needed.join(" or "));
        return Err(Problem::new(Code::RoleInsufficient, detail));
    }
    if R::IS_WHOLE && person.reach != Reach::Everything {
        let detail = "this belongs to no product, and you are limited to some";
        return Err(Problem::new(Code::RoleInsufficient, detail));
    }
    Ok(())
}

/// A product that is out of reach is one that is not there. Every `slug` in a path is a product's; the path itself is no
/// matter, as it can be written in many ways that lead to the same handler.
fn within_reach(request: &HttpRequest, reach: &Reach) -> Result<(), Problem> {
    let (Reach::Only(_), Some(slug)) = (reach, request.match_info().get("slug")) else { return Ok(()) };
    let app = request.app_data::<web::Data<App>>().ok_or_else(people_only)?;
    let catalogue = app.context.directory.catalogue();
    match catalogue.product(slug) {
        Some(entry) if reach.includes(entry.product.id) => Ok(()),
        _ => Err(Problem::new(Code::ProductNotFound, format!("there is no product `{slug}`"))),
    }
}
