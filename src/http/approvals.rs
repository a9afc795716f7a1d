//! Approval requests of the two-person rule, and the decisions on them.

use actix_web::{
    HttpResponse, get,
    http::{StatusCode, header},
    post,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    directory::Catalogue,
    domain::{
        actor::ActorKind,
        approval::{Approval, ApprovalAction, ApprovalStatus},
        id::{ApprovalId, UserId},
        line::Line,
        role::Role,
        slug::Slug,
        version::Version,
    },
    http::{
        App, Problem,
        extract::{
            Body, Caller, MaybeBody, Query, Segments,
            caller::{DecideApprovals, ReadReleases},
        },
        json,
        paging::{self, Limit, Listed},
    },
    services::{approving::requests, desk::lookup, releasing::steer_release::Why, second_person::Carried},
};

/// An approval request and its status.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Approval)]
pub struct ApprovalBody {
    /// Its id.
    id: ApprovalId,
    /// The slug of the product.
    product: String,
    /// The action.
    deed: ApprovalAction,
    /// The status of the request.
    status: ApprovalStatus,
    /// The release's version, where the request is about a release.
    version: Option<Version>,
    /// The body of the request; for a stop, its `channel`. The details of a trusted publisher are shown to owners only.
    #[schema(value_type = Object)]
    request: serde_json::Value,
    /// The requester.
    requested_by: RequesterBody,
    /// When it was requested.
    requested_at: Timestamp,
    /// When the request expires.
    expires_at: Timestamp,
    /// The decision; `null` while the request is pending.
    decision: Option<DecisionBody>,
}

/// Who asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Requester)]
pub struct RequesterBody {
    /// The kind of actor.
    kind: ActorKind,
    /// The id of the person or of the token.
    id: Option<Uuid>,
    /// The person's e-mail address, or the token's name.
    name: String,
}

/// A decision; `status` says which.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Decision)]
pub struct DecisionBody {
    /// The person's id.
    by: UserId,
    /// Their e-mail address.
    name: String,
    /// When it was decided.
    at: Timestamp,
    /// The note or reason given.
    note: Option<String>,
}

impl ApprovalBody {
    /// The details of a trusted publisher are shown to owners only.
    fn of(catalogue: &Catalogue, (approval, status): (Approval, ApprovalStatus), to_owner: bool) -> Self {
        let is_shown = to_owner || approval.deed != ApprovalAction::Trust;
        let product = catalogue.product_by_id(approval.product);
        Self {
            id: approval.id,
            product: product.map(|entry| entry.product.slug.to_string()).unwrap_or_default(),
            deed: approval.deed,
            status,
            version: approval.version,
            request: if is_shown { approval.parameters } else { serde_json::json!({}) },
            requested_by: RequesterBody {
                kind: approval.requested_by.kind,
                id: approval.requested_by.id,
                name: approval.requested_by.name,
            },
            requested_at: approval.requested_at,
            expires_at: approval.expires_at,
            decision: approval.decision.map(|decision| DecisionBody {
                by: decision.by,
                name: decision.name,
                at: decision.at,
                note: decision.note,
            }),
        }
    }
}

/// A request that waits for the approval of a second person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Asked {
    /// The approval request.
    approval: ApprovalBody,
}

/// The answer to an operation that may take a second person: 202 and the address of the approval request while it
/// waits.
pub(super) fn answer<T>(app: &App, carried: Carried<T>, done: impl FnOnce(T) -> HttpResponse) -> HttpResponse {
    let approval = match carried {
        Carried::Done(value) => return done(value),
        Carried::Asked(approval) => *approval,
    };
    let place = format!("/api/v1/approvals/{}", approval.id);
    let approval = ApprovalBody::of(&app.context.directory.catalogue(), (approval, ApprovalStatus::Pending), true);
    json::with_header(json::answer(StatusCode::ACCEPTED, &Asked { approval }), header::LOCATION, &place)
}

fn shown<R>(app: &App, caller: &Caller<R>, seen: (Approval, ApprovalStatus)) -> HttpResponse {
    json::answer(StatusCode::OK, &ApprovalBody::of(&app.context.directory.catalogue(), seen, is_owner(caller)))
}

fn is_owner<R>(caller: &Caller<R>) -> bool {
    caller.person.as_ref().is_some_and(|person| person.role == Role::Owner)
}

