//! The secrets of webhooks, and the signatures made with them (<https://www.standardwebhooks.com>, "symmetric").

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::KeyRing;
use crate::domain::id::{WebhookId, WebhookMessageId};

/// The secret of a webhook. It is not stored: it is derived from the license secret, which never changes, and from the
/// webhook's id and its secret's number.
pub struct WebhookSecret([u8; 32]);

impl std::fmt::Debug for WebhookSecret {
    /// Does not show the secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("WebhookSecret")
    }
}

impl KeyRing {
    /// Derives the secret with this number of a webhook.
    #[must_use]
    pub fn webhook_secret(&self, webhook: WebhookId, number: i64) -> WebhookSecret {
        let mut context = hmac::Context::with_key(&self.license);
        // No fingerprint of a license key starts with this prefix (see `KeyForm`).
        context.update(b"webhook:");
        context.update(webhook.0.as_bytes());
        context.update(&number.to_be_bytes());
        WebhookSecret(context.sign().as_ref().try_into().unwrap_or_default())
    }
}

impl WebhookSecret {
    /// The secret in the form in which its owner enters it.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }

    /// Signs a message that is sent at `timestamp`, in seconds since 1970.
    #[must_use]
    pub fn sign(&self, id: WebhookMessageId, timestamp: i64, payload: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, format!("{id}.{timestamp}.{payload}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag.as_ref()))
    }
}
