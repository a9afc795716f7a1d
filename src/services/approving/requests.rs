//! The two-person rule: what one person asks for is only tried, and carried out when a second one approves it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    domain::{
        actor::{Actor, ActorKind},
        approval::{Approval, ApprovalStatus, Decision, Deed, RELEASERS, Verdict},
        id::{ApprovalId, ProductId, TokenId, UserId},
        product::Product,
        reach::Reach,
        release::Release,
        stop::Stop,
        version::Version,
    },
    services::{
        approving::carry_out::{self, Subjects},
        desk::{Code, Context, Faults, Refusal, Write, audited::Audited as _},
        people::users,
        releasing::steer_release::Lifting,
        telling::outbox,
    },
    store::{self, Connection, Page, audit_log::Wanted, users::User},
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
    subject: String,
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
    ) -> Self {
        let version = Some(release.version.clone());
        let fingerprint = carry_out::print_of_release(product, release.id, release.revision);
        Self { version, ..Self::new(deed, release.subject(), fingerprint, parameters) }
    }

    /// About a stop of a product.
    pub(in crate::services) fn about_stop(product: &Product, stop: &Stop) -> Self {
        let parameters = Lifting { channel: stop.channel.clone() };
        Self::new(Deed::LiftStop, product.subject(), carry_out::print_of_stop(stop), &parameters)
    }

    /// About a product.
    pub(in crate::services) fn about_product(product: &Product, parameters: &impl Serialize) -> Self {
        Self::new(Deed::ChangeProduct, product.subject(), carry_out::print_of_product(product), parameters)
    }

    /// About a workload that a product is to trust. Nothing that changes meanwhile makes it another one.
    pub(in crate::services) fn about_trust(product: &Product, parameters: &impl Serialize) -> Self {
        Self::new(Deed::Trust, product.subject(), product.id.to_string(), parameters)
    }

    fn new(deed: Deed, subject: String, fingerprint: String, parameters: &impl Serialize) -> Self {
        let parameters = serde_json::to_value(parameters).unwrap_or_default();
        Self { deed, subject, version: None, fingerprint, parameters }
    }
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
    let about = (request.subject.as_str(), request.fingerprint.as_str());
    let waiting = store::approvals::open_about(write.connection, request.deed, about, write.now)?;
    let count = waiting.len();
    if let Some(same) = waiting.into_iter().find(|known| known.parameters == request.parameters) {
        return Ok(Carried::Asked(Box::new(same)));
    }
    if count >= WAITING {
        let detail = format!("{WAITING} requests for this wait for a second person; approve or reject some first");
        return Err(Refusal::new(Code::Conflict, detail));
    }
    let (id, actor, requester) = (write.new_id(), write.actor.clone(), person_behind(write)?);
    enter(write, id, product, request, (actor, requester)).map(Box::new).map(Carried::Asked)
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

/// Enters a request under an id, and tells of it.
pub(in crate::services) fn enter(
    write: &mut Write<'_>,
    id: ApprovalId,
    product: &Product,
    Request { deed, subject, version, fingerprint, parameters }: Request,
    (requested_by, requester): (Actor, Option<UserId>),
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
        requested_by: Actor { address: None, ..requested_by },
        requester,
        requested_at: write.now,
        expires_at: write.now.checked_add(lifetime).unwrap_or(Timestamp::MAX),
        decision: None,
    };
    store::approvals::insert(write.connection, &approval)?;
    write.made("approval.request", &approval);
    outbox::approval_requested(write, product, &approval)?;
    tracing::info!(approval = %id, product = %product.slug, %deed, "a second person is asked for");
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

