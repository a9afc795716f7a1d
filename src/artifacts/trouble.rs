//! What is wrong with a bucket, as its server's answers show.

use std::fmt;

/// What is wrong with a bucket, in one line without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    kind: Kind,
    /// The bucket and its place.
    bucket: String,
    /// The server's error code, or how the connection failed.
    said: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The server does not answer, or is temporarily unable to.
    Away,
    /// The key pair is unknown.
    Login,
    /// The key pair is not allowed to do this.
    Rights,
    /// The clocks differ too much.
    Clock,
    NoBucket,
    /// The bucket is in another region.
    Region,
    Other,
}

impl Trouble {
    /// Classifies an error of the store.
    pub(super) fn of(error: &object_store::Error, bucket: &str) -> Self {
        let text = with_sources(error);
        let code = between(&text, "<Code>", "</Code>").map(str::to_owned);
        let status = between(&text, "status code: ", ":").map(str::trim).and_then(|status| status.get(..3));
        let kind = match (code.as_deref(), status) {
            (
                Some("InvalidAccessKeyId" | "NotSignedUp" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken"),
                _,
            ) => Kind::Login,
            (Some("RequestTimeTooSkewed" | "RequestExpired"), _) => Kind::Clock,
            (Some("NoSuchBucket" | "InvalidBucketName"), _) => Kind::NoBucket,
            (Some("AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException"), _) => {
                Kind::Region
            }
            (Some("AccessDenied" | "AllAccessDisabled"), _) => Kind::Rights,
            (Some("SlowDown" | "ServiceUnavailable" | "InternalError"), _) => Kind::Away,
            (_, Some("301" | "307")) => Kind::Region,
            (_, Some("401")) => Kind::Login,
            (_, Some("403")) => Kind::Rights,
            (_, Some("500" | "502" | "503" | "504" | "429")) => Kind::Away,
            (None, None) if is_connection(&text) => Kind::Away,
            _ if text.contains("without LOCATION") => Kind::Region,
            _ => Kind::Other,
        };
        let said = code.or_else(|| status.map(|status| format!("status {status}"))).unwrap_or_else(|| ending(&text));
        Self { kind, bucket: bucket.to_owned(), said }
    }

    /// The server did not answer in time.
    pub(super) fn silent(bucket: &str) -> Self {
        Self { kind: Kind::Away, bucket: bucket.to_owned(), said: "no answer in time".to_owned() }
    }

    /// Another problem of a bucket.
    pub(super) fn other(bucket: &str, said: impl Into<String>) -> Self {
        Self { kind: Kind::Other, bucket: bucket.to_owned(), said: said.into() }
    }

    /// Whether it may pass by itself.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.kind == Kind::Away
    }

    /// Whether the key pair is not allowed to do what was tried.
    pub(super) fn is_rights(&self) -> bool {
        self.kind == Kind::Rights
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, bucket, said } = self;
        match kind {
            Kind::Away => write!(
                formatter,
                "the S3 server of {bucket} cannot be reached ({said}); check storage.endpoint, and whether it runs"
            ),
            Kind::Login => write!(
                formatter,
                "the S3 server of {bucket} refuses the login ({said}); check storage.access_key_id and storage.secret_access_key"
            ),
            Kind::Rights => write!(
                formatter,
                "the S3 server of {bucket} does not allow this ({said}); the key pair of storage.access_key_id must be allowed to list, read, write and delete there"
            ),
            Kind::Clock => write!(
                formatter,
                "the clock of this machine and that of the S3 server of {bucket} differ too much ({said}); set the one that is wrong"
            ),
            Kind::NoBucket => {
                write!(formatter, "there is no {bucket} ({said}); create the bucket, or check storage.url")
            }
            Kind::Region => {
                write!(formatter, "{bucket} is not in the region of storage.region ({said}); set the right one")
            }
            Kind::Other => write!(formatter, "{bucket} cannot be used: {said}"),
        }
    }
}

fn with_sources(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text.replace(['\n', '\r'], " ")
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// Whether the connection failed, rather than what was said on it.
fn is_connection(text: &str) -> bool {
    const SIGNS: [&str; 8] = [
        "error sending request",
        "HTTP error",
        "onnect",
        "dns error",
        "timed out",
        "closed",
        "reset by peer",
        "SpawnError",
    ];
    SIGNS.iter().any(|sign| text.contains(sign))
}

/// The end of a chain of errors, which says the most.
fn ending(text: &str) -> String {
    text.rsplit(": ").next().unwrap_or(text).chars().take(200).collect()
}
