//! Answers with a JSON body.

use actix_web::{
    HttpResponse, ResponseError as _,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::Serialize;

use super::Problem;
use crate::services::Refusal;

/// The usual size of an answer, in bytes: most fit, and are written without being moved.
const USUAL: usize = 2048;

/// An answer with a JSON body. A body that cannot be serialised is an internal error.
#[must_use]
pub fn answer(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    let mut bytes = Vec::with_capacity(USUAL);
    if let Err(error) = sonic_rs::to_writer(&mut bytes, body) {
        return Problem(Refusal::internal(&error)).error_response();
    }
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .body(bytes)
}

/// An answer with a JSON body and the `ETag` of its revision.
#[must_use]
pub fn answer_with_etag(status: StatusCode, revision: i64, body: &impl Serialize) -> HttpResponse {
    with_header(answer(status, body), header::ETAG, &format!("\"{revision}\""))
}

/// The response with a header set. A value that no header can have is an internal error; an internal error stays as it
/// is.
#[must_use]
pub fn with_header(mut response: HttpResponse, name: header::HeaderName, value: &str) -> HttpResponse {
    match HeaderValue::from_str(value) {
        Ok(_) if response.status() == StatusCode::INTERNAL_SERVER_ERROR => response,
        Ok(value) => {
            response.headers_mut().insert(name, value);
            response
        }
        Err(error) => Problem(Refusal::internal(&error)).error_response(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody as _;

    use super::*;

    struct Broken;

    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("a secret"))
        }
    }

    fn value(response: &HttpResponse, name: header::HeaderName) -> Option<&str> {
        response.headers().get(name)?.to_str().ok()
    }

    #[test]
    fn a_body_that_cannot_be_serialised_is_an_internal_error() {
        for response in [
            answer(StatusCode::OK, &Broken),
            answer_with_etag(StatusCode::CREATED, 3, &Broken),
            answer(StatusCode::OK, &[1, 2].map(|_| Broken)),
        ] {
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(value(&response, header::CONTENT_TYPE), Some("application/problem+json"));
            assert_eq!(value(&response, header::ETAG), None);
            let body = response.into_body().try_into_bytes().expect("bytes");
            let problem: serde_json::Value = serde_json::from_slice(&body).expect("a problem document");
            assert_eq!(problem["code"], "internal_error");
            assert!(!problem.to_string().contains("a secret"), "{problem}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_written_is_an_internal_error() {
        let response = with_header(HttpResponse::Ok().finish(), header::LOCATION, "/a\nb");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let response = with_header(HttpResponse::Ok().finish(), header::LOCATION, "/a");
        assert_eq!(value(&response, header::LOCATION), Some("/a"));
    }
}
