//! The outbox: mails and webhook messages that a transaction queues. They are stored in the transaction that they
//! describe, so that neither exists without the other.
//!
//! Not here: the texts and recipients of mails and messages. See the area `telling`, which also empties the outbox.

use std::sync::Arc;

use crate::{
    domain::{mail::Mail, webhook::Webhook, webhook_message::WebhookMessage},
    services::desk::log_lines::LogLines,
    store::{self, Connection, StoreError},
};

/// Rows of one insert statement.
const AT_ONCE: usize = 500;

/// The deliveries that one transaction queues. Call [`Self::flush`] at the end of the transaction, and
/// [`Context::ring`](super::Context::ring) after the commit; [`Context::write`](super::Context::write) does both.
#[derive(Default)]
pub struct Outbox {
    /// The enabled webhooks; `None` until they are needed.
    webhooks: Option<Arc<[Webhook]>>,
    mails: Vec<Mail>,
    messages: Vec<WebhookMessage>,
    /// The log lines to write after the commit.
    pub(in crate::services) log: LogLines,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Outbox")
    }
}

impl Outbox {
    /// The enabled webhooks. They are read once for each transaction.
    pub(in crate::services) fn webhooks(&mut self, connection: &mut Connection) -> Result<Arc<[Webhook]>, StoreError> {
        if let Some(known) = &self.webhooks {
            return Ok(Arc::clone(known));
        }
        let read: Arc<[Webhook]> = store::webhooks::enabled(connection)?.into();
        self.webhooks = Some(Arc::clone(&read));
        Ok(read)
    }

    /// The messages that are queued and not stored yet.
    pub(in crate::services) fn messages(&self) -> &[WebhookMessage] {
        &self.messages
    }

    /// Queues mails for the next flush.
    pub(in crate::services) fn add_mails(&mut self, mails: impl IntoIterator<Item = Mail>) {
        self.mails.extend(mails);
    }

    /// Queues a message to a webhook.
    pub(in crate::services) fn add_message(&mut self, message: WebhookMessage) {
        self.messages.push(message);
    }

    /// Stores the queued messages if there are many: an import may queue messages about 100,000 subscriptions.
    pub(in crate::services) fn flush_if_full(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        if self.messages.len() >= AT_ONCE { self.flush(connection).map(drop) } else { Ok(()) }
    }

    /// Stores all that is queued. Returns whether there was anything.
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
