//! Empties the outbox: sends the mails and webhook messages that are due, a few at a time. Each is claimed before it is
//! sent and marked after it was accepted. After a crash in between, it is sent once more when the claim has expired,
//! with the same id, by which the receiver can recognise it. After a crash or a full disk before the claim, it was not
//! sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        delivery::{Delivery, DeliveryState},
        id::WebhookId,
        mail::Mail,
        webhook::Webhook,
        webhook_message::WebhookMessage,
    },
    mail::{LONGEST_TRY, Letter, MailError, Mailer},
    services::desk::Context,
    signing::random,
    store::{self, Store, StoreError},
    webhook::{Post, PostError},
};

/// The number of mails read from the database at once.
const MAILS: u16 = 32;

/// The number of messages to one webhook read from the database at once.
const MESSAGES: u16 = 64;

/// The number of simultaneous deliveries to one receiver. It is small because SMTP servers limit connections.
const AT_ONCE: usize = 4;

/// How much longer a claim lasts than the longest try, so that there is time to write the result. If it is too short, a
/// delivery is sent twice.
const TO_MARK: Duration = Duration::from_secs(30);

/// The pause after the first failure of a receiver. It doubles with each failure in a row, up to [`LONGEST_REST`].
const REST: SignedDuration = SignedDuration::from_secs(5);

/// The longest pause. A receiver that works again is noticed within this time.
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(1);

/// How long sent deliveries are kept, counted from when they were made. It must exceed the 72 hours in which a repeated
/// report could queue a mail again: the kept mail shows the repetition.
const KEEP_SENT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long deliveries that were not sent are kept, counted from when they were made.
const KEEP_UNSENT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Uses the store on a thread that may block. It logs no failure: the job logs it once, not at each repetition.
async fn on_store<T: Send + 'static>(
    context: &Arc<Context>,
    work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let context = Arc::clone(context);
    let done = tokio::task::spawn_blocking(move || work(&context.store)).await;
    done.unwrap_or_else(|error| Err(StoreError::Other(error.to_string())))
}

/// Runs all of the work to its end, and returns the first error.
async fn all(work: impl Stream<Item = Result<(), StoreError>>) -> Result<(), StoreError> {
    work.fold(Ok(()), |sum: Result<(), StoreError>, one| async move { sum.and(one) }).await
}

/// A random number, which spreads the next tries.
fn chance() -> u16 {
    u16::from_be_bytes(random())
}

/// A receiver of deliveries. Each is served separately, so that none delays another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Receiver {
    Smtp,
    Webhook(WebhookId),
}

/// The recent failures of a receiver.
#[derive(Debug, Default)]
pub struct Standing {
    /// The number of failures in a row.
    failures: u32,
    /// Nothing is sent before this moment.
    rests_until: Option<Timestamp>,
    /// The revision of the webhook that failed.
    revision: i64,
}

impl Standing {
    /// Resets the failures if the webhook has changed since.
    fn meet(&mut self, revision: i64) {
        if self.revision != revision {
            *self = Self { revision, ..Self::default() };
        }
    }

    fn rests(&self, now: Timestamp) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    /// Notes the result of a round; returns whether the next may begin at once.
    fn note(&mut self, round: &Round<'_>, now: Timestamp) -> bool {
        let (well, badly) = (round.well.load(Ordering::Relaxed), round.badly.load(Ordering::Relaxed));
        if round.is_away.load(Ordering::Relaxed) || (well == 0 && badly > 0) {
            let rest = REST.saturating_mul(1 << self.failures.min(8)).min(LONGEST_REST);
            self.failures = self.failures.saturating_add(1);
            self.rests_until = now.checked_add(rest).ok();
            return false;
        }
        if well > 0 {
            (self.failures, self.rests_until) = (0, None);
        }
        badly == 0 && !round.is_over()
    }
}

/// The result of a try, as it matters for other deliveries to the same receiver.
enum Went {
    /// The receiver works: it accepted the delivery, or refused it for good.
    Well,
    /// The receiver answered, but did not accept this delivery now.
    Badly,
    /// The receiver does not work; no other delivery is tried in this round.
    Away,
    /// The webhook answered 410, so that its state is to be read again.
    Changed,
}

