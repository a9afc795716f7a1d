//! The license key: `Authorization: License <key>`, or HTTP Basic with the key as password (contract section 4).

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{super::Problem, ClientAddress};
use crate::{
    app::App,
    directory::KeyEntry,
    services::{Code, Refusal, selling::license_keys},
};

/// The license key of the request; `None` without one.
#[derive(Clone, Debug)]
pub struct License(pub Option<KeyEntry>);

impl License {
    /// The license key, which is required.
    ///
    /// # Errors
    /// `license_key_required`.
    pub fn required(self) -> Result<KeyEntry, Problem> {
        self.0.ok_or_else(|| {
            Problem::new(Code::LicenseKeyRequired, "the license key is missing; send `Authorization: License <key>`")
        })
    }
}

impl FromRequest for License {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request).and_then(|key| counted(request, key)).map(Self))
    }
}

/// Counts the request towards the limit of the license key, or, without one, of the address.
fn counted(request: &HttpRequest, key: Option<KeyEntry>) -> Result<Option<KeyEntry>, Problem> {
    let Some(app) = request.app_data::<web::Data<App>>() else { return Ok(key) };
    let refuse = |what, wait| Problem(Refusal::too_many(what, wait));
    if let Some(key) = &key {
        app.limits.keys.count(&key.id).map_err(|wait| refuse("requests with this license key", wait))?;
    } else {
        let counted = app.limits.anonymous.count(&ClientAddress::of(request).network());
        counted.map_err(|wait| refuse("requests without a license key from this address", wait))?;
    }
    Ok(key)
}

fn read(request: &HttpRequest) -> Result<Option<KeyEntry>, Problem> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else { return Ok(None) };
    let unreadable = || {
        Problem::new(
            Code::LicenseKeyRequired,
            "`Authorization` is invalid; expected `License <key>`, or `Basic` with the key as password",
        )
    };
    let (scheme, rest) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(unreadable)?;
    let rest = rest.trim();
    let app = request
        .app_data::<web::Data<App>>()
        .ok_or_else(|| Problem::new(Code::InternalError, "the server is not set up"))?;
    let recognise = |key: &str| license_keys::recognise(&app.context, key).map(Some).map_err(Problem::from);
    if scheme.eq_ignore_ascii_case("license") {
        recognise(rest)
    } else if scheme.eq_ignore_ascii_case("basic") {
        let pair = STANDARD.decode(rest).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(unreadable)?;
        recognise(pair.split_once(':').ok_or_else(unreadable)?.1)
    } else {
        Err(unreadable())
    }
}
