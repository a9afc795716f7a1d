//! Events and their receivers: people by mail, the vendor's other systems by webhook. An event is queued in the outbox
//! of the transaction that causes it; [`deliver`](super::deliver) empties the outbox.

mod letters;
mod payload;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    domain::{
        approval::Approval,
        cause::{MailCause, WebhookCause},
        delivery::Delivery,
        id::{ProductId, SubscriptionId, WebhookId},
        mail::{Mail, MailKind},
        product::Product,
        release::Release,
        run::{Outcome, Run},
        subscription::Subscription,
        webhook::WebhookEvent,
        webhook_message::WebhookMessage,
        zone::utc_day,
    },
    services::{
        desk::{Context, Write, context::id_at, outbox::Outbox},
        telling::help,
    },
    store::{self, Connection, StoreError},
};
use letters::Words;
pub use letters::{Ending, language};
use payload::{ApprovalData, ReleaseData, RunData, SubscriptionData};

/// The span over which the limits of mails and messages of a subscription are counted.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A run that ended longer ago is no longer announced. The limit must be below the 30 days for which sent mails are
/// kept: after that, a repeated report cannot be told from a new one.
const NEWS: SignedDuration = SignedDuration::from_hours(72);

/// An event for webhooks.
struct Event<D> {
    kind: WebhookEvent,
    product: ProductId,
    cause: WebhookCause,
    data: D,
}

/// Queues the mails and messages about the events of one transaction in its outbox.
pub struct Teller<'t> {
    context: &'t Context,
    connection: &'t mut Connection,
    outbox: &'t mut Outbox,
    now: Timestamp,
}

impl std::fmt::Debug for Teller<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Teller")
    }
}

impl<'t> Teller<'t> {
    /// Makes a teller for a transaction at the moment `now`. The caller flushes the outbox at the transaction's end.
    #[must_use]
    pub const fn new(
        context: &'t Context,
        connection: &'t mut Connection,
        outbox: &'t mut Outbox,
        now: Timestamp,
    ) -> Self {
        Self { context, connection, outbox, now }
    }

    fn within(write: &'t mut Write<'_>) -> Self {
        Self::new(write.context(), write.connection, &mut write.outbox, write.now)
    }

    /// Announces a run that has ended or is lost. A second call for the same end queues nothing, so it can be repeated.
    pub fn run_ended(&mut self, run: &Run) -> Result<(), StoreError> {
        let now = self.now;
        let Some(end) = run.ended_at.or(run.lost_at).filter(|end| now.duration_since(*end) < NEWS) else {
            return Ok(());
        };
        let catalogue = self.context.directory.catalogue();
        let Some(entry) = catalogue.product_by_id(run.product) else { return Ok(()) };
        let outcome = match run.outcome {
            None => "lost",
            Some(Outcome::Failed | Outcome::RolledBack) => run.outcome.map_or("", Outcome::as_str),
            Some(Outcome::Succeeded | Outcome::Cancelled) => "",
        };
        // Only for runs with a subscription and a known release: for others, anyone could cause any number of messages.
        let release = entry.releases.iter().find(|release| run.release == Some(release.id));
        let (Some(subscription), Some(release)) = (run.subscription, release) else { return Ok(()) };
        if !outcome.is_empty() {
            let event = Event {
                kind: WebhookEvent::RunFailed,
                product: run.product,
                cause: WebhookCause::RunFailed { subscription, run: run.id, outcome: run.outcome },
                data: RunData::of(&entry.product, run, subscription, outcome),
            };
            self.tell(&event)?;
        }
        let (Some(address), Some(outcome)) = (&run.notify_email, run.outcome) else { return Ok(()) };
        let kind = match outcome {
            Outcome::Succeeded => MailKind::RunSucceeded,
            Outcome::Failed | Outcome::RolledBack => MailKind::RunFailed,
            // The person who cancelled the run knows.
            Outcome::Cancelled => return Ok(()),
        };
        let cause = MailCause::Run { run: run.id, subscription, outcome };
        if store::mails::is_known(self.connection, &cause)? || !self.has_room(subscription)? {
            return Ok(());
        }
        let id = run.id;
        self.outbox.log.add(move || tracing::debug!(run = %id, %subscription, %end, "a mail is queued"));
        let help = help::help(entry, run);
        let words = letters::run_ended(&entry.product, release, run, outcome, help.as_ref());
        let mail = Mail { subscription: Some(subscription), ..mail(now, kind, cause, address.clone(), words) };
        // Queued at once, so that the next mail of this subscription is counted with it.
        store::mails::queue(self.connection, &[mail])
    }

    /// Whether the daily limit of a subscription permits one more mail.
    fn has_room(&mut self, subscription: SubscriptionId) -> Result<bool, StoreError> {
        let limit = self.context.settings.mails_per_day;
        let since = self.now.checked_sub(DAY).unwrap_or(Timestamp::MIN);
        let has_room = store::mails::count_since(self.connection, subscription, since)? < i64::from(limit);
        if !has_room {
            self.outbox.log.add(move || {
                tracing::warn!(%subscription, limit, "a mail about an update was not queued: the subscription had its limit of mails within a day");
            });
        }
        Ok(has_room)
    }

