//! Webhooks' messages on their way out: one POST, and what its answer means. What is sent and when it is tried again is
//! decided above.

use std::time::Duration;

use reqwest::{Method, StatusCode, header::CONTENT_TYPE};

use crate::egress::{Egress, send};

/// Answers of this size are read, so that the connection can be used again; of others nothing is.
const SMALL: u64 = 4096;

/// A message as it goes out.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// Where to.
    pub url: &'a str,
    /// `webhook-id`
    pub id: &'a str,
    /// `webhook-timestamp`, in seconds since 1970.
    pub timestamp: i64,
    /// `webhook-signature`
    pub signature: &'a str,
    /// The body.
    pub payload: &'a str,
}

/// Why a message was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// Nobody answered, or not in time.
    #[error("{0}")]
    Away(String),
    /// The receiver answered with something else than a success.
    #[error("it answered {0}")]
    Refused(StatusCode),
    /// The receiver wants to hear no more (410).
    #[error("it answered 410 Gone: it wants to be told no more")]
    Gone,
}

impl PostError {
    /// Whether another message may be accepted all the same: of these answers nothing follows for the others.
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

/// Somebody who sends messages.
#[derive(Clone, Debug)]
pub struct Poster {
    egress: Egress,
    patience: Duration,
}

impl Poster {
    /// A poster who waits for an answer for so long, and may or may not talk to those on private networks.
    pub fn new(timeout: Duration, allow_private: bool) -> Result<Self, String> {
        Ok(Self { egress: Egress::new(timeout, allow_private, "webhooks.allow_private")?, patience: timeout })
    }

    /// Why nothing is sent to a URL, where that is known without looking up its name.
    #[must_use]
    pub fn objection(&self, url: &str) -> Option<String> {
        self.egress.objection(url)
    }

    /// How long an answer is waited for.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Sends a message; it is accepted when this returns.
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
            // The status says it all; a body that breaks off changes nothing.
            let _ = response.bytes().await;
        }
        match status {
            StatusCode::GONE => Err(PostError::Gone),
            status if status.is_success() => Ok(()),
            status => Err(PostError::Refused(status)),
        }
    }
}
