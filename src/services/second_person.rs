//! Asking for a second person: with a product's two-person rule, what one person asks for is only tried, and waits as a
//! request until another one approves it.
//!
//! Not here: deciding requests and carrying them out, which needs all that can be asked for; see the area `approving`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    domain::{
        actor::{Actor, ActorKind},
        approval::{Approval, Deed, RELEASERS},
        id::{ApprovalId, ProductId, ReleaseId, TokenId, UserId},
        product::Product,
        release::Release,
        slug::Slug,
        stop::Stop,
        subject::Subject,
        version::Version,
    },
    services::{
        desk::{Code, Reach, Refusal, Write, audited::Audited as _},
        telling::events,
    },
    store,
};

/// Requests of one kind about one thing that may wait at once, which are all different ones. Those that are void do not count:
/// whoever changes the thing and asks again could fill it with them. Nor do other kinds: a stop is lifted whatever else is asked for.
const WAITING: usize = 20;

/// What became of something that may take two people.
#[derive(Debug)]
pub enum Carried<T> {
    /// It is done.
    Done(T),
    /// It waits for a second person.
    Asked(Box<Approval>),
}

/// Something that takes two people.
pub(in crate::services) struct Request {
    deed: Deed,
    subject: Subject,
    version: Option<Version>,
    fingerprint: String,
    parameters: Value,
}

impl Request {
    /// About a release.
    pub(in crate::services) fn about_release(
        deed: Deed,
        product: &Product,
        release: &Release,
        parameters: &impl Serialize,
    ) -> Result<Self, Refusal> {
        let version = Some(release.version.clone());
        let fingerprint = print_of_release(product, release.id, release.revision);
        Ok(Self { version, ..Self::new(deed, release.subject(), fingerprint, parameters)? })
    }

    /// About a stop of a product.
    pub(in crate::services) fn about_stop(product: &Product, stop: &Stop) -> Result<Self, Refusal> {
        let parameters = Lifting { channel: stop.channel.clone() };
        Self::new(Deed::LiftStop, product.subject(), print_of_stop(stop), &parameters)
    }

    /// About a product.
    pub(in crate::services) fn about_product(product: &Product, parameters: &impl Serialize) -> Result<Self, Refusal> {
        Self::new(Deed::ChangeProduct, product.subject(), print_of_product(product), parameters)
    }

    /// About a workload that a product is to trust. Nothing that changes meanwhile makes it another one.
    pub(in crate::services) fn about_trust(product: &Product, parameters: &impl Serialize) -> Result<Self, Refusal> {
        Self::new(Deed::Trust, product.subject(), product.id.to_string(), parameters)
    }

    fn new(deed: Deed, subject: Subject, fingerprint: String, parameters: &impl Serialize) -> Result<Self, Refusal> {
        let parameters = serde_json::to_value(parameters).map_err(|error| Refusal::internal(&error))?;
        Ok(Self { deed, subject, version: None, fingerprint, parameters })
    }
}

/// Which stop is lifted.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::services) struct Lifting {
    /// The channel it is on for; `None`: the whole product.
    pub channel: Option<Slug>,
}

/// With the channels of its product: in another order the same name is another channel.
pub(in crate::services) fn print_of_release(product: &Product, release: ReleaseId, revision: i64) -> String {
    format!("{release}@{revision} of {}", product.channels.listed())
}

pub(in crate::services) fn print_of_product(product: &Product) -> String {
    format!("{}@{}", product.id, product.revision)
}

/// A stop that was put on anew is another one.
pub(in crate::services) fn print_of_stop(stop: &Stop) -> String {
    format!("stop@{}", stop.since.as_microsecond())
}

/// Carries a deed out; where it takes two people, only tries it, and asks for the second one.
///
/// # Errors
/// What the deed refuses: now, to the one who asks for it.
pub(in crate::services) fn carry_out<T>(
    write: &mut Write<'_>,
    product: &Product,
    request: Option<Request>,
    deed: impl FnOnce(&mut Write<'_>) -> Result<T, Refusal>,
) -> Result<Carried<T>, Refusal> {
    let Some(request) = request.filter(|_| product.two_person_rule) else { return deed(write).map(Carried::Done) };
    write.rehearse(deed)?;
    let Request { deed, subject, fingerprint, .. } = &request;
    let waiting = store::approvals::open_about(write.connection, *deed, subject, fingerprint, write.now)?;
    let count = waiting.len();
    if let Some(same) = waiting.into_iter().find(|known| known.parameters == request.parameters) {
        return Ok(Carried::Asked(Box::new(same)));
    }
    if count >= WAITING {
        let detail = format!("{WAITING} requests for this wait for a second person; approve or reject some first");
        return Err(Refusal::new(Code::Conflict, detail));
    }
    let requester = Requester { actor: write.actor.clone(), person: person_behind(write)? };
    enter(write, write.new_id(), product, request, requester).map(Box::new).map(Carried::Asked)
}

/// The person that what is asked for now counts as asked by: of a token, the one who made it, or had its pipeline trusted.
///
/// # Errors
/// `authorization_invalid` for a token that was deleted since the request began: who made it is not known any more.
pub(in crate::services) fn person_behind(write: &mut Write<'_>) -> Result<Option<UserId>, Refusal> {
    Ok(match (write.actor.kind, write.actor.id) {
        (ActorKind::Person, id) => id.map(UserId),
        (ActorKind::Machine, Some(id)) => {
            let gone = || Refusal::new(Code::AuthorizationInvalid, "the API token was deleted meanwhile");
            store::api_tokens::get(write.connection, TokenId(id))?.ok_or_else(gone)?.created_by
        }
        _ => None,
    })
}

/// Who asks for a second person.
pub(in crate::services) struct Requester {
    /// The user or the token.
    pub actor: Actor,
    /// The user that the request counts as asked by, if the server knows one; see [`person_behind`].
    pub person: Option<UserId>,
}

/// Enters a request under an id, and tells of it.
pub(in crate::services) fn enter(
    write: &mut Write<'_>,
    id: ApprovalId,
    product: &Product,
    Request { deed, subject, version, fingerprint, parameters }: Request,
    Requester { actor, person }: Requester,
) -> Result<Approval, Refusal> {
    let lifetime = write.context().settings.approvals_expire_after;
    let approval = Approval {
        id,
        product: product.id,
        deed,
        subject,
        version,
        parameters,
        fingerprint,
        requested_by: Actor { address: None, ..actor },
        requester: person,
        requested_at: write.now,
        expires_at: write.now.checked_add(lifetime).unwrap_or(Timestamp::MAX),
        decision: None,
    };
    store::approvals::insert(write.connection, &approval)?;
    write.made("approval.request", &approval)?;
    events::approval_requested(write, product, &approval)?;
    let slug = product.slug.clone();
    write.say(move || tracing::info!(approval = %id, product = %slug, %deed, "a second person is asked for"));
    Ok(approval)
}

/// Fails unless two people could approve what concerns the product.
///
/// # Errors
/// `second_person_missing`.
pub(in crate::services) fn require_two(write: &mut Write<'_>, product: ProductId) -> Result<(), Refusal> {
    let able = store::users::with_roles(write.connection, RELEASERS)?;
    let able = able.iter().filter(|user| Reach::of(user.products.as_deref()).includes(product)).count();
    if able >= 2 {
        return Ok(());
    }
    let detail = "the two-person rule needs two people who are `owner` or `release_manager` and have to do with the product; \
        enter another one first";
    Err(Refusal::new(Code::SecondPersonMissing, detail))
}
