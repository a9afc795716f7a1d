//! Outgoing webhook messages: one POST, and the meaning of its answer. What is sent, and when it is tried again, is
//! decided above.

use std::time::Duration;

use reqwest::{Method, StatusCode, header::CONTENT_TYPE};

use crate::egress::{Egress, send};

/// The longest answer that is read to its end, in bytes, so that the connection can be reused. Longer answers are cut
/// off.
const SMALL: u64 = 4096;

/// A message to send.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    pub url: &'a str,
    /// The header `webhook-id`.
    pub id: &'a str,
    /// The header `webhook-timestamp`, in seconds since 1970.
    pub timestamp: i64,
    /// The header `webhook-signature`.
    pub signature: &'a str,
    pub payload: &'a str,
}

/// Why a message was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The receiver did not answer, or not in time.
    #[error("{0}")]
    Away(String),
    /// The receiver answered with a status other than 2xx.
    #[error("it answered {0}")]
    Refused(StatusCode),
    /// The receiver wants no more messages (410).
    #[error("it answered 410 Gone: it wants no more messages")]
    Gone,
}

impl PostError {
    /// Whether the answer concerns this message only. Other messages to the same receiver may still be accepted.
    #[must_use]
    pub fn is_about_the_message(&self) -> bool {
        let about = [
            StatusCode::BAD_REQUEST,
            StatusCode::CONFLICT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ];
        matches!(self, Self::Refused(status) if about.contains(status))
    }
}

/// Sends webhook messages.
#[derive(Clone, Debug)]
pub struct Poster {
    egress: Egress,
    patience: Duration,
}

impl Poster {
    /// Waits up to `timeout` for an answer. `allow_private` permits receivers on private networks.
    pub fn new(timeout: Duration, allow_private: bool) -> Result<Self, String> {
        Ok(Self { egress: Egress::new(timeout, allow_private, "webhooks.allow_private")?, patience: timeout })
    }

    /// Why nothing is sent to a URL, as far as that is known without resolving its name.
    #[must_use]
    pub fn objection(&self, url: &str) -> Option<String> {
        self.egress.objection(url)
    }

    /// How long to wait for an answer.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Sends a message. It was accepted if this succeeds.
    ///
    /// # Errors
    /// [`PostError`] unless the answer is 2xx.
    pub async fn send(&self, post: Post<'_>) -> Result<(), PostError> {
        let request = self
            .egress
            .request(Method::POST, post.url)
            .map_err(PostError::Away)?
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", post.id)
            .header("webhook-timestamp", post.timestamp)
            .header("webhook-signature", post.signature)
            .body(post.payload.to_owned());
        let response = send(request).await.map_err(PostError::Away)?;
        let status = response.status();
        if response.content_length().is_some_and(|length| length <= SMALL) {
            // The status is all that matters; a body that breaks off changes nothing.
            let _ = response.bytes().await;
        }
        match status {
            StatusCode::GONE => Err(PostError::Gone),
            status if status.is_success() => Ok(()),
            status => Err(PostError::Refused(status)),
        }
    }
}
