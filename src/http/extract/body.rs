//! JSON bodies: at most 256 KiB; what is wrong is said by field.

mod objects;

use std::{pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    web::{self, Bytes},
};
use futures_util::{Future, Stream, StreamExt as _, stream};
use serde::de::DeserializeOwned;

use self::objects::Objects;
use super::{super::Problem, code_of, naming_text};
use crate::{
    app::App,
    services::{Code, Fault, Refusal},
};

/// The largest JSON body.
pub const JSON_LIMIT: usize = 256 << 10;

/// A body that must be there.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// A body that may be left out, where every field has a default.
#[derive(Debug)]
pub struct MaybeBody<T>(pub T);

/// The body of an operation that takes none: only an empty one, or an empty object, so that what somebody sent is not
/// passed over.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = collect(&request, payload, JSON_LIMIT).await?;
            require_type(&request, "application/json")?;
            Self::read(&bytes)
        })
    }
}

impl<T: DeserializeOwned> Body<T> {
    /// Reads the bytes of a JSON body.
    ///
    /// # Errors
    /// `body_malformed` for what is no JSON; `body_invalid` or `version_invalid` naming the field that is wrong.
    pub fn read(bytes: &[u8]) -> Result<Self, Problem> {
        parse(bytes).map(Self)
    }
}

impl<T: DeserializeOwned + Default + 'static> FromRequest for MaybeBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = collect(&request, payload, JSON_LIMIT).await?;
            if bytes.is_empty() {
                return Ok(Self(T::default()));
            }
            require_type(&request, "application/json")?;
            parse(&bytes).map(Self)
        })
    }
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// `body_too_large`, as soon as it is known; `upload_incomplete` when it breaks off, `body_stalled` when it falls silent.
pub async fn collect(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Code::BodyTooLarge, format!("the body may have at most {limit} bytes"));
    let announced = request
        .headers()
        .get(actix_web::http::header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut pieces = patient(request, payload);
    let gathering = async {
        let mut body = actix_web::web::BytesMut::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            if body.len() + piece.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    };
    let whole = patience(request).saturating_mul(SILENCES);
    tokio::time::timeout(whole, gathering).await.unwrap_or_else(|_| Err(stalled(whole).into()))
}

/// A body that is gathered has no more time than so many silences: one letter now and then is no body either.
const SILENCES: u32 = 10;

/// How long a sender may be silent.
fn patience(request: &HttpRequest) -> Duration {
    request.app_data::<web::Data<App>>().map_or(Duration::MAX, |app| app.body_timeout)
}

fn stalled(waited: Duration) -> Refusal {
    let detail =
        format!("the body was not at its end, or nothing of it came, after {} s; send it again", waited.as_secs());
    Refusal::new(Code::BodyStalled, detail)
}

/// A body as it comes in, given up when its sender is silent for longer than is configured. What is done with a piece is the
/// server's own time, and not counted.
pub fn patient<P, E>(request: &HttpRequest, pieces: P) -> Pin<Box<dyn Stream<Item = Result<Bytes, Refusal>>>>
where
    P: Stream<Item = Result<Bytes, E>> + 'static,
    E: std::fmt::Display,
{
    let patience = patience(request);
    let next = move |mut pieces: Pin<Box<P>>| async move {
        let came = tokio::time::timeout(patience, pieces.next()).await;
        let broken = |error| {
            let detail = format!("the body broke off before its end ({error}); send it again");
            Refusal::new(Code::UploadIncomplete, detail)
        };
        let piece = came
            .map_err(|_| stalled(patience))
            .map(|piece| piece.map(|piece| piece.map_err(broken)))
            .transpose()?
            .flatten();
        Some((piece, pieces))
    };
    Box::pin(stream::unfold(Box::pin(pieces), next))
}

/// Fails unless the request says that its body is of this type.
///
/// # Errors
/// `media_type_unsupported`.
pub fn require_type(request: &HttpRequest, wanted: &str) -> Result<(), Problem> {
    if request.content_type().eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Problem::new(Code::MediaTypeUnsupported, format!("send the body as `Content-Type: {wanted}`")))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Objects(&mut json)).map_err(|error| {
        let inner = error.inner();
        if !inner.is_data() {
            return Problem::new(Code::BodyMalformed, format!("the body is no JSON: {inner}"));
        }
        let message = naming(bytes, error.path(), sentence(inner));
        let field = field_of(&error.path().to_string(), &message);
        let code = code_of(&message, Code::BodyInvalid);
        let refusal = Refusal::new(code, format!("{field}: {message}"));
        Problem(Refusal { faults: vec![Fault::new(field, message)], ..refusal })
    })?;
    json.end().map_err(|error| Problem::new(Code::BodyMalformed, format!("the body is no JSON: {error}")))?;
    Ok(value)
}

