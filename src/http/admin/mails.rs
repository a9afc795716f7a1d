//! Mails: queued, sent and failed.

use actix_web::{HttpResponse, get, http::StatusCode, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    domain::{
        id::{MailId, SubscriptionId},
        mail::{Mail, MailKind},
    },
    http::{
        App, Problem,
        extract::{
            Caller, Query, Segments,
            caller::{ReadMails, RetryMails},
        },
        json,
        paging::{self, Limit, Listed},
    },
    services::{
        Context,
        telling::mails::{self, MailState},
    },
};

/// A mail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Mail)]
pub struct MailBody {
    /// The mail's id; its `Message-ID` begins with it.
    id: MailId,
    /// The kind of mail.
    kind: MailKind,
    /// The e-mail address of the recipient.
    recipient: String,
    /// The subscription that the mail is about; `null` for mails to staff.
    subscription_id: Option<SubscriptionId>,
    /// The subject.
    subject: String,
    /// The text.
    body: String,
    /// The delivery state.
    state: MailState,
    /// The reason for `undelivered`: `smtp_not_configured`.
    reason: Option<&'static str>,
    /// The number of attempts since it was queued.
    attempts: u32,
    /// The time of the next attempt.
    next_attempt_at: Option<Timestamp>,
    /// The error of the last failed attempt.
    last_error: Option<String>,
    /// When it was written.
    created_at: Timestamp,
    /// When the receiving server accepted it.
    sent_at: Option<Timestamp>,
}

impl MailBody {
    fn of(context: &Context, mail: Mail) -> Self {
        let state = MailState::of(context, &mail);
        Self {
            id: mail.id,
            kind: mail.kind,
            recipient: mail.recipient,
            subscription_id: mail.subscription,
            subject: mail.subject,
            body: mail.body,
            state,
            reason: (state == MailState::Undelivered).then_some("smtp_not_configured"),
            attempts: mail.delivery.attempts,
            next_attempt_at: mail.delivery.next_attempt_at,
            last_error: mail.delivery.last_error,
            created_at: mail.delivery.created_at,
            sent_at: mail.delivery.sent_at,
        }
    }
}

/// Which mails.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MailsQuery {
    /// Only those in this state.
    #[param(inline)]
    state: Option<MailState>,
    /// Only mails of this kind.
    #[param(inline)]
    kind: Option<MailKind>,
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before.
    #[serde(default, deserialize_with = "paging::cursor")]
    after: Option<Uuid>,
}

/// Where a mail is.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MailPath {
    /// The mail's id.
    #[param(example = "0199a0de-0000-7000-8000-000000000111")]
    id: MailId,
}

/// List mails, the newest first.
#[utoipa::path(
    tag = "Admin",
    params(MailsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of mails.", body = Listed<MailBody>))
)]
#[get("/api/v1/admin/mails")]
pub async fn list_mails(
    app: App,
    _caller: Caller<ReadMails>,
    query: Query<MailsQuery>,
) -> Result<HttpResponse, Problem> {
    let MailsQuery { state, kind, limit, after } = query.0;
    let rows = mails::list(&app.context, state, kind, limit.page(after.map(MailId))).await?;
    let listed = Listed::of(rows, limit.get(), |mail| mail.id.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|mail| MailBody::of(&app.context, mail))))
}

/// Retry a mail that failed or waits for its next attempt.
#[utoipa::path(
    tag = "Admin",
    params(MailPath),
    security(("bearer" = [])),
    responses((status = 200, description = "The mail, queued again.", body = MailBody))
)]
#[post("/api/v1/admin/mails/{id}/retry")]
pub async fn retry_mail(
    app: App,
    _caller: Caller<RetryMails>,
    path: Segments<MailPath>,
) -> Result<HttpResponse, Problem> {
    let mail = mails::retry(&app.context, path.0.id).await?;
    Ok(json::answer(StatusCode::OK, &MailBody::of(&app.context, mail)))
}
