//! JSON bodies of at most 256 KiB. A refusal names every invalid field, and the first missing one of each object.

mod mistakes;
mod objects;

use std::{pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    web::{self, Bytes},
};
use futures_util::{Future, Stream, StreamExt as _, stream};
use serde::de::DeserializeOwned;

use self::{
    mistakes::Found,
    objects::{Aside, Objects, Trouble},
};
use super::{super::Problem, mistake::Mistake};
use crate::{
    app::App,
    services::{Code, Fault, Refusal},
};

/// The largest JSON body.
pub const JSON_LIMIT: usize = 256 << 10;

/// A required body.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// An optional body, where every field has a default.
#[derive(Debug)]
pub struct MaybeBody<T>(pub T);

/// The body of an operation that takes none. Only no body or an empty object is accepted, so that nothing that was sent
/// is ignored.
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
    /// `body_malformed` for invalid JSON; `body_invalid` or `version_invalid` with the field that is wrong.
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
/// `body_too_large`, as soon as it is known; `upload_incomplete` when it breaks off, `body_stalled` when it falls
/// silent.
pub async fn collect(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::new(Code::BodyTooLarge, format!("the body is too large; expected at most {limit} bytes"));
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

/// A whole body may take at most this many times the longest silence, so that a byte now and then does not keep it
/// open.
const SILENCES: u32 = 10;

/// The longest time that a sender may be silent.
fn patience(request: &HttpRequest) -> Duration {
    request.app_data::<web::Data<App>>().map_or(Duration::MAX, |app| app.body_timeout)
}

fn stalled(waited: Duration) -> Refusal {
    let detail = format!("the body was incomplete, or stopped arriving, after {} s; send it again", waited.as_secs());
    Refusal::new(Code::BodyStalled, detail)
}

/// A body as it arrives, abandoned when its sender is silent for longer than configured. The time to process a piece is
/// the server's own, and does not count.
pub fn patient<P, E>(request: &HttpRequest, pieces: P) -> Pin<Box<dyn Stream<Item = Result<Bytes, Refusal>>>>
where
    P: Stream<Item = Result<Bytes, E>> + 'static,
    E: std::fmt::Display,
{
    let patience = patience(request);
    let next = move |mut pieces: Pin<Box<P>>| async move {
        let came = tokio::time::timeout(patience, pieces.next()).await;
        let broken = |error| {
            let detail = format!("the body is incomplete: the connection ended ({error}); send it again");
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

/// Requires this content type of a request.
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
    let value = serde_path_to_error::deserialize(Objects::new(&mut json, &Aside::default())).map_err(|error| {
        let path = error.path().clone();
        match error.into_inner() {
            Trouble::Refused(mistake) => refused::<T>(bytes, Found::at(&path, mistake)),
            // A value of another kind than the field's.
            Trouble::Unread(error) if error.is_data() => {
                refused::<T>(bytes, Found::at(&path, Mistake::invalid(sentence(&error))))
            }
            Trouble::Unread(error) => malformed(&error),
        }
    })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(Code::BodyMalformed, format!("the body is not valid JSON: {error}"))
}

/// Names every mistake; the code is that of the first.
fn refused<T: DeserializeOwned>(bytes: &[u8], first: Found) -> Problem {
    let code = match &first.mistake {
        Mistake::Invalid(invalid) => invalid.code(Code::BodyInvalid),
        Mistake::Missing(_) | Mistake::Unknown { .. } | Mistake::Twice(_) => Code::BodyInvalid,
    };
    let all = mistakes::all::<T>(bytes, first);
    let faults: Vec<_> = all.into_iter().map(|found| Fault::new(found.field, found.mistake.to_string())).collect();
    let detail: Vec<_> = faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect();
    Problem(Refusal { faults, ..Refusal::new(code, detail.join("; ")) })
}

/// What `serde_json` says, without the line and column that it adds: the field says more.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((sentence, _)) => sentence.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::{releasing::publish_release::NewRelease, selling::hosting_groups::NewHostingGroup};

    #[derive(Debug, serde::Deserialize)]
    struct Foreign {
        #[expect(dead_code, reason = "only read")]
        id: uuid::Uuid,
    }

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
            (r#"{"version":1}"#, Code::BodyInvalid, "version"),
            (r#"{"version":"1.0.0","min_from":"12.x"}"#, Code::VersionInvalid, "min_from"),
            (r#"{"version":"1.0.0","compatible_clients":"later"}"#, Code::BodyInvalid, "compatible_clients"),
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
        let twice = r#"{"slug":"a","name":"A","timezone":"UTC","window":{"days":["mon"],"days":["tue"]}}"#;
        assert_eq!(refusal::<NewHostingGroup>(twice).faults[0].field, "window.days");
        let day = r#"{"slug":"a","name":"A","timezone":"UTC","window":{"days":["mon","x"]}}"#;
        assert_eq!(refusal::<NewHostingGroup>(day).faults[0].field, "window.days[1]");
        assert_eq!(refusal::<NewRelease>("{").code, Code::BodyMalformed);
        assert_eq!(refusal::<NewRelease>(r#"{"version":"1.0.0"} x"#).code, Code::BodyMalformed);
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        for (text, fields) in [
            (r#"{"version":"latest","severity":"grave","colour":1}"#, "colour severity version"),
            (r#"{"severity":"grave","channel":7}"#, "channel severity version"),
            (r#"{"version":"1.0.0","severity":"grave"}"#, "severity"),
            // What stands behind the mistake is no JSON.
            (r#"{"version":"latest","severity":"grave","#, "version"),
        ] {
            let mut found: Vec<_> = refusal::<NewRelease>(text).faults.into_iter().map(|fault| fault.field).collect();
            found.sort_unstable();
            assert_eq!(found.join(" "), fields, "{text}");
        }
        let nested = r#"{"slug":"A A","name":"A","window":{"days":["x","y"],"start":"01:00"},"max_concurrent":-1}"#;
        let found = refusal::<NewHostingGroup>(nested).faults;
        let found: Vec<_> = found.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(found, ["slug", "max_concurrent", "window.days[0]"]);
        let missing = r#"{"slug":"A A","window":{"days":["mon"],"start":"01:00"},"name":"A","timezone":"UTC"}"#;
        let incomplete = r#"{"window":{"days":["mon"],"start":"01:00"},"slug":"A A","name":"A","timezone":"UTC"}"#;
        for text in [missing, incomplete] {
            let mut found: Vec<_> =
                refusal::<NewHostingGroup>(text).faults.into_iter().map(|fault| fault.field).collect();
            found.sort_unstable();
            assert_eq!(found, ["slug", "window.duration_minutes"], "{text}");
        }
        let many = format!(r#"{{"version":"1.0.0","notes":{{}}{}}}"#, r#","x":1"#.repeat(30));
        assert_eq!(refusal::<NewRelease>(&many).faults.len(), 1);
    }

    #[test]
    fn messages_repeat_a_text_but_not_its_place() {
        let message = |text: &str| refusal::<NewRelease>(text).faults[0].message.clone();
        // serde_json's own words, of which only the place at the end is cut off.
        assert_eq!(message(r#"{"version":1}"#), "invalid type: integer `1`, expected a text");
        assert_eq!(message(r#"{"version":"1.0.0","severity":"grave"}"#).matches("grave").count(), 1);
        let foreign = refusal::<Foreign>(r#"{"id":"x"}"#).faults[0].message.clone();
        assert!(foreign.starts_with("`x`: "), "{foreign}");
    }
}
