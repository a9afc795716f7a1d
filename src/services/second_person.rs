//! Asks for a second person. Under a product's two-person rule, an action is only rehearsed; it then waits as a request
//! until another person approves it.
//!
//! Not here: deciding requests and carrying them out, which depends on every kind of action; see the area `approving`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    domain::{
        actor::{Actor, ActorKind},
        approval::{Approval, ApprovalAction, RELEASERS},
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

/// How many requests of one kind about one subject can be pending; they differ in their parameters. Void requests do
/// not count, otherwise a user who changes the subject and asks again could use up the limit. Other kinds do not count
/// either, so that lifting a stop can be requested whatever else is pending.
const WAITING: usize = 20;

/// The result of an action that may take two people.
#[derive(Debug)]
pub enum Carried<T> {
    /// The action was carried out.
    Done(T),
    /// The action waits for a second person.
    Asked(Box<Approval>),
}

/// A request for an action that takes two people.
pub(in crate::services) struct Request {
    deed: ApprovalAction,
    subject: Subject,
    version: Option<Version>,
    fingerprint: String,
    parameters: Value,
}

impl Request {
    /// A request about a release.
    pub(in crate::services) fn about_release(
        deed: ApprovalAction,
        product: &Product,
        release: &Release,
        parameters: &impl Serialize,
    ) -> Result<Self, Refusal> {
        let version = Some(release.version.clone());
        let fingerprint = fingerprint_of_release(product, release.id, release.revision);
        Ok(Self { version, ..Self::new(deed, release.subject(), fingerprint, parameters)? })
    }

    /// A request about a stop of a product.
    pub(in crate::services) fn about_stop(product: &Product, stop: &Stop) -> Result<Self, Refusal> {
        let parameters = Lifting { channel: stop.channel.clone() };
        Self::new(ApprovalAction::LiftStop, product.subject(), fingerprint_of_stop(stop), &parameters)
    }

    /// A request about a product.
    pub(in crate::services) fn about_product(product: &Product, parameters: &impl Serialize) -> Result<Self, Refusal> {
        Self::new(ApprovalAction::ChangeProduct, product.subject(), fingerprint_of_product(product), parameters)
    }

    /// A request about a workload that the product is to trust. Its fingerprint is the product's id, so no change to
    /// the product makes it void.
    pub(in crate::services) fn about_trust(product: &Product, parameters: &impl Serialize) -> Result<Self, Refusal> {
        Self::new(ApprovalAction::Trust, product.subject(), product.id.to_string(), parameters)
    }

    fn new(
        deed: ApprovalAction,
        subject: Subject,
        fingerprint: String,
        parameters: &impl Serialize,
    ) -> Result<Self, Refusal> {
        let parameters = serde_json::to_value(parameters).map_err(|error| Refusal::internal(&error))?;
        Ok(Self { deed, subject, version: None, fingerprint, parameters })
    }
}

/// The parameters of a request to lift a stop.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::services) struct Lifting {
    /// The stopped channel; `None` for the whole product.
    pub channel: Option<Slug>,
}

/// The fingerprint of a release. It includes the product's channels, because the same channel name means another
/// channel when their order changes.
pub(in crate::services) fn fingerprint_of_release(product: &Product, release: ReleaseId, revision: i64) -> String {
    format!("{release}@{revision} of {}", product.channels.listed())
}

pub(in crate::services) fn fingerprint_of_product(product: &Product) -> String {
    format!("{}@{}", product.id, product.revision)
}

/// The fingerprint of a stop. A stop that was lifted and set again has another one.
pub(in crate::services) fn fingerprint_of_stop(stop: &Stop) -> String {
    format!("stop@{}", stop.since.as_microsecond())
}

/// Carries an action out. If it takes two people, only rehearses the action and asks for the second person.
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

/// The person who counts as the requester. For a token this is the user who made it, or who had its pipeline trusted.
///
/// # Errors
/// `authorization_invalid` for a token that was deleted since the request began: its maker is no longer known.
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

/// The requester of a second person.
pub(in crate::services) struct Requester {
    /// The user or the token that made the request.
    pub actor: Actor,
    /// The user who counts as the requester, if known; see [`person_behind`].
    pub person: Option<UserId>,
}

/// Stores a request under an id, and announces it.
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

/// Fails unless at least two users could approve actions about the product.
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
