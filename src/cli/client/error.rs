//! Errors between this program and a server: one line for a person, an exit code for a script.

use std::{error::Error, fmt, path::PathBuf, time::Duration};

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::{
    Response, StatusCode,
    header::{HeaderMap, LOCATION, RETRY_AFTER},
};
use serde::Deserialize;
use url::Url;

use crate::cli::failure::Failure;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    Unreachable {
        server: String,
        cause: String,
    },
    /// The server refused (RFC 9457).
    Refused(Problem),
    /// A local file cannot be read.
    Unreadable {
        path: PathBuf,
        cause: String,
    },
    /// The answer is not one of a Sluice server.
    Unexpected {
        address: String,
        message: String,
    },
}

/// A refusal as the server explained it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// The stable code; empty if something in front of the server answered instead.
    pub code: String,
    pub detail: String,
    pub errors: Vec<FieldError>,
    /// How long to wait before another attempt.
    pub retry_after: Option<Duration>,
}

/// A wrong field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

/// The body of a problem document. All fields are optional, because proxies write their own.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    title: String,
    detail: String,
    code: String,
    errors: Vec<FieldError>,
}

impl ApiError {
    /// There was no answer from `server`.
    #[must_use]
    pub fn unreachable(server: &Url, error: &reqwest::Error) -> Self {
        // The innermost cause says what happened; the outer ones only that a request failed.
        let mut innermost = error.source();
        while let Some(deeper) = innermost.and_then(Error::source) {
            innermost = Some(deeper);
        }
        let cause = match innermost {
            _ if error.is_timeout() => "it did not answer in time".to_owned(),
            Some(cause) => cause.to_string(),
            None => "the request failed".to_owned(),
        };
        Self::Unreachable { server: server.origin().ascii_serialization(), cause }
    }

    /// Returns a successful answer, and turns any other into an error.
    ///
    /// # Errors
    /// [`ApiError::Refused`] with what the server says; [`ApiError::Unexpected`] for a redirection.
    pub async fn check(response: Response) -> Result<Response, Self> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if let (true, Some(target)) = (status.is_redirection(), response.headers().get(LOCATION)) {
            return Err(Self::Unexpected {
                address: response.url().to_string(),
                message: format!(
                    "it redirects to {}; name that server with --server",
                    String::from_utf8_lossy(target.as_bytes())
                ),
            });
        }
        let headers = response.headers().clone();
        // A refusal whose body is lost is still a refusal.
        let body = response.bytes().await.unwrap_or_default();
        Err(Self::Refused(Problem::read(status, &headers, &body)))
    }

    /// Whether the same request may succeed a little later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(problem) => {
                problem.status.is_server_error()
                    && problem.status != StatusCode::INSUFFICIENT_STORAGE
                    && problem.status != StatusCode::NOT_IMPLEMENTED
                    || matches!(problem.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
            }
            Self::Unreadable { .. } | Self::Unexpected { .. } => false,
        }
    }

    /// How long the server asks to wait before another attempt.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(problem) => problem.retry_after,
            Self::Unreachable { .. } | Self::Unreadable { .. } | Self::Unexpected { .. } => None,
        }
    }

    /// Whether the server refused with one of these statuses.
    #[must_use]
    pub fn is_refused_with(&self, statuses: &[StatusCode]) -> bool {
        matches!(self, Self::Refused(problem) if statuses.contains(&problem.status))
    }
}

impl Problem {
    /// Reads a refusal, whatever its form.
    #[must_use]
    pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        let reason = status.canonical_reason().unwrap_or("no reason given");
        let detail = [body.detail.as_str(), body.title.as_str(), reason].into_iter().find(|text| !text.is_empty());
        Self {
            status,
            code: body.code,
            detail: detail.unwrap_or_default().to_owned(),
            errors: body.errors,
            retry_after: headers.get(RETRY_AFTER).and_then(|value| read_retry_after(value.to_str().ok()?)),
        }
    }
}

