//! The path: ids that are no ids are 404, versions that are none 422 (contract section 4).

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::Method, web};
use serde::de::DeserializeOwned;

use super::{super::Problem, code_of};
use crate::services::{Code, Refusal};

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
            // A file's name is chosen by whoever uploads it, and no id.
            let wrong_name = message.contains("` is no file name; expected") && request.method() == Method::PUT;
            match code_of(&message, if wrong_name { Code::ParameterInvalid } else { Code::NotFound }) {
                Code::NotFound => Problem::new(Code::NotFound, format!("{}: {message}", request.path())),
                code => {
                    let name = if wrong_name { "filename" } else { "version" };
                    Problem(Refusal { code, ..Refusal::parameter(name, message) })
                }
            }
        }))
    }
}
