//! The path: an id that is not one is 404, an invalid version 422 (contract section 4).

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::Method};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::{
    super::Problem,
    mistake::{Invalid, Mistake},
    texts,
};
use crate::{
    domain::{artifact::Filename, version::Version},
    services::{Code, Refusal},
};

/// The path's variable parts.
#[derive(Debug)]
pub struct Segments<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Segments<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request).map(Self).map_err(|mistake| problem(request, &mistake)))
    }
}

fn read<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Mistake> {
    // The router has decoded a segment except for what would change its meaning: `%2F` and `%25`.
    let segments = request.match_info().iter();
    texts::read(segments.map(|(name, text)| (name.into(), percent_decode_str(text).decode_utf8_lossy())))
}

fn problem(request: &HttpRequest, mistake: &Mistake) -> Problem {
    if let Mistake::Invalid(Invalid { field, type_name, message, .. }) = mistake {
        let invalid = |code| Problem(Refusal { code, ..Refusal::parameter(field, message.clone()) });
        match *type_name {
            Some(Version::TYPE_NAME) => return invalid(Code::VersionInvalid),
            // An upload chooses the name of its file; elsewhere a name that cannot be one leads to no file.
            Some(Filename::TYPE_NAME) if request.method() == Method::PUT => return invalid(Code::ParameterInvalid),
            _ => {}
        }
    }
    Problem::new(Code::NotFound, format!("{}: {mistake}", request.path()))
}
