//! Mails: listed by staff, and queued again.

use std::sync::Arc;

use crate::{
    domain::{
        delivery::DeliveryState,
        id::MailId,
        mail::{Mail, MailKind},
        named_enum,
        page::Page,
    },
    services::desk::{Code, Context, Refusal},
    store,
};

named_enum! {
    /// The state of a mail.
    MailState, "state of a mail" {
        /// Waiting to be sent, or to be retried.
        Queued = "queued",
        /// Kept, because no SMTP server is configured.
        Undelivered = "undelivered",
        /// Accepted by an SMTP server.
        Sent = "sent",
        /// Refused for good, or not accepted for too long.
        Failed = "failed",
    }
}

impl MailState {
    /// The state of a mail; `undelivered` depends on whether this server has an SMTP server.
    #[must_use]
    pub fn of(context: &Context, mail: &Mail) -> Self {
        match mail.delivery.state {
            DeliveryState::Queued if context.mailer.is_some() => Self::Queued,
            DeliveryState::Queued => Self::Undelivered,
            DeliveryState::Sent => Self::Sent,
            DeliveryState::Failed => Self::Failed,
        }
    }
}

/// Queues a failed or waiting mail again, to be tried at once.
///
/// # Errors
/// `mail_not_found`, `mail_sent`.
pub async fn retry(context: &Arc<Context>, id: MailId) -> Result<Mail, Refusal> {
    context
        .write(move |write| {
            let mut mail = store::mails::get(write.connection, id)?
                .ok_or_else(|| Refusal::new(Code::MailNotFound, format!("there is no mail {id}")))?;
            if mail.delivery.state == DeliveryState::Sent {
                return Err(Refusal::new(Code::MailSent, format!("mail {id} was sent, and nobody wants it twice")));
            }
            if mail.delivery.is_under_way(write.now) {
                // The mail is being sent at this moment; if it were queued again, it might arrive twice.
                return Ok(mail);
            }
            let before = mail.clone();
            mail.delivery.queue_again(write.now);
            store::mails::mark(write.connection, id, &before.delivery, &mail.delivery)?;
            write.altered("mail.retry", &before, &mail)?;
            Ok(mail)
        })
        .await
}

/// A page of mails, the newest first; only those of `state` and `kind`, if given.
pub async fn list(
    context: &Arc<Context>,
    state: Option<MailState>,
    kind: Option<MailKind>,
    page: Page<MailId>,
) -> Result<Vec<Mail>, Refusal> {
    let stored = match (state, context.mailer.is_some()) {
        (None, _) => None,
        (Some(MailState::Queued), true) | (Some(MailState::Undelivered), false) => Some(DeliveryState::Queued),
        (Some(MailState::Sent), _) => Some(DeliveryState::Sent),
        (Some(MailState::Failed), _) => Some(DeliveryState::Failed),
        // Without an SMTP server no mail is `queued`; with one, none is `undelivered`.
        (Some(MailState::Queued), false) | (Some(MailState::Undelivered), true) => return Ok(Vec::new()),
    };
    let wanted = store::mails::Wanted { state: stored, kind };
    context.read(move |connection| Ok(store::mails::matching(connection, wanted, page)?)).await
}
