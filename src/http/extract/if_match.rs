//! `If-Match` (RFC 9110, section 13.1.1).

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};

use super::super::Problem;
use crate::services::{Code, Expected};

/// What the caller expects the thing to be.
#[derive(Debug)]
pub struct IfMatch(pub Expected);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request).map(Self))
    }
}

fn read(request: &HttpRequest) -> Result<Expected, Problem> {
    let invalid = || {
        Problem::new(Code::HeaderInvalid, "`If-Match` must be `*` or the ETag of an earlier answer, such as `\"3\"`")
    };
    let mut revisions = Vec::new();
    for value in request.headers().get_all(header::IF_MATCH) {
        let text = value.to_str().map_err(|_| invalid())?.trim();
        if text == "*" {
            return Ok(Expected::Anything);
        }
        for tag in text.split(',') {
            // A weak tag is a tag, and never matches where something would be changed.
            let (tag, weak) = match tag.trim().strip_prefix("W/") {
                Some(rest) => (rest, true),
                None => (tag.trim(), false),
            };
            let tag = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(invalid)?;
            // A tag that is none of ours matches nothing, as a tag of a time long gone would not.
            revisions.push(if weak { -1 } else { tag.parse().unwrap_or(-1) });
        }
    }
    Ok(if revisions.is_empty() { Expected::Anything } else { Expected::Revisions(revisions) })
}
