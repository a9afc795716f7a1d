//! Table `approvals`: approval requests, and how a second person decided them.

use diesel::prelude::*;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Connection, Page, StoreError,
    schema::approvals,
    value::{Json, Key, Moment, Name},
};
use crate::domain::{
    actor::{Actor, ActorKind},
    approval::{Approval, ApprovalAction, ApprovalDecision, ApprovalStatus, ApprovalVerdict},
    id::{ApprovalId, ProductId, UserId},
    reach::Reach,
    subject::Subject,
    version::Version,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = approvals)]
struct Row {
    id: Key<ApprovalId>,
    product_id: Key<ProductId>,
    deed: Name<ApprovalAction>,
    subject: Name<Subject>,
    version: Option<Name<Version>>,
    parameters: Json<Value>,
    fingerprint: String,
    actor_kind: Name<ActorKind>,
    actor_id: Option<Key<Uuid>>,
    actor_name: String,
    requester: Option<Key<UserId>>,
    requested_at: Moment,
    expires_at: Moment,
    outcome: Option<Name<ApprovalVerdict>>,
    decided_by: Option<Key<UserId>>,
    decided_by_name: Option<String>,
    decided_at: Option<Moment>,
    note: Option<String>,
}

impl Row {
    /// The row of an undecided request.
    fn of(approval: &Approval) -> Self {
        Self {
            id: Key(approval.id),
            product_id: Key(approval.product),
            deed: Name(approval.deed),
            subject: Name(approval.subject.clone()),
            version: approval.version.clone().map(Name),
            parameters: Json(approval.parameters.clone()),
            fingerprint: approval.fingerprint.clone(),
            actor_kind: Name(approval.requested_by.kind),
            actor_id: approval.requested_by.id.map(Key),
            actor_name: approval.requested_by.name.clone(),
            requester: approval.requester.map(Key),
            requested_at: Moment(approval.requested_at),
            expires_at: Moment(approval.expires_at),
            outcome: None,
            decided_by: None,
            decided_by_name: None,
            decided_at: None,
            note: None,
        }
    }

    fn into_domain(self) -> Approval {
        let note = self.note;
        let decision =
            self.outcome.zip(self.decided_by).zip(self.decided_at).map(|((verdict, by), at)| ApprovalDecision {
                verdict: verdict.0,
                by: by.0,
                name: self.decided_by_name.unwrap_or_default(),
                at: at.0,
                note,
            });
        Approval {
            id: self.id.0,
            product: self.product_id.0,
            deed: self.deed.0,
            subject: self.subject.0,
            version: self.version.map(|version| version.0),
            parameters: self.parameters.0,
            fingerprint: self.fingerprint,
            requested_by: Actor {
                kind: self.actor_kind.0,
                id: self.actor_id.map(|id| id.0),
                name: self.actor_name,
                address: None,
            },
            requester: self.requester.map(|id| id.0),
            requested_at: self.requested_at.0,
            expires_at: self.expires_at.0,
            decision,
        }
    }
}

/// The approval request with this id.
pub fn get(connection: &mut Connection, id: ApprovalId) -> Result<Option<Approval>, StoreError> {
    let row: Option<Row> = approvals::table.find(Key(id)).select(Row::as_select()).first(connection).optional()?;
    Ok(row.map(Row::into_domain))
}

/// The requests for this action on this subject that are undecided and not expired. Only requests with this fingerprint
/// match: others were made for another state of the subject.
pub fn open_about(
    connection: &mut Connection,
    deed: ApprovalAction,
    subject: &Subject,
    fingerprint: &str,
    now: Timestamp,
) -> Result<Vec<Approval>, StoreError> {
    let rows: Vec<Row> = approvals::table
        .filter(approvals::subject.eq(subject.to_string()))
        .filter(approvals::deed.eq(deed.as_str()))
        .filter(approvals::fingerprint.eq(fingerprint))
        .filter(approvals::outcome.is_null())
        .filter(approvals::expires_at.gt(Moment(now)))
        .order(approvals::id)
        .select(Row::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}

/// A page of requests, the newest first, with the wanted status. `Pending` and `Void` both return undecided requests
/// that are not expired: only the current state of the subject tells them apart.
pub fn matching(
    connection: &mut Connection,
    reach: &Reach,
    wanted: Option<ApprovalStatus>,
    now: Timestamp,
    page: Page<ApprovalId>,
) -> Result<Vec<Approval>, StoreError> {
    let mut query =
        approvals::table.order(approvals::id.desc()).limit(page.limit).select(Row::as_select()).into_boxed();
    if let Some(products) = reach.products() {
        query = query.filter(approvals::product_id.eq_any(products.iter().copied().map(Key)));
    }
    let open = approvals::outcome.is_null();
    query = match wanted {
        None => query,
        Some(ApprovalStatus::Approved) => query.filter(approvals::outcome.eq(ApprovalVerdict::Approved.as_str())),
        Some(ApprovalStatus::Rejected) => query.filter(approvals::outcome.eq(ApprovalVerdict::Rejected.as_str())),
        Some(ApprovalStatus::Expired) => query.filter(open).filter(approvals::expires_at.le(Moment(now))),
        Some(ApprovalStatus::Pending | ApprovalStatus::Void) => {
            query.filter(open).filter(approvals::expires_at.gt(Moment(now)))
        }
    };
    if let Some(before) = page.after {
        query = query.filter(approvals::id.lt(Key(before)));
    }
    let rows: Vec<Row> = query.load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}

/// Adds the row of an undecided request.
pub fn insert(connection: &mut Connection, approval: &Approval) -> Result<(), StoreError> {
    diesel::insert_into(approvals::table).values(Row::of(approval)).execute(connection)?;
    Ok(())
}

/// Stores the decision about a request.
pub fn decide(connection: &mut Connection, id: ApprovalId, decision: &ApprovalDecision) -> Result<(), StoreError> {
    diesel::update(approvals::table.find(Key(id)))
        .set((
            approvals::outcome.eq(decision.verdict.as_str()),
            approvals::decided_by.eq(Key(decision.by)),
            approvals::decided_by_name.eq(decision.name.clone()),
            approvals::decided_at.eq(Moment(decision.at)),
            approvals::note.eq(decision.note.clone()),
        ))
        .execute(connection)?;
    Ok(())
}
