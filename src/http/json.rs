//! Answers with a JSON body.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use serde::Serialize;

/// An answer with a JSON body.
#[must_use]
pub fn answer(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    /// Most answers fit, and are then written without being moved.
    const USUAL: usize = 2048;
    let mut bytes = Vec::with_capacity(USUAL);
    if sonic_rs::to_writer(&mut bytes, body).is_err() {
        bytes.clear();
    }
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, header::HeaderValue::from_static("application/json")))
        .insert_header((header::CACHE_CONTROL, header::HeaderValue::from_static("no-store")))
        .body(bytes)
}

/// An answer with a JSON body and the `ETag` of its revision.
#[must_use]
pub fn answer_with_etag(status: StatusCode, revision: i64, body: &impl Serialize) -> HttpResponse {
    let mut response = answer(status, body);
    if let Ok(tag) = header::HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
