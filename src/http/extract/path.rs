//! The path: ids that are no ids are 404, versions that are none 422 (contract section 4).

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use serde::de::DeserializeOwned;

use super::{super::Problem, code_of};
use crate::services::Code;

/// The path's variable parts.
#[derive(Debug)]
pub struct Segments<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Segments<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // The router hands segments on with their escapes undone, which are then read like any value.
        let read = web::Path::<T>::extract(request).into_inner();
        ready(read.map(|path| Self(path.into_inner())).map_err(|error| {
            let message = error.to_string();
            Problem::new(code_of(&message, Code::NotFound), format!("{}: {message}", request.path()))
        }))
    }
}
