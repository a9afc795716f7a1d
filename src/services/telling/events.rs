//! What is told of, and to whom: people by mail, the vendor's other systems by webhook. It is queued in the outbox of the
//! transaction that does what is told of; [`deliver`](super::deliver) empties it.

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
        webhook::{WebhookEvent, WebhookMessage},
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

/// The limit of mails on a subscription's account is counted over so long.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What ended longer ago is no news to the person who started it. (Sent mails are forgotten after a month, so a report that
/// is repeated later than that could not be told from a new one.)
const NEWS: SignedDuration = SignedDuration::from_hours(72);

/// Something that webhooks are told of.
struct Event<D> {
    kind: WebhookEvent,
    product: ProductId,
    cause: WebhookCause,
    data: D,
}

/// Tells of what happens in one transaction, by way of its outbox.
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
    /// One for a moment of a transaction, whose outbox is flushed at its end.
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

    /// Tells of a run that has just ended, or was just given up. Telling it again tells nothing, so whoever is not sure may.
    ///
    /// # Errors
    /// When the database cannot be used.
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
        // Of anything else anybody could have told as much as they like.
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
            // Whoever decided against it knows.
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
        // At once, so that the next one on this account is counted with it.
        store::mails::queue(self.connection, &[mail])
    }

    /// Whether one more mail may be sent on a subscription's account.
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

    /// Tells the staff of a product, or of all products, with one mail to each.
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

    /// Whether a webhook may be told one more thing on a subscription's account, and was not told it already.
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

    /// Tells the webhooks that want to know.
    fn tell<D: Serialize>(&mut self, event: &Event<D>) -> Result<(), StoreError> {
        let now = self.now;
        let webhooks = self.outbox.webhooks(self.connection)?;
        let wanting: Vec<_> = webhooks.iter().filter(|webhook| webhook.wants(event.kind, event.product)).collect();
        if !wanting.is_empty() {
            // Written once: every try sends the same bytes.
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

    /// Tells staff of subscriptions that are about to end: some by name, and how many there are. Once a day.
    ///
    /// # Errors
    /// When the database cannot be used.
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

/// Tells of what became of a release, once it is saved: `release.published`, `release.yanked`.
///
/// # Errors
/// When the database cannot be used.
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

/// Tells of a rollout that was halted, once the release is saved with the reason: webhooks, and staff by mail.
///
/// # Errors
/// When the database cannot be used.
pub fn release_halted(write: &mut Write<'_>, product: &Product, release: &Release) -> Result<(), StoreError> {
    release_event(write, WebhookEvent::ReleaseHalted, product, release)?;
    let cause = |recipient| MailCause::Halted { release: release.id, revision: release.revision, recipient };
    let words = || letters::release_halted(product, release);
    Teller::within(write).tell_staff(MailKind::ReleaseHalted, Some(product.id), cause, words)
}

/// Tells of a request that waits for a second person.
///
/// # Errors
/// When the database cannot be used.
pub fn approval_requested(write: &mut Write<'_>, product: &Product, approval: &Approval) -> Result<(), StoreError> {
    let event = Event {
        kind: WebhookEvent::ApprovalRequested,
        product: product.id,
        cause: WebhookCause::ApprovalRequested(approval.id),
        data: ApprovalData::of(product, approval),
    };
    Teller::within(write).tell(&event)
}

/// Tells of a subscription that was entered or changed, once it is saved.
///
/// # Errors
/// When the database cannot be used.
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