/// A round: some deliveries to one receiver, and their results.
struct Round<'a> {
    goes_on: &'a (dyn Fn() -> bool + Send + Sync),
    is_away: AtomicBool,
    is_over: AtomicBool,
    well: AtomicU32,
    badly: AtomicU32,
}

impl<'a> Round<'a> {
    fn new(goes_on: &'a (dyn Fn() -> bool + Send + Sync)) -> Self {
        let (is_away, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { goes_on, is_away, is_over, well: AtomicU32::new(0), badly: AtomicU32::new(0) }
    }

    /// Whether no further delivery may begin.
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || !(self.goes_on)()
    }

    fn note(&self, went: &Result<Option<Went>, StoreError>) {
        match went {
            Ok(None) => {}
            Ok(Some(Went::Well)) => drop(self.well.fetch_add(1, Ordering::Relaxed)),
            Ok(Some(Went::Badly)) => drop(self.badly.fetch_add(1, Ordering::Relaxed)),
            Ok(Some(Went::Away)) => {
                self.is_away.store(true, Ordering::Relaxed);
                self.is_over.store(true, Ordering::Relaxed);
            }
            Ok(Some(Went::Changed)) | Err(_) => self.is_over.store(true, Ordering::Relaxed),
        }
    }

    /// Sends the deliveries until the round is over: one after the other after a failure, otherwise a few at once.
    async fn send<T, F: Future<Output = Result<Option<Went>, StoreError>>>(
        &self,
        due: Vec<T>,
        standing: &Standing,
        send: impl Fn(T) -> F,
    ) -> Result<(), StoreError> {
        let send = &send;
        let one = |item| async move {
            if self.is_over() {
                return Ok(());
            }
            let went = send(item).await;
            self.note(&went);
            went.map(drop)
        };
        let at_once = if standing.failures == 0 { AT_ONCE } else { 1 };
        all(stream::iter(due).map(one).buffer_unordered(at_once)).await
    }
}

/// The SMTP server, if configured, and all enabled webhooks.
pub async fn receivers(context: &Arc<Context>) -> Result<Vec<Receiver>, StoreError> {
    let webhooks = on_store(context, |store| store.read(store::webhooks::enabled)).await?;
    let smtp = context.mailer.as_ref().map(|_| Receiver::Smtp);
    Ok(smtp.into_iter().chain(webhooks.into_iter().map(|webhook| Receiver::Webhook(webhook.id))).collect())
}

/// Sends a receiver the due deliveries, until there are no more, it fails, or `goes_on` returns false.
///
/// # Errors
/// When the database cannot be used. A delivery that was sent but not marked is sent once more after its claim has
/// expired, with the same id.
pub async fn serve(
    context: &Arc<Context>,
    receiver: Receiver,
    standing: &mut Standing,
    goes_on: &(dyn Fn() -> bool + Send + Sync),
) -> Result<(), StoreError> {
    loop {
        let is_more = match receiver {
            Receiver::Smtp => mails(context, standing, goes_on).await?,
            Receiver::Webhook(webhook) => messages(context, webhook, standing, goes_on).await?,
        };
        if !is_more {
            return Ok(());
        }
    }
}

/// Releases the claims of the previous process, so that its unfinished deliveries are tried at once. Call it only if no
/// other process uses the database: another process may be sending them.
pub async fn release_claims(context: &Arc<Context>) -> Result<(), StoreError> {
    let now = context.clock.now();
    let released = on_store(context, move |store| {
        store.append(|connection| {
            Ok(store::mails::release(connection, now)? + store::webhook_messages::release(connection, now)?)
        })
    });
    let broken_off = released.await?;
    if broken_off > 0 {
        tracing::info!(broken_off, "deliveries that the previous process did not finish are tried again");
    }
    Ok(())
}

/// The end of the claim of a try that begins now and takes at most `longest`.
fn lease(now: Timestamp, longest: Duration) -> Timestamp {
    now.checked_add(longest + TO_MARK).unwrap_or(Timestamp::MAX)
}

