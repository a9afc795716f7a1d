//! The outbox: mails and messages to webhooks that one transaction queues. They are queued in the transaction that does what
//! they tell of, so that neither can be without the other.
//!
//! Not here: what is told, and to whom; see the area `telling`, which also empties the outbox.

use std::sync::Arc;

use crate::{
    domain::{
        mail::Mail,
        webhook::{Webhook, WebhookMessage},
    },
    services::desk::log_lines::LogLines,
    store::{self, Connection, StoreError},
};

/// Rows of one statement.
const AT_ONCE: usize = 500;

/// What one transaction queues. [`Self::flush`] it at the end, and call [`Context::ring`](super::Context::ring) after the
/// commit; [`Context::write`](super::Context::write) does both.
#[derive(Default)]
pub struct Outbox {
    /// The enabled webhooks; read when there is something to tell.
    webhooks: Option<Arc<[Webhook]>>,
    mails: Vec<Mail>,
    messages: Vec<WebhookMessage>,
    /// What is to be logged once the transaction is committed.
    pub(in crate::services) log: LogLines,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Outbox")
    }
}

impl Outbox {
    /// The enabled webhooks, read once.
    pub(in crate::services) fn webhooks(&mut self, connection: &mut Connection) -> Result<Arc<[Webhook]>, StoreError> {
        if let Some(known) = &self.webhooks {
            return Ok(Arc::clone(known));
        }
        let read: Arc<[Webhook]> = store::webhooks::enabled(connection)?.into();
        self.webhooks = Some(Arc::clone(&read));
        Ok(read)
    }

    /// The messages that are queued, and not written down yet.
    pub(in crate::services) fn messages(&self) -> &[WebhookMessage] {
        &self.messages
    }

    /// Queues mails.
    pub(in crate::services) fn add_mails(&mut self, mails: impl IntoIterator<Item = Mail>) {
        self.mails.extend(mails);
    }

    /// Queues a message to a webhook.
    pub(in crate::services) fn add_message(&mut self, message: WebhookMessage) {
        self.messages.push(message);
    }

    /// Writes down what is queued, once it is much: an import may tell of a hundred thousand subscriptions.
    pub(in crate::services) fn flush_if_full(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        if self.messages.len() >= AT_ONCE { self.flush(connection).map(drop) } else { Ok(()) }
    }

    /// Writes down what is queued; says whether there was anything.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn flush(&mut self, connection: &mut Connection) -> Result<bool, StoreError> {
        let is_filled = !self.mails.is_empty() || !self.messages.is_empty();
        for part in std::mem::take(&mut self.mails).chunks(AT_ONCE) {
            store::mails::queue(connection, part)?;
        }
        for part in std::mem::take(&mut self.messages).chunks(AT_ONCE) {
            store::webhook_messages::queue(connection, part)?;
        }
        Ok(is_filled)
    }
}
