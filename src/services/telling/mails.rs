//! Mails: looked after by staff.

use std::sync::Arc;

use crate::{
    domain::{delivery::DeliveryState, id::MailId, mail::Mail},
    services::desk::{Code, Context, Refusal},
    store,
};

/// Queues a mail again that was given up, or is waiting for its next try: it is tried at once.
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
                // It is being tried at this moment: queued again, it might come twice.
                return Ok(mail);
            }
            let before = mail.clone();
            mail.delivery.queue_again(write.now);
            store::mails::mark(write.connection, id, &before.delivery, &mail.delivery)?;
            write.altered("mail.retry", &before, &mail);
            Ok(mail)
        })
        .await
}