/// Sends some due mails; returns whether there may be more to send at once.
async fn mails(
    context: &Arc<Context>,
    standing: &mut Standing,
    goes_on: &(dyn Fn() -> bool + Send + Sync),
) -> Result<bool, StoreError> {
    let now = context.clock.now();
    let Some(mailer) = context.mailer.as_ref().filter(|_| !standing.rests(now)) else { return Ok(false) };
    let due = on_store(context, move |store| store.read(|connection| store::mails::due(connection, now, MAILS.into())));
    let due = due.await?;
    let is_full = due.len() >= usize::from(MAILS);
    let round = Round::new(goes_on);
    let sent = round.send(due, standing, |mail| send_mail(context, mailer, mail)).await;
    let goes_well = standing.note(&round, context.clock.now());
    sent.map(|()| is_full && goes_well)
}

async fn send_mail(context: &Arc<Context>, mailer: &Mailer, mail: Mail) -> Result<Option<Went>, StoreError> {
    let Mail { id, recipient, subject, body, delivery: before, .. } = mail;
    let mark = |before: Delivery, after: Delivery| {
        on_store(context, move |store| store.append(|connection| store::mails::mark(connection, id, &before, &after)))
    };
    let mut after = before.clone();
    let now = context.clock.now();
    if before.is_stale(now) && before.attempts == 0 {
        // After three days the mail is no longer news, for example that users can connect again.
        after.refused("not attempted within three days; too old to be sent");
        mark(before, after.clone()).await?;
        tell("mail", &id, &after);
        return Ok(None);
    }
    let claimed = before.claimed(lease(now, LONGEST_TRY));
    if !mark(before, claimed.clone()).await? {
        return Ok(None);
    }
    let text = id.to_string();
    let sent = mailer.send(Letter { id: &text, recipient: &recipient, subject: &subject, body: &body }).await;
    let now = context.clock.now();
    let went = match sent {
        Ok(()) => {
            after.accepted(now);
            Went::Well
        }
        Err(MailError::Refused(error)) => {
            after.refused(&error);
            Went::Well
        }
        Err(MailError::Later(error)) => {
            after.missed(now, &error, chance());
            Went::Badly
        }
        Err(MailError::Away(error)) => {
            after.missed(now, &error, chance());
            Went::Away
        }
    };
    tell("mail", &id, &after);
    mark(claimed, after).await.map(|_| Some(went))
}

/// Logs the result of a try.
fn tell(what: &str, id: &dyn std::fmt::Display, after: &Delivery) {
    let (error, next) = (after.last_error.as_deref().unwrap_or_default(), after.next_attempt_at);
    match after.state {
        DeliveryState::Sent => tracing::info!(%id, "{what} sent"),
        DeliveryState::Queued => tracing::warn!(%id, attempts = after.attempts, ?next, error, "{what} not sent yet"),
        DeliveryState::Failed => tracing::warn!(%id, attempts = after.attempts, error, "{what} given up"),
    }
}

/// Sends some due messages to a webhook; returns whether there may be more to send at once.
async fn messages(
    context: &Arc<Context>,
    id: WebhookId,
    standing: &mut Standing,
    goes_on: &(dyn Fn() -> bool + Send + Sync),
) -> Result<bool, StoreError> {
    let now = context.clock.now();
    let found = on_store(context, move |store| {
        store.read(|connection| {
            let webhook = store::webhooks::get(connection, id)?;
            let due = store::webhook_messages::due(connection, id, now, MESSAGES.into())?;
            Ok(webhook.filter(|webhook| webhook.enabled).map(|webhook| (webhook, due)))
        })
    });
    let Some((webhook, due)) = found.await? else { return Ok(false) };
    standing.meet(webhook.revision);
    if standing.rests(now) {
        return Ok(false);
    }
    let is_full = due.len() >= usize::from(MESSAGES);
    let round = Round::new(goes_on);
    let sent = round.send(due, standing, |message| send_message(context, &webhook, message)).await;
    let goes_well = standing.note(&round, context.clock.now());
    sent.map(|()| is_full && goes_well)
}

