//! Approval requests of the two-person rule: listed, approved and rejected. An approval carries the requested action
//! out.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use crate::{
    domain::{
        approval::{Approval, ApprovalAction, ApprovalDecision, ApprovalStatus, ApprovalVerdict},
        id::{ApprovalId, UserId},
        line::Line,
        page::Page,
        reach::Reach,
    },
    services::{
        approving::carry_out::{self, Subjects},
        desk::{Code, Context, Refusal, Write, audited::Audited as _},
        people::users,
        releasing::guard_rollouts::Judging,
    },
    store::{self, Connection, audit_log::Wanted, users::User},
};

/// A page of requests with their status, the newest first.
pub async fn list(
    context: &Arc<Context>,
    reach: Reach,
    wanted: Option<ApprovalStatus>,
    page: Page<ApprovalId>,
) -> Result<Vec<(Approval, ApprovalStatus)>, Refusal> {
    /// Requests that are read in one step. The status depends on several tables, so it is filtered after the reading.
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

/// A request and its status.
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

/// Approves a request, and carries its action out in the same transaction.
///
/// # Errors
/// `approval_not_found`, `approval_decided`, `approval_expired`, `approval_void`, `role_insufficient`,
/// `approver_is_requester`, `approver_not_independent`, and the refusals of the action. The request then stays pending.
pub async fn approve(
    context: &Arc<Context>,
    judging: &Judging,
    reach: Reach,
    by: UserId,
    id: ApprovalId,
    note: Option<Line>,
) -> Result<Approval, Refusal> {
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
        Ok((decide(write, approval, ApprovalVerdict::Approved, approver, note)?, steered))
    });
    let (approval, steered) = approving.await?;
    // The release was steered, so its votes are judged again.
    judging.add(steered.into_iter().collect());
    Ok(approval)
}

/// Rejects a request. The requester can withdraw a request this way; a void request is removed from the list.
///
/// # Errors
/// `approval_not_found`, `approval_decided`, `approval_expired`, `body_invalid`.
pub async fn reject(
    context: &Arc<Context>,
    reach: Reach,
    by: UserId,
    id: ApprovalId,
    reason: Line,
) -> Result<Approval, Refusal> {
    context
        .write(move |write| {
            let (approval, _) = open(write, &reach, id)?;
            let user = store::users::lock(write.connection, by)?.ok_or_else(|| users::not_found(by))?;
            decide(write, approval, ApprovalVerdict::Rejected, user, Some(reason))
        })
        .await
}

/// A request that is undecided and has not expired: pending or void.
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

/// The last three changes to the subject since the request, as text for a refusal.
fn changes_since(connection: &mut Connection, approval: &Approval) -> Result<String, Refusal> {
    let action = (approval.deed == ApprovalAction::LiftStop).then(|| "stop.".to_owned());
    let (subject, from) = (Some(approval.subject.to_string()), Some(approval.requested_at));
    let wanted = Wanted { action, subject, from, ..Wanted::default() };
    let entries = store::audit_log::matching(connection, &wanted, Page { after: None, limit: 3 })?;
    let words = entries.iter().map(|stored| match stored.entry.actor.name.as_str() {
        "" => format!("`{}` by the server", stored.entry.action),
        name => format!("`{}` by `{name}`", stored.entry.action),
    });
    Ok(words.collect::<Vec<_>>().join(", "))
}

/// The approving user, if they count as a second person: they are not the requester, and no other person has entered or
/// changed their account within the last `new_approvers_wait`.
fn second_person(write: &mut Write<'_>, approval: &Approval, by: UserId) -> Result<User, Refusal> {
    let user = store::users::lock(write.connection, by)?.ok_or_else(|| users::not_found(by))?;
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
    verdict: ApprovalVerdict,
    by: User,
    note: Option<Line>,
) -> Result<Approval, Refusal> {
    let note = note.map(String::from);
    let decision = ApprovalDecision { verdict, by: by.id, name: by.email, at: write.now, note };
    store::approvals::decide(write.connection, approval.id, &decision)?;
    let (id, by) = (approval.id, by.id);
    write.say(move || tracing::info!(approval = %id, %verdict, by = %by, "a request was decided"));
    let decided = Approval { decision: Some(decision), ..approval };
    let action = match verdict {
        ApprovalVerdict::Approved => "approval.approve",
        ApprovalVerdict::Rejected => "approval.reject",
    };
    write.made(action, &decided)?;
    Ok(decided)
}