/// Where an approval is.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ApprovalPath {
    /// Its id.
    #[param(example = "0199a0de-0000-7000-8000-000000000141")]
    id: ApprovalId,
}

/// Which approvals.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApprovalsQuery {
    /// Only those of the product with this slug.
    #[param(example = "library-maker")]
    product: Option<Slug>,
    /// Only requests with this status.
    #[param(inline)]
    status: Option<ApprovalStatus>,
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before.
    #[serde(default, deserialize_with = "paging::cursor")]
    after: Option<Uuid>,
}

/// A note with an approval.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approving {
    /// For the record.
    note: Option<Line>,
}

/// List approval requests, the newest first.
#[utoipa::path(
    tag = "Admin",
    params(ApprovalsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of approval requests.", body = Listed<ApprovalBody>))
)]
#[get("/api/v1/approvals")]
pub async fn list_approvals(
    app: App,
    caller: Caller<ReadReleases>,
    query: Query<ApprovalsQuery>,
) -> Result<HttpResponse, Problem> {
    let ApprovalsQuery { product, status, limit, after } = query.0;
    let to_owner = is_owner(&caller);
    let reach = lookup::narrowed(&app.context, caller.reach, product.as_ref())?;
    let rows = requests::list(&app.context, reach, status, limit.page(after.map(ApprovalId))).await?;
    let catalogue = app.context.directory.catalogue();
    let listed = Listed::of(rows, limit.get(), |(approval, _)| approval.id.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|seen| ApprovalBody::of(&catalogue, seen, to_owner))))
}

/// Show an approval request and its status.
#[utoipa::path(
    tag = "Admin",
    params(ApprovalPath),
    security(("bearer" = [])),
    responses((status = 200, description = "The approval request.", body = ApprovalBody))
)]
#[get("/api/v1/approvals/{id}")]
pub async fn get_approval(
    app: App,
    caller: Caller<ReadReleases>,
    path: Segments<ApprovalPath>,
) -> Result<HttpResponse, Problem> {
    let seen = requests::get(&app.context, caller.reach.clone(), path.0.id).await?;
    Ok(shown(&app, &caller, seen))
}

/// Approve another person's request; it is carried out at once.
///
/// The requester, or the user who made the requesting token, cannot approve (`approver_is_requester`), nor can a user
/// whom another person added or changed recently (`approver_not_independent`). A request is void if its subject has
/// changed since (`approval_void`). Only an `owner` can approve turning the rule off or reordering channels.
#[utoipa::path(
    tag = "Admin",
    params(ApprovalPath),
    security(("bearer" = [])),
    request_body(content = Option<Approving>, example = json!({"note": "I have tried it on our own machines"})),
    responses((status = 200, description = "The approval request, carried out.", body = ApprovalBody))
)]
#[post("/api/v1/approvals/{id}/approve")]
pub async fn approve_request(
    app: App,
    caller: Caller<DecideApprovals>,
    path: Segments<ApprovalPath>,
    body: MaybeBody<Approving>,
) -> Result<HttpResponse, Problem> {
    let by = caller.person()?.id;
    let approved =
        requests::approve(&app.context, &app.judging, caller.reach.clone(), by, path.0.id, body.0.note).await?;
    Ok(shown(&app, &caller, (approved, ApprovalStatus::Approved)))
}

/// Reject an approval request. The requester can withdraw a request this way; a void request is removed from the list.
#[utoipa::path(
    tag = "Admin",
    params(("id" = ApprovalId, Path, example = "0199a0de-0000-7000-8000-000000000142")),
    security(("bearer" = [])),
    request_body(content = Why, example = json!({"reason": "the testers are not done"})),
    responses((status = 200, description = "The approval request.", body = ApprovalBody))
)]
#[post("/api/v1/approvals/{id}/reject")]
pub async fn reject_request(
    app: App,
    caller: Caller<DecideApprovals>,
    path: Segments<ApprovalPath>,
    body: Body<Why>,
) -> Result<HttpResponse, Problem> {
    let by = caller.person()?.id;
    let rejected = requests::reject(&app.context, caller.reach.clone(), by, path.0.id, body.0.reason).await?;
    Ok(shown(&app, &caller, (rejected, ApprovalStatus::Rejected)))
}
