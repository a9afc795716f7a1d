//! `If-Match` (RFC 9110, section 13.1.1).

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap},
};
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Required, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use super::super::Problem;
use crate::services::{Code, Expected};

/// The revision that the caller expects.
#[derive(Debug)]
pub struct IfMatch(pub Expected);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request.headers()))
    }
}

impl IfMatch {
    /// Reads `If-Match` from the headers of a request.
    ///
    /// # Errors
    /// `header_invalid`.
    pub fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        read(headers).map(Self)
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let tags = ObjectBuilder::new()
            .schema_type(Type::String)
            .examples(["*"])
            .pattern(Some(r#"^(\*|(W/)?"[!#-~]*"( ?, ?(W/)?"[!#-~]*")*)$"#));
        let header = ParameterBuilder::new()
            .name("If-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("The `ETag` that was read: the change is refused if it has changed since."))
            .schema(Some(tags));
        vec![header.build()]
    }
}

fn read(headers: &HeaderMap) -> Result<Expected, Problem> {
    let mut revisions = Vec::new();
    let mut values = headers.get_all(header::IF_MATCH).peekable();
    if values.peek().is_none() {
        return Ok(Expected::Anything);
    }
    for value in values {
        let text = value.to_str().map_err(|_| invalid())?.trim();
        if text == "*" {
            return Ok(Expected::Anything);
        }
        read_tags(text, &mut revisions).ok_or_else(invalid)?;
    }
    Ok(Expected::Revisions(revisions))
}

fn invalid() -> Problem {
    Problem::new(
        Code::HeaderInvalid,
        "`If-Match` is invalid; expected `*` or the ETag of an earlier answer, such as `\"3\"`",
    )
}

/// Reads a list of tags. A weak tag, or one that is not a revision, matches nothing, like the tag of an old revision.
fn read_tags(mut text: &str, revisions: &mut Vec<i64>) -> Option<()> {
    loop {
        let (weak, rest) = text.strip_prefix("W/").map_or((false, text), |rest| (true, rest));
        let (tag, rest) = rest.strip_prefix('"')?.split_once('"')?;
        if tag.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return None;
        }
        revisions.push(tag.parse().ok().filter(|_| !weak).unwrap_or(-1));
        text = match rest.trim_start() {
            "" => return Some(()),
            more => more.strip_prefix(',')?.trim_start(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_rfc_9110_writes_them() {
        let read = |text: &str| {
            let mut revisions = Vec::new();
            read_tags(text, &mut revisions).map(|()| revisions)
        };
        assert_eq!(read(r#""3""#), Some(vec![3]));
        assert_eq!(read(r#""3", "4" ,"a,b""#), Some(vec![3, 4, -1]));
        assert_eq!(read(r#"W/"3""#), Some(vec![-1]), "a weak tag never matches here");
        for wrong in ["", "3", r#""3"#, r#""3" "4""#, r#""3","#, "\"a b\"", "w/\"3\""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