/// A page of requests with how they stand, the newest first.
///
/// # Errors
/// When the database cannot be used.
pub async fn list(
    context: &Arc<Context>,
    reach: Reach,
    wanted: Option<ApprovalStatus>,
    page: Page<ApprovalId>,
) -> Result<Vec<(Approval, ApprovalStatus)>, Refusal> {
    /// How many are looked at at once.
    const AT_ONCE: i64 = 200;
    let (limit, now) = (usize::try_from(page.limit).unwrap_or(0), context.clock.now());
    context
        .read(move |connection| {
            let (mut found, mut after) = (Vec::new(), page.after);
            loop {
                let next = Page { after, limit: AT_ONCE };
                let rows = store::approvals::matching(connection, &reach, wanted, now, next)?;
                let Some(last) = rows.last() else { return Ok(found) };
                after = Some(last.id);
                let subjects = Subjects::of(connection, &rows)?;
                for approval in rows {
                    let status = subjects.status(&approval, now)?;
                    if wanted.is_none_or(|wanted| wanted == status) {
                        found.push((approval, status));
                    }
                    if found.len() >= limit {
                        return Ok(found);
                    }
                }
            }
        })
        .await
}

/// A request, and how it stands.
///
/// # Errors
/// `approval_not_found`.
pub async fn get(context: &Arc<Context>, reach: Reach, id: ApprovalId) -> Result<(Approval, ApprovalStatus), Refusal> {
    let now = context.clock.now();
    context
        .read(move |connection| {
            let approval = find(connection, &reach, id)?;
            let status = status(connection, &approval, now)?;
            Ok((approval, status))
        })
        .await
}

fn find(connection: &mut Connection, reach: &Reach, id: ApprovalId) -> Result<Approval, Refusal> {
    let found = store::approvals::get(connection, id)?.filter(|approval| reach.includes(approval.product));
    found.ok_or_else(|| Refusal::new(Code::ApprovalNotFound, format!("there is no approval {id}")))
}

fn status(connection: &mut Connection, approval: &Approval, now: Timestamp) -> Result<ApprovalStatus, Refusal> {
    Subjects::of(connection, std::slice::from_ref(approval))?.status(approval, now)
}

/// Approves a request, and carries it out with that.
///
/// # Errors
/// `approval_not_found`, `approval_decided`, `approval_expired`, `approval_void`, `role_insufficient`,
/// `approver_is_requester`, `approver_not_independent`, and what the deed refuses; then the request stays as it is.
pub async fn approve(
    context: &Arc<Context>,
    reach: Reach,
    by: UserId,
    id: ApprovalId,
    note: Option<String>,
) -> Result<Approval, Refusal> {
    check_line("note", note.as_ref())?;
    let approving = context.write(move |write| {
        let approval = pending(write, &reach, id)?;
        let approver = second_person(write, &approval, by)?;
        let before = write.recorded();
        let steered = carry_out::perform(write, &approval)?;
        let origin = json!({ "id": approval.id, "requested_by": approval.requested_by.name });
        for record in write.records_after(before) {
            if let Some(details) = record.details.as_object_mut() {
                details.insert("approval".to_owned(), origin.clone());
            }
        }
        Ok((decide(write, approval, Verdict::Approved, approver, note)?, steered))
    });
    let (approval, steered) = approving.await?;
    // As after any steering.
    context.judging.add(steered.into_iter().collect());
    Ok(approval)
}

/// Rejects a request, or withdraws one's own; also one that is void, so that it is off the list.
///
/// # Errors
/// `approval_not_found`, `approval_decided`, `approval_expired`, `body_invalid`.
pub async fn reject(
    context: &Arc<Context>,
    reach: Reach,
    by: UserId,
    id: ApprovalId,
    reason: String,
) -> Result<Approval, Refusal> {
    check_line("reason", Some(&reason))?;
    context
        .write(move |write| {
            let (approval, _) = open(write, &reach, id)?;
            let user = store::users::held(write.connection, by)?.ok_or_else(|| users::not_found(by))?;
            decide(write, approval, Verdict::Rejected, user, Some(reason))
        })
        .await
}

fn check_line(field: &str, text: Option<&String>) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    if let Some(text) = text {
        faults.line(field, text);
    }
    faults.finish()
}

