//! The demo's outgoing messages: a webhook that is turned off because nothing listens, a message that it was sent, and
//! a mail that waits for an SMTP server.

use jiff::Timestamp;
use serde_json::json;

use super::id;
use crate::{
    cli::failure::Failure,
    domain::{
        cause::{MailCause, WebhookCause},
        delivery::Delivery,
        mail::{Mail, MailKind},
        webhook::WebhookEvent,
        webhook_message::WebhookMessage,
    },
    services::{running::seed_vendor::Vendor, telling::webhooks::NewWebhook},
    texts::mail::{MailText, MailValues, write},
};

/// Enters the messages as of `now`. The products and subscriptions must exist.
pub(super) fn enter(vendor: &mut Vendor, now: Timestamp) -> Result<(), Failure> {
    let (_, product) = vendor.products.first().ok_or_else(|| Failure::failed(&"the demo has no product"))?;
    let values = MailValues { product: &product.name, version: "13.0.0", ..MailValues::default() };
    let say = |text| write("de", text, &values);
    vendor.mails.push(Mail {
        id: id(0x11, 1),
        cause: MailCause::Other("demo:1".to_owned()),
        kind: MailKind::RunSucceeded,
        recipient: "kanzlei@weber.example.com".to_owned(),
        subscription: Some(id(0xa, 5)),
        subject: say(MailText::RunSucceededSubject),
        body: format!("{}\n\n{}\n", say(MailText::RunSucceeded), say(MailText::RunWhy)),
        delivery: Delivery::new(now),
    });
    let mut delivery = Delivery::new(now);
    delivery.accepted(now);
    let event = WebhookEvent::ReleasePublished;
    let payload = json!({"type": event, "timestamp": now, "data": {"product": product.slug, "version": "13.0.0",
        "channel": "stable", "severity": "normal", "published_at": now}});
    vendor.messages.push(WebhookMessage {
        id: id(0x13, 1),
        webhook: id(0x12, 1),
        cause: WebhookCause::Other("demo:1".to_owned()),
        event,
        payload: payload.to_string(),
        delivery,
    });
    let new = NewWebhook {
        url: "https://hooks.demo.example.com/sluice".to_owned(),
        events: WebhookEvent::ALL.to_vec(),
        product: None,
        enabled: false,
    };
    vendor.webhooks.push((id(0x12, 1), new));
    Ok(())
}