async fn send_message(
    context: &Arc<Context>,
    webhook: &Webhook,
    message: WebhookMessage,
) -> Result<Option<Went>, StoreError> {
    let WebhookMessage { id, payload, delivery: before, .. } = message;
    let (webhook_id, revision, now) = (webhook.id, webhook.revision, context.clock.now());
    let claimed = before.claimed(lease(now, context.poster.patience()));
    let (unclaimed, claim) = (before.clone(), claimed.clone());
    let is_ours = on_store(context, move |store| {
        store.append(|connection| store::webhook_messages::mark(connection, id, &unclaimed, &claim))
    });
    if !is_ours.await? {
        return Ok(None);
    }
    let timestamp = now.as_second();
    let keys = context.keys.load_full();
    let signatures: Vec<String> = webhook
        .secret_numbers(now)
        .map(|number| keys.webhook_secret(webhook.id, number).sign(id, timestamp, &payload))
        .collect();
    let (text, signature) = (id.to_string(), signatures.join(" "));
    let post = Post { url: &webhook.url, id: &text, timestamp, signature: &signature, payload: &payload };
    let sent = context.poster.send(post).await;
    let now = context.clock.now();
    let went = match &sent {
        Ok(()) => Went::Well,
        Err(PostError::Gone) => Went::Changed,
        Err(error) if error.is_about_the_message() => Went::Badly,
        Err(_) => Went::Away,
    };
    on_store(context, move |store| {
        let noted: Result<_, StoreError> = store.append(|connection| {
            let mut after = before.clone();
            let gone = match &sent {
                Err(PostError::Gone) => disable(connection, webhook_id, revision)?,
                _ => Gone::No,
            };
            match &sent {
                Ok(()) => after.accepted(now),
                Err(error) if gone != Gone::No => after.refused(&error.to_string()),
                Err(error) => after.missed(now, &error.to_string(), chance()),
            }
            store::webhook_messages::mark(connection, id, &claimed, &after)?;
            Ok((after, gone))
        });
        let (after, gone) = noted?;
        if gone == Gone::Now {
            tracing::warn!(webhook = %webhook_id, "a webhook answered 410 Gone and was disabled");
        }
        tell("webhook message", &id, &after);
        Ok(())
    })
    .await?;
    Ok(Some(went))
}

/// The state of a webhook after it answered 410.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gone {
    /// Still enabled: staff changed it meanwhile, so the answer does not concern its new state.
    No,
    /// Disabled because of this answer.
    Now,
    /// Disabled or removed before.
    Before,
}

/// Disables a webhook that answered 410, if it still has the revision to which the message was sent.
fn disable(connection: &mut store::Connection, webhook: WebhookId, revision: i64) -> Result<Gone, StoreError> {
    if store::webhooks::disable(connection, webhook, revision)? {
        return Ok(Gone::Now);
    }
    let is_enabled = store::webhooks::get(connection, webhook)?.is_some_and(|webhook| webhook.enabled);
    Ok(if is_enabled { Gone::No } else { Gone::Before })
}

/// Deletes old deliveries, sent and unsent; returns their number.
pub async fn forget(context: &Arc<Context>) -> Result<usize, StoreError> {
    let now = context.clock.now();
    let before = move |span| now.checked_sub(span).unwrap_or(Timestamp::MIN);
    on_store(context, move |store| {
        store.append(|connection| {
            let (sent, unsent) = (before(KEEP_SENT), before(KEEP_UNSENT));
            Ok(store::mails::forget(connection, sent, unsent)?
                + store::webhook_messages::forget(connection, sent, unsent)?)
        })
    })
    .await
}

/// The number of deliveries of a kind in a state.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// `mail` or `webhook`.
    pub kind: &'static str,
    pub state: DeliveryState,
    pub count: i64,
}

/// The number of queued and failed deliveries, by kind.
pub async fn waiting(context: &Arc<Context>) -> Result<Vec<Waiting>, StoreError> {
    on_store(context, |store| {
        store.read(|connection| {
            let mut found = Vec::new();
            for state in [DeliveryState::Queued, DeliveryState::Failed] {
                let mails = store::mails::count(connection, state)?;
                let messages = store::webhook_messages::count(connection, state)?;
                found.push(Waiting { kind: "mail", state, count: mails });
                found.push(Waiting { kind: "webhook", state, count: messages });
            }
            Ok(found)
        })
    })
    .await
}
