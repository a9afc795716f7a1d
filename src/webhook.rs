//! Webhooks' messages on their way out: one POST, and what its answer means. What is sent and when it is tried again is
//! decided above.

use std::time::Duration;

use reqwest::{Client, StatusCode, header::CONTENT_TYPE, redirect::Policy};

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
    client: Client,
    patience: Duration,
}

impl Poster {
    /// A poster who waits for an answer for so long.
    ///
    /// # Errors
    /// When the machine has no TLS roots to begin with.
    pub fn new(timeout: Duration) -> Result<Self, String> {
        let client = Client::builder()
            .timeout(timeout)
            .redirect(Policy::none())
            .user_agent(concat!("Sluice/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map(|client| Self { client, patience: timeout }).map_err(|error| error.to_string())
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
            .client
            .post(post.url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", post.id)
            .header("webhook-timestamp", post.timestamp)
            .header("webhook-signature", post.signature)
            .body(post.payload.to_owned());
        let response = request.send().await.map_err(|error| PostError::Away(causes(&error.without_url())))?;
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

/// The error with what it comes from: by itself it only says that a request could not be sent.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