/// A request that nobody has decided, in its time: it is pending or void.
fn open(write: &mut Write<'_>, reach: &Reach, id: ApprovalId) -> Result<(Approval, ApprovalStatus), Refusal> {
    let approval = find(write.connection, reach, id)?;
    let (code, detail) = match status(write.connection, &approval, write.now)? {
        status @ (ApprovalStatus::Pending | ApprovalStatus::Void) => return Ok((approval, status)),
        status @ (ApprovalStatus::Approved | ApprovalStatus::Rejected) => {
            let name = approval.decision.as_ref().map_or("somebody", |decision| decision.name.as_str());
            (Code::ApprovalDecided, format!("it was {status} by `{name}` already"))
        }
        ApprovalStatus::Expired => {
            let end = approval.expires_at;
            (
                Code::ApprovalExpired,
                format!("it could be decided until {end}; what it is about has to be asked for again"),
            )
        }
    };
    Err(Refusal::new(code, detail))
}

/// A request that can still be approved.
fn pending(write: &mut Write<'_>, reach: &Reach, id: ApprovalId) -> Result<Approval, Refusal> {
    let (approval, status) = open(write, reach, id)?;
    if status == ApprovalStatus::Void {
        let changes = changes_since(write.connection, &approval)?;
        let detail = format!("what it is about has changed since it was asked for ({changes}); ask for it again");
        return Err(Refusal::new(Code::ApprovalVoid, detail));
    }
    Ok(approval)
}

/// What was done since to what a request is about, in a few words.
fn changes_since(connection: &mut Connection, approval: &Approval) -> Result<String, Refusal> {
    let action = (approval.deed == Deed::LiftStop).then(|| "stop.".to_owned());
    let (subject, from) = (Some(approval.subject.clone()), Some(approval.requested_at));
    let wanted = Wanted { action, subject, from, ..Wanted::default() };
    let entries = store::audit_log::matching(connection, &wanted, Page { after: None, limit: 3 })?;
    let words = entries.iter().map(|stored| match stored.entry.actor.name.as_str() {
        "" => format!("`{}` by the server", stored.entry.action),
        name => format!("`{}` by `{name}`", stored.entry.action),
    });
    Ok(words.collect::<Vec<_>>().join(", "))
}

/// Whoever approves, if they count as a second person: not the one who asked, and nobody whom another person could have made one
/// just now.
fn second_person(write: &mut Write<'_>, approval: &Approval, by: UserId) -> Result<User, Refusal> {
    let user = store::users::held(write.connection, by)?.ok_or_else(|| users::not_found(by))?;
    let roles = approval.deed.approvers();
    if !roles.contains(&user.role) {
        let needed: Vec<_> = roles.iter().map(|role| format!("`{role}`")).collect();
        let detail = format!("your role is `{}`; to approve this takes {}", user.role, needed.join(" or "));
        return Err(Refusal::new(Code::RoleInsufficient, detail));
    }
    if approval.requester == Some(by) {
        let detail = "you have asked for it yourself, or made the token that did; a second person has to approve it";
        return Err(Refusal::new(Code::ApproverIsRequester, detail));
    }
    let wait = write.context().settings.new_approvers_wait;
    let since = write.now.checked_sub(wait).unwrap_or(Timestamp::MIN);
    if let Some(entry) = store::audit_log::done_by_another(write.connection, &user.subject(), by, since)? {
        let until = entry.at.checked_add(wait).unwrap_or(Timestamp::MAX);
        let (who, action) = (entry.actor.name, entry.action);
        let detail =
            format!("`{who}` has entered or changed your account (`{action}`); you can approve from {until} on");
        return Err(Refusal::new(Code::ApproverNotIndependent, detail));
    }
    Ok(user)
}

fn decide(
    write: &mut Write<'_>,
    approval: Approval,
    verdict: Verdict,
    by: User,
    note: Option<String>,
) -> Result<Approval, Refusal> {
    let decision = Decision { verdict, by: by.id, name: by.email, at: write.now, note };
    store::approvals::decide(write.connection, approval.id, &decision)?;
    tracing::info!(approval = %approval.id, %verdict, by = %by.id, "a request was decided");
    let decided = Approval { decision: Some(decision), ..approval };
    let action = match verdict {
        Verdict::Approved => "approval.approve",
        Verdict::Rejected => "approval.reject",
    };
    write.made(action, &decided);
    Ok(decided)
}
