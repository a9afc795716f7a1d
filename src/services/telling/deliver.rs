//! Emptying the outbox: mails and webhooks' messages that are due are sent, a few at a time. Each is claimed before it is sent
//! and marked after it was accepted. A crash in between sends it once more when the claim has run out, with the same id, by
//! which the receiver can tell; where the crash, or a full disk, is before the claim, it was not sent.

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
        webhook::{Webhook, WebhookMessage},
    },
    mail::{LONGEST_TRY, Letter, MailError, Mailer},
    services::desk::Context,
    signing::random,
    store::{self, Store, StoreError},
    webhook::{Post, PostError},
};

/// Mails that are fetched at once.
const MAILS: u16 = 32;

/// Messages to one webhook that are fetched at once.
const MESSAGES: u16 = 64;

/// Deliveries to one receiver that are under way at once: SMTP servers count connections.
const AT_ONCE: usize = 4;

/// A claim outlives the longest try by so much: whoever tried has to write down how it went.
const TO_MARK: Duration = Duration::from_secs(30);

/// A receiver that did not answer is left alone for so long, twice as long each time it does not again, and at most for
/// [`LONGEST_REST`]: one that is back is noticed within that.
const REST: SignedDuration = SignedDuration::from_secs(5);

/// Nobody is left alone for longer.
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(1);

/// What was sent is kept for so long.
const KEEP_SENT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What could not be sent is kept for so long, counted from when it was made.
const KEEP_UNSENT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Works with the store on a thread that may block. Failures are told by the job, once, and not every time.
async fn on_store<T: Send + 'static>(
    context: &Arc<Context>,
    work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let context = Arc::clone(context);
    let done = tokio::task::spawn_blocking(move || work(&context.store)).await;
    done.unwrap_or_else(|error| Err(StoreError::Other(error.to_string())))
}

/// Lets all of it come to its end; what failed first is what is told.
async fn all(work: impl Stream<Item = Result<(), StoreError>>) -> Result<(), StoreError> {
    work.fold(Ok(()), |sum: Result<(), StoreError>, one| async move { sum.and(one) }).await
}

/// A number by chance.
fn chance() -> u16 {
    u16::from_be_bytes(random())
}

/// Somebody who is sent things. Each is served by itself, so that none keeps another waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Receiver {
    /// The SMTP server.
    Smtp,
    /// A webhook.
    Webhook(WebhookId),
}

/// How a receiver has done of late.
#[derive(Debug, Default)]
pub struct Standing {
    /// How often in a row it did not answer.
    failures: u32,
    /// It is left alone until then.
    rests_until: Option<Timestamp>,
    /// The revision of the webhook that this is about.
    revision: i64,
}

impl Standing {
    /// Forgets all when the receiver is another one than it was.
    fn meet(&mut self, revision: i64) {
        if self.revision != revision {
            *self = Self { revision, ..Self::default() };
        }
    }

    fn rests(&self, now: Timestamp) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    /// Notes how a round went; says whether the next may begin at once.
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

/// How a try went, as far as others to the same receiver are concerned.
enum Went {
    /// It was answered as it should be.
    Well,
    /// Something is wrong with what was sent.
    Badly,
    /// Something is wrong with the receiver.
    Away,
    /// The receiver is not what it was.
    Changed,
}

/// Some deliveries to one receiver.
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

    /// Whether nothing more is to be begun.
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

    /// Sends one after the other, or a few at once to a receiver that is known to answer, until there is a reason not to.
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

/// Everybody who may have to be sent something.
///
/// # Errors
/// When the database cannot be read.
pub async fn receivers(context: &Arc<Context>) -> Result<Vec<Receiver>, StoreError> {
    let webhooks = on_store(context, |store| store.read(store::webhooks::enabled)).await?;
    let smtp = context.mailer.as_ref().map(|_| Receiver::Smtp);
    Ok(smtp.into_iter().chain(webhooks.into_iter().map(|webhook| Receiver::Webhook(webhook.id))).collect())
}

/// Sends a receiver what is due, until there is nothing more, it does not answer, or `goes_on` says no.
///
/// # Errors
/// When the database cannot be used. What was sent and could not be marked is sent once more when its claim has run out.
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

/// Lets what was being tried when the process before this one ended be tried at once. Only where there is no other process that
/// may be trying it: one database, one process.
///
/// # Errors
/// When the database cannot be written.
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

/// Until when what is tried now is claimed, where a try may take so long.
fn lease(now: Timestamp, longest: Duration) -> Timestamp {
    now.checked_add(longest + TO_MARK).unwrap_or(Timestamp::MAX)
}

/// Sends some mails that are due; says whether there may be more to be sent at once.
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
        // Nobody wants to hear after days that they may connect again.
        after.refused("it could not be tried for three days, and is no news any more");
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

/// One line in the log for each try.
fn tell(what: &str, id: &dyn std::fmt::Display, after: &Delivery) {
    let (error, next) = (after.last_error.as_deref().unwrap_or_default(), after.next_attempt_at);
    match after.state {
        DeliveryState::Sent => tracing::info!(%id, "{what} sent"),
        DeliveryState::Queued => tracing::warn!(%id, attempts = after.attempts, ?next, error, "{what} not sent yet"),
        DeliveryState::Failed => tracing::warn!(%id, attempts = after.attempts, error, "{what} given up"),
    }
}

/// Sends some messages that are due to a webhook; says whether there may be more to be sent at once.
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

/// Whether a webhook is disabled after it answered 410.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gone {
    /// It is enabled: staff have changed it meanwhile, so the answer is not about what it is now.
    No,
    /// It was disabled by this answer.
    Now,
    /// It was disabled or removed before.
    Before,
}

/// Disables a webhook that answered 410, as it was served.
fn disable(connection: &mut store::Connection, webhook: WebhookId, revision: i64) -> Result<Gone, StoreError> {
    if store::webhooks::disable(connection, webhook, revision)? {
        return Ok(Gone::Now);
    }
    let is_enabled = store::webhooks::get(connection, webhook)?.is_some_and(|webhook| webhook.enabled);
    Ok(if is_enabled { Gone::No } else { Gone::Before })
}

/// Forgets what was sent, or made and not sent, long ago; returns how much that was.
///
/// # Errors
/// When the database cannot be written.
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

/// How many deliveries of a kind are in a state.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// `mail` or `webhook`.
    pub kind: &'static str,
    /// The state.
    pub state: DeliveryState,
    /// How many.
    pub count: i64,
}

/// How many deliveries wait to be sent, or could not be.
///
/// # Errors
/// When the database cannot be read.
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
