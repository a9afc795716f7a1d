//! Table `mails`: queued, failed and sent mails.

use diesel::prelude::*;
use jiff::Timestamp;

use super::{
    Connection, Page, StoreError,
    bulk::{Both, Bulk, NewRow},
    deliveries::deliveries,
    schema::mails,
};
use crate::domain::{
    cause::MailCause,
    id::{MailId, SubscriptionId},
    mail::{Mail, MailKind},
};

deliveries!(mails, MailId);

#[derive(Queryable, Selectable)]
#[diesel(table_name = mails)]
struct Row {
    id: Key<MailId>,
    cause: Name<MailCause>,
    kind: Name<MailKind>,
    recipient: String,
    subscription_id: Option<Key<SubscriptionId>>,
    subject: String,
    body: String,
    #[diesel(embed)]
    delivery: DeliveryRow,
}

impl Row {
    fn into_domain(self) -> Mail {
        Mail {
            id: self.id.0,
            cause: self.cause.0,
            kind: self.kind.0,
            recipient: self.recipient,
            subscription: self.subscription_id.map(|id| id.0),
            subject: self.subject,
            body: self.body,
            delivery: self.delivery.into_domain(),
        }
    }
}

/// Queues mails. A mail whose cause already has a mail is skipped.
pub fn queue(connection: &mut Connection, mails: &[Mail]) -> Result<(), StoreError> {
    Bulk::of(mails.iter().map(new_row).collect()).ignoring().insert(connection)
}

fn new_row(mail: &Mail) -> impl NewRow<Table = mails::table> {
    let own = (
        (mails::id, Key(mail.id)),
        (mails::cause, Name(mail.cause.clone())),
        (mails::kind, Name(mail.kind)),
        (mails::recipient, mail.recipient.as_str()),
        (mails::subscription_id, mail.subscription.map(Key)),
        (mails::subject, mail.subject.as_str()),
        (mails::body, mail.body.as_str()),
    );
    Both(own, DeliveryRow::of(&mail.delivery).new_row())
}

/// Whether there is a mail with this cause.
pub fn is_known(connection: &mut Connection, cause: &MailCause) -> Result<bool, StoreError> {
    let known = mails::table.filter(mails::cause.eq(cause.to_string())).select(mails::id);
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(connection)?)
}

/// How many mails of a subscription were queued since a time. A caller that then queues another must have locked the
/// subscription ([`super::subscriptions::hold`]). Otherwise two callers could both count one below the limit, and
/// exceed it.
pub fn count_since(
    connection: &mut Connection,
    subscription: SubscriptionId,
    since: Timestamp,
) -> Result<i64, StoreError> {
    let recent =
        mails::table.filter(mails::subscription_id.eq(Key(subscription))).filter(mails::created_at.gt(Moment(since)));
    Ok(recent.count().get_result(connection)?)
}

/// The mails that are due, the longest due first, at most `limit`.
pub fn due(connection: &mut Connection, now: Timestamp, limit: i64) -> Result<Vec<Mail>, StoreError> {
    let due = mails::table
        .filter(mails::next_attempt_at.is_not_null())
        .filter(mails::next_attempt_at.le(Moment(now)))
        .order(mails::next_attempt_at)
        .limit(limit)
        .select(Row::as_select());
    Ok(due.load(connection)?.into_iter().map(Row::into_domain).collect())
}

/// The mail with this id.
pub fn get(connection: &mut Connection, id: MailId) -> Result<Option<Mail>, StoreError> {
    let row = mails::table.find(Key(id)).select(Row::as_select()).first(connection).optional()?;
    Ok(row.map(Row::into_domain))
}

/// The filter of a list of mails; `None` matches all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    pub state: Option<DeliveryState>,
    pub kind: Option<MailKind>,
}

/// A page of mails, the newest first.
pub fn matching(connection: &mut Connection, wanted: Wanted, page: Page<MailId>) -> Result<Vec<Mail>, StoreError> {
    let mut query = mails::table.order(mails::id.desc()).limit(page.limit).select(Row::as_select()).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(mails::id.lt(Key(after)));
    }
    if let Some(state) = wanted.state {
        query = query.filter(mails::state.eq(state.as_str()));
    }
    if let Some(kind) = wanted.kind {
        query = query.filter(mails::kind.eq(kind.as_str()));
    }
    Ok(query.load(connection)?.into_iter().map(Row::into_domain).collect())
}