impl fmt::Display for Problem {
    /// `422 digest_mismatch: …`, and the fields: `; percent: …`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.status.as_u16())?;
        if !self.code.is_empty() {
            write!(formatter, " {}", one_line(&self.code))?;
        }
        write!(formatter, ": {}", one_line(&self.detail))?;
        for FieldError { field, message } in &self.errors {
            write!(formatter, "; {}: {}", one_line(field), one_line(message))?;
        }
        Ok(())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { server, cause } => write!(formatter, "{server} cannot be reached: {cause}"),
            Self::Refused(problem) => {
                write!(formatter, "the server answered {problem}")?;
                match problem.status {
                    StatusCode::UNAUTHORIZED => {
                        formatter.write_str(" (check that the token or key is right and not revoked)")
                    }
                    StatusCode::FORBIDDEN => formatter.write_str(" (check that the token has the scopes for this)"),
                    _ => Ok(()),
                }
            }
            Self::Unreadable { path, cause } => write!(formatter, "{} cannot be read: {cause}", path.display()),
            Self::Unexpected { address, message } => {
                write!(formatter, "{address} did not answer like a Sluice server: {}", one_line(message))
            }
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let exit_code = match &error {
            ApiError::Unreachable { .. } => 4,
            ApiError::Refused(problem) if problem.status.is_client_error() => 3,
            ApiError::Refused(_) | ApiError::Unreadable { .. } | ApiError::Unexpected { .. } => 1,
        };
        Self { exit_code, message: error.to_string() }
    }
}

/// Text of others made safe to show: on one line, without control characters.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.split(|letter: char| letter.is_control() || letter.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn read_retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(
        Duration::try_from(at.duration_since(crate::clock::Clock::now(&crate::clock::SystemClock))).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> ApiError {
        let status = StatusCode::from_u16(status).expect("a status");
        ApiError::Refused(Problem::read(status, &HeaderMap::new(), body.as_bytes()))
    }

    #[test]
    fn a_refusal_is_one_line_with_code_detail_and_fields() {
        let body = r#"{"type":"x","title":"Invalid","status":422,"code":"invalid","detail":"Some fields\nare wrong.",
            "errors":[{"field":"rollout.percent","message":"0 to 100"},{"field":"notes","message":"too \u001b[31mlong"}]}"#;
        let expected =
            "the server answered 422 invalid: Some fields are wrong.; rollout.percent: 0 to 100; notes: too [31mlong";
        assert_eq!(refusal(422, body).to_string(), expected);
    }

    #[test]
    fn an_answer_of_a_proxy_is_shown_as_far_as_it_can_be() {
        assert_eq!(refusal(502, "<html>").to_string(), "the server answered 502: Bad Gateway");
        assert_eq!(refusal(502, "[1]").to_string(), "the server answered 502: Bad Gateway");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for (status, may_pass) in [
            (408, true),
            (429, true),
            (500, true),
            (502, true),
            (503, true),
            (501, false),
            (507, false),
            (401, false),
            (409, false),
            (412, false),
            (422, false),
        ] {
            assert_eq!(refusal(status, "{}").may_pass(), may_pass, "{status}");
        }
    }

    #[test]
    fn the_exit_code_tells_a_refusal_a_failure_and_silence_apart() {
        assert_eq!(Failure::from(refusal(409, "{}")).exit_code, 3);
        assert_eq!(Failure::from(refusal(503, "{}")).exit_code, 1);
        let silence = ApiError::Unreachable { server: "http://127.0.0.1:1".to_owned(), cause: "refused".to_owned() };
        assert_eq!(Failure::from(silence).exit_code, 4);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(read_retry_after("120"), Some(Duration::from_mins(2)));
        assert_eq!(read_retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read_retry_after("soon"), None);
        assert_eq!(read_retry_after("-1"), None);
    }
}
