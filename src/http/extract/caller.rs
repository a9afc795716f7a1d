//! Who calls, and whether they may: a handler that takes a [`Caller`] cannot be reached without the right it names.

use std::{marker::PhantomData, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use futures_util::Future;

use super::super::Problem;
use crate::{
    app::App,
    auth::session::Session,
    domain::{id::UserId, scope::Scope},
    services::{Code, Reach, log_in, manage_tokens},
    store::api_tokens::ApiToken,
};

/// A right that a handler asks for.
pub trait Right: 'static {
    /// The scopes of which an API token needs one; none: only people.
    const SCOPES: &'static [Scope];
}

macro_rules! rights {
    ($($(#[$meta:meta])* $name:ident = [$($scope:ident),*]),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;
        impl Right for $name {
            const SCOPES: &'static [Scope] = &[$(Scope::$scope),*];
        }
    )+};
}

rights! {
    /// See releases and products.
    ReadReleases = [ReleasesRead],
    /// Make drafts and upload artifacts.
    WriteReleases = [ReleasesWrite],
    /// Change a draft, or correct what is published; which of the two, the handler asks with [`Caller::require`].
    ChangeReleases = [ReleasesWrite, ReleasesPublish],
    /// Publish, and steer what is published.
    PublishReleases = [ReleasesPublish],
    /// Lift a stop.
    LiftStops = [StopsLift],
    /// See customers, subscriptions, installations and runs.
    ReadSubscriptions = [SubscriptionsRead],
    /// Change customers and subscriptions.
    WriteSubscriptions = [SubscriptionsWrite],
    /// Administer: products, hosting groups, tokens.
    Administer = [],
}

/// Somebody who has the right `R`.
#[derive(Debug)]
pub struct Caller<R> {
    /// Which products they may touch.
    pub reach: Reach,
    /// The login, where it is a person.
    pub person: Option<Person>,
    /// The API token, where it is a machine.
    token: Option<ApiToken>,
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

impl<R> Caller<R> {
    /// Fails for an API token without this scope. A person may do what a scope allows.
    ///
    /// # Errors
    /// `scope_insufficient`.
    pub fn require(&self, needed: Scope) -> Result<(), Problem> {
        self.token.as_ref().map_or(Ok(()), |token| require_one(token, &[needed]))
    }
}

fn require_one(token: &ApiToken, needed: &[Scope]) -> Result<(), Problem> {
    if needed.is_empty() {
        return Err(people_only());
    }
    if needed.iter().any(|needed| token.scopes.iter().any(|scope| scope.grants(*needed))) {
        return Ok(());
    }
    let names = needed.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(" or ");
    Err(Problem::new(Code::ScopeInsufficient, format!("the API token `{}` lacks the scope {names}", token.name)))
}

fn people_only() -> Problem {
    Problem::new(Code::ScopeInsufficient, "only a person who is logged in may do this, not an API token")
}

impl<R: Right> FromRequest for Caller<R> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let caller = identify::<R>(&request).await?;
            within_reach(&request, caller.reach)?;
            Ok(caller)
        })
    }
}

async fn identify<R: Right>(request: &HttpRequest) -> Result<Caller<R>, Problem> {
    let required = || Problem::new(Code::AuthorizationRequired, "send `Authorization: Bearer <session or API token>`");
    let app = request.app_data::<web::Data<App>>().ok_or_else(required)?;
    let value = request.headers().get(header::AUTHORIZATION).ok_or_else(required)?;
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(required)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(required());
    }
    let token = token.trim();
    if token.starts_with("slk_") {
        let (known, reach) = manage_tokens::recognise(&app.context, token).await?;
        require_one(&known, R::SCOPES)?;
        return Ok(Caller { reach, person: None, token: Some(known), right: PhantomData });
    }
    let (session, user) = log_in::recognise(&app.context, token).await?;
    let person = Person { session, id: user.id, email: user.email };
    Ok(Caller { reach: Reach::Everything, person: Some(person), token: None, right: PhantomData })
}

/// A product that is out of reach is one that is not there.
fn within_reach(request: &HttpRequest, reach: Reach) -> Result<(), Problem> {
    let (Reach::Only(only), Some(slug)) = (reach, request.match_info().get("slug")) else { return Ok(()) };
    let app = request.app_data::<web::Data<App>>().ok_or_else(people_only)?;
    let catalogue = app.context.directory.catalogue();
    match catalogue.product(slug) {
        Some(entry) if entry.product.id == only => Ok(()),
        _ => Err(Problem::new(Code::ProductNotFound, format!("there is no product `{slug}`"))),
    }
}