    /// Queues one mail to each member of the staff of a product, or of all products.
    fn tell_staff(
        &mut self,
        kind: MailKind,
        product: Option<ProductId>,
        cause: impl Fn(String) -> MailCause,
        words: impl Fn() -> Words,
    ) -> Result<(), StoreError> {
        let configured = &self.context.settings.staff;
        let staff = match configured.is_empty() {
            true => store::users::addresses_of_concerned(self.connection, product)?,
            false => configured.clone(),
        };
        let now = self.now;
        let to = |address: String| mail(now, kind, cause(address.clone()), address, words());
        self.outbox.add_mails(staff.into_iter().map(to));
        Ok(())
    }

    /// Whether a webhook may get a message: it has not got it yet, and the subscription's daily limit allows one more.
    fn may_tell(
        &mut self,
        webhook: WebhookId,
        subscription: SubscriptionId,
        cause: &WebhookCause,
    ) -> Result<bool, StoreError> {
        let same_account =
            |message: &&WebhookMessage| message.webhook == webhook && message.cause.account() == Some(subscription);
        let mut pending = self.outbox.messages().iter().filter(same_account);
        if pending.clone().any(|message| message.cause == *cause)
            || store::webhook_messages::is_known(self.connection, webhook, cause)?
        {
            return Ok(false);
        }
        let limit = usize::try_from(self.context.settings.messages_per_day).unwrap_or(usize::MAX);
        let since = self.now.checked_sub(DAY).unwrap_or(Timestamp::MIN);
        let told = store::webhook_messages::count_since(self.connection, webhook, subscription, since)?;
        let room = limit.saturating_sub(usize::try_from(told).unwrap_or(usize::MAX));
        let has_room = room > 0 && pending.nth(room - 1).is_none();
        if !has_room {
            self.outbox.log.add(move || {
                tracing::warn!(%subscription, %webhook, limit, "a webhook message about a run was not queued: the subscription had its limit of messages within a day");
            });
        }
        Ok(has_room)
    }

    /// Queues a message to each webhook that wants the event.
    fn tell<D: Serialize>(&mut self, event: &Event<D>) -> Result<(), StoreError> {
        let now = self.now;
        let webhooks = self.outbox.webhooks(self.connection)?;
        let wanting: Vec<_> = webhooks.iter().filter(|webhook| webhook.wants(event.kind, event.product)).collect();
        if !wanting.is_empty() {
            // Written once, so that every try sends the same bytes.
            let payload = payload::write(event.kind, now, &event.data)?;
            for webhook in wanting {
                if let Some(account) = event.cause.account()
                    && !self.may_tell(webhook.id, account, &event.cause)?
                {
                    continue;
                }
                self.outbox.add_message(WebhookMessage {
                    id: id_at(now).into(),
                    webhook: webhook.id,
                    cause: event.cause.clone(),
                    event: event.kind,
                    payload: payload.clone(),
                    delivery: Delivery::new(now),
                });
            }
        }
        self.outbox.flush_if_full(self.connection)
    }

    /// Queues mails to staff about the `count` subscriptions that are about to end, of which `named` are listed. Each
    /// recipient gets one a day (UTC).
    pub fn endings(&mut self, language: &str, named: &[Ending], count: usize) -> Result<(), StoreError> {
        let day = utc_day(self.now);
        let cause = |recipient| MailCause::Ending { day, recipient };
        let words = || letters::endings(language, named, count);
        self.tell_staff(MailKind::SubscriptionsEnding, None, cause, words)
    }
}

fn mail(now: Timestamp, kind: MailKind, cause: MailCause, recipient: String, Words { subject, body }: Words) -> Mail {
    let delivery = Delivery::new(now);
    Mail { id: id_at(now).into(), cause, kind, recipient, subscription: None, subject, body, delivery }
}

/// Announces a change of a release to webhooks, such as `release.yanked`. Call it after the release is saved.
pub fn release_event(
    write: &mut Write<'_>,
    kind: WebhookEvent,
    product: &Product,
    release: &Release,
) -> Result<(), StoreError> {
    let cause = WebhookCause::Release { event: kind, release: release.id, revision: release.revision };
    let event = Event { kind, product: product.id, cause, data: ReleaseData::of(kind, product, release) };
    Teller::within(write).tell(&event)
}

/// Announces a halted rollout to webhooks, and to staff by mail. Call it after the release is saved with the reason.
pub fn release_halted(write: &mut Write<'_>, product: &Product, release: &Release) -> Result<(), StoreError> {
    release_event(write, WebhookEvent::ReleaseHalted, product, release)?;
    let cause = |recipient| MailCause::Halted { release: release.id, revision: release.revision, recipient };
    let words = || letters::release_halted(product, release);
    Teller::within(write).tell_staff(MailKind::ReleaseHalted, Some(product.id), cause, words)
}

/// Announces an approval request to webhooks.
pub fn approval_requested(write: &mut Write<'_>, product: &Product, approval: &Approval) -> Result<(), StoreError> {
    let event = Event {
        kind: WebhookEvent::ApprovalRequested,
        product: product.id,
        cause: WebhookCause::ApprovalRequested(approval.id),
        data: ApprovalData::of(product, approval),
    };
    Teller::within(write).tell(&event)
}

/// Announces a new or changed subscription to webhooks. Call it after the subscription is saved.
pub fn subscription_changed(
    write: &mut Write<'_>,
    product: &Product,
    subscription: &Subscription,
) -> Result<(), StoreError> {
    let event = Event {
        kind: WebhookEvent::SubscriptionChanged,
        product: product.id,
        cause: WebhookCause::SubscriptionChanged {
            subscription: subscription.coverage.id,
            revision: subscription.revision,
        },
        data: SubscriptionData::of(product, subscription),
    };
    Teller::within(write).tell(&event)
}
