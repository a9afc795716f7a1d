//! Emptying the outbox: mails and webhooks' messages that are due are sent, a few at a time, and each is marked once it was
//! accepted. A crash in between sends it once more, with the same id, by which the receiver can tell.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use super::Context;
use crate::{
    domain::{
        delivery::{Delivery, DeliveryState},
        id::WebhookId,
        mail::Mail,
        webhook::{Webhook, WebhookMessage},
    },
    mail::{Letter, MailError, Mailer},
    signing::random,
    store::{self, Connection, Store, StoreError},
    webhook::{Post, PostError},
};

/// Mails that are fetched at once.
const MAILS: u16 = 32;

/// Mails that are under way at once: SMTP servers count connections.
const MAILS_AT_ONCE: usize = 4;

/// Messages to one webhook that are fetched at once.
const MESSAGES: u16 = 64;

/// Messages to one webhook that are under way at once.
const MESSAGES_AT_ONCE: usize = 4;

/// Webhooks that are served at once.
const WEBHOOKS_AT_ONCE: usize = 8;

/// A webhook that is slow is left for the next round after so long, as others may wait for that.
const TURN: Duration = Duration::from_secs(15);

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

/// Sends the mails that are due; says whether there may be more.
///
/// # Errors
/// When the database cannot be used; what was sent and could not be marked is sent once more.
pub async fn mails(context: &Arc<Context>) -> Result<bool, StoreError> {
    let Some(mailer) = &context.mailer else { return Ok(false) };
    let now = context.clock.now();
    let due = on_store(context, move |store| store.read(|connection| store::mails::due(connection, now, MAILS.into())));
    let due = due.await?;
    let is_full = due.len() >= usize::from(MAILS);
    all(stream::iter(due).map(|mail| send_mail(context, mailer, mail)).buffer_unordered(MAILS_AT_ONCE)).await?;
    Ok(is_full)
}

async fn send_mail(context: &Arc<Context>, mailer: &Mailer, mail: Mail) -> Result<(), StoreError> {
    let Mail { id, recipient, subject, body, delivery: before, .. } = mail;
    let mut after = before.clone();
    if before.is_stale(context.clock.now()) && before.attempts == 0 {
        // Nobody wants to hear after days that they may connect again.
        after.refused("it could not be tried for three days, and is no news any more");
    } else {
        let text = id.to_string();
        let sent = mailer.send(Letter { id: &text, recipient: &recipient, subject: &subject, body: &body }).await;
        let now = context.clock.now();
        match sent {
            Ok(()) => after.accepted(now),
            Err(MailError::Refused(error)) => after.refused(&error),
            Err(MailError::Away(error)) => after.missed(now, &error, chance()),
        }
    }
    tell("mail", &id, &after);
    on_store(context, move |store| store.append(|connection| store::mails::mark(connection, id, &before, &after))).await
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

/// Sends the messages to webhooks that are due; says whether there may be more.
///
/// # Errors
/// When the database cannot be used; what was sent and could not be marked is sent once more.
pub async fn messages(context: &Arc<Context>) -> Result<bool, StoreError> {
    let now = context.clock.now();
    let due = on_store(context, move |store| {
        store.read(|connection| {
            let mut due = Vec::new();
            for webhook in store::webhooks::enabled(connection)? {
                let messages = store::webhook_messages::due(connection, webhook.id, now, MESSAGES.into())?;
                due.push((webhook, messages));
            }
            Ok(due)
        })
    });
    let due = due.await?;
    let is_full = due.iter().any(|(_, messages)| messages.len() >= usize::from(MESSAGES));
    let serve = |(webhook, messages)| serve(context, webhook, messages);
    all(stream::iter(due).map(serve).buffer_unordered(WEBHOOKS_AT_ONCE)).await?;
    Ok(is_full)
}

/// Sends messages to one webhook, until nobody answers or its turn is over.
async fn serve(context: &Arc<Context>, webhook: Webhook, messages: Vec<WebhookMessage>) -> Result<(), StoreError> {
    let (began, is_over) = (Instant::now(), AtomicBool::new(false));
    let (webhook, is_over) = (&webhook, &is_over);
    let send = |message| async move {
        if is_over.load(Ordering::Relaxed) || began.elapsed() > TURN {
            return Ok(());
        }
        let goes_on = send_message(context, webhook, message).await?;
        if !goes_on {
            is_over.store(true, Ordering::Relaxed);
        }
        Ok(())
    };
    all(stream::iter(messages).map(send).buffer_unordered(MESSAGES_AT_ONCE)).await
}

/// Sends a message; says whether the next one is worth a try now.
async fn send_message(context: &Arc<Context>, webhook: &Webhook, message: WebhookMessage) -> Result<bool, StoreError> {
    let WebhookMessage { id, payload, delivery: before, .. } = message;
    let (webhook_id, now) = (webhook.id, context.clock.now());
    let timestamp = now.as_second();
    let keys = context.keys.load_full();
    let signatures: Vec<String> = webhook
        .secret_numbers(now)
        .map(|number| keys.webhook_secret(webhook.id, number).sign(id, timestamp, &payload))
        .collect();
    let (text, signature) = (id.to_string(), signatures.join(" "));
    let post = Post { url: &webhook.url, id: &text, timestamp, signature: &signature, payload: &payload };
    let sent = context.poster.send(post).await;
    let mut after = before.clone();
    let now = context.clock.now();
    match &sent {
        Ok(()) => after.accepted(now),
        Err(error @ PostError::Gone) => after.refused(&error.to_string()),
        Err(error) => after.missed(now, &error.to_string(), chance()),
    }
    tell("webhook message", &id, &after);
    let is_gone = matches!(sent, Err(PostError::Gone));
    on_store(context, move |store| {
        store.append(|connection| {
            store::webhook_messages::mark(connection, id, &before, &after)?;
            if is_gone { disable(connection, webhook_id) } else { Ok(()) }
        })
    })
    .await?;
    Ok(matches!(sent, Ok(()) | Err(PostError::Refused(_))))
}

fn disable(connection: &mut Connection, webhook: WebhookId) -> Result<(), StoreError> {
    let known = store::webhooks::get(connection, webhook)?;
    let Some(webhook) = known.filter(|webhook| webhook.enabled) else { return Ok(()) };
    tracing::warn!(webhook = %webhook.id, "a webhook answered 410 Gone and was disabled");
    let disabled = Webhook { enabled: false, revision: webhook.revision.saturating_add(1), ..webhook };
    store::webhooks::update(connection, &disabled)
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