/// How what serde says begins when it is about the name of a field.
const ABOUT_THE_NAME: [&str; 3] = ["missing field `", "unknown field `", "duplicate field `"];

/// What is wrong, naming the text that was sent: not every type that is read from a text says it.
fn naming(bytes: &[u8], path: &serde_path_to_error::Path, message: String) -> String {
    use serde_path_to_error::Segment;
    // That a field is unknown or there twice has nothing to do with its text, which may be a password.
    if ABOUT_THE_NAME.iter().any(|start| message.starts_with(start)) {
        return message;
    }
    let body: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let sent = path.iter().try_fold(&body, |value, segment| match segment {
        Segment::Map { key } => value.get(key),
        Segment::Seq { index } => value.get(index),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    match sent.and_then(serde_json::Value::as_str) {
        Some(text) => naming_text(text, message),
        None => message,
    }
}

/// What serde says, without the place in the text that it adds: the field says more.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((sentence, _)) => sentence.to_owned(),
        None => text,
    }
}

/// The field: where serde stopped, or, of a field that is missing or unknown, its name.
fn field_of(path: &str, message: &str) -> String {
    let named = ABOUT_THE_NAME.iter().find_map(|start| message.strip_prefix(start)?.split('`').next());
    match (path, named) {
        (".", Some(name)) if !name.is_empty() => name.to_owned(),
        (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
        // A field whose name is empty, too.
        ("." | "", _) => "body".to_owned(),
        (path, _) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::{releasing::publish_release::NewRelease, selling::hosting_groups::NewHostingGroup};

    fn refusal<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> Refusal {
        parse::<T>(text.as_bytes()).expect_err(text).0
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        for (text, code, field) in [
            (r#"{"version":"latest"}"#, Code::VersionInvalid, "version"),
            (r#"{"channel":"stable"}"#, Code::BodyInvalid, "version"),
            (r#"{"version":"1.0.0","colour":1}"#, Code::BodyInvalid, "colour"),
            (r#"{"version":"1.0.0","severity":"grave"}"#, Code::BodyInvalid, "severity"),
            ("[]", Code::BodyInvalid, "body"),
            (r#"["1.0.0"]"#, Code::BodyInvalid, "body"),
            ("null", Code::BodyInvalid, "body"),
            (r#"{"":1}"#, Code::BodyInvalid, "body"),
            (r#"{""st{"Bast{"Ba"#, Code::BodyInvalid, "body"),
        ] {
            let refusal = refusal::<NewRelease>(text);
            assert_eq!(refusal.code, code, "{text}");
            assert_eq!(refusal.faults[0].field, field, "{text}");
        }
        let nested = r#"{"slug":"a","name":"A","timezone":"UTC","window":{"days":["mon"],"start":"01:00","duration_minutes":1,"x":2}}"#;
        assert_eq!(refusal::<NewHostingGroup>(nested).faults[0].field, "window.x");
        let array = r#"{"slug":"a","name":"A","timezone":"UTC","window":[["mon"],"01:00",1]}"#;
        assert_eq!(refusal::<NewHostingGroup>(array).faults[0].field, "window");
        for text in [
            r#"{"version":"1.0.0","passwort":"hunter2"}"#,
            r#"{"version":"1.0.0","channel":"beta","channel":"hunter2"}"#,
        ] {
            let refusal = refusal::<NewRelease>(text);
            assert!(["passwort", "channel"].contains(&refusal.faults[0].field.as_str()), "{refusal:?}");
            assert!(!format!("{refusal:?}").contains("hunter2"), "what stands in it is nobody's business: {refusal:?}");
        }
        assert_eq!(refusal::<NewRelease>("{").code, Code::BodyMalformed);
        assert_eq!(refusal::<NewRelease>(r#"{"version":"1.0.0"} x"#).code, Code::BodyMalformed);
    }
}
