//! Every refusal as a problem document (RFC 9457): one table gives each code its status and title.

use std::time::Duration;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::services::{Code, Fault, Refusal};

/// A refusal on its way out.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct Problem(#[from] pub Refusal);

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Where this kind of problem is described.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem, in a few words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The kind of problem, as a stable name.
    pub code: Code,
    /// What is wrong this time, where, and what would be right.
    pub detail: String,
    /// The fields that are wrong; with status 422.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<Fault>,
}

impl Problem {
    /// A problem with a sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Refusal::new(code, detail))
    }
}

/// The status and the title of a code.
#[must_use]
pub const fn status_and_title(code: Code) -> (u16, &'static str) {
    match code {
        Code::BodyMalformed => (400, "The body cannot be read"),
        Code::HeaderInvalid => (400, "A header cannot be read"),
        Code::ParameterMissing => (400, "A query parameter is missing"),
        Code::ParameterUnknown => (400, "There is no such query parameter"),
        Code::UploadIncomplete => (400, "The upload broke off"),

        Code::AuthorizationRequired => (401, "A session or an API token is needed"),
        Code::AuthorizationInvalid => (401, "The session or API token is not good"),
        Code::LicenseKeyRequired => (401, "A license key is needed"),
        Code::LicenseKeyMistyped => (401, "The license key has a typing error"),
        Code::LicenseKeyUnknown => (401, "The license key is not known"),
        Code::LicenseKeyRevoked => (401, "The license key has been revoked"),
        Code::IdentityRefused => (401, "The identity is not trusted"),
        Code::LoginFailed => (401, "The login failed"),
        Code::OtpRequired => (401, "The second factor is needed"),
        Code::RefreshTokenInvalid => (401, "The refresh token is not good"),
        Code::SingleSignOnFailed => (401, "The login through the identity provider failed"),

        Code::ApproverIsRequester => (403, "Nobody approves their own request"),
        Code::ApproverNotIndependent => (403, "The approver is no second person yet"),
        Code::PasswordLoginOff => (403, "Passwords let only owners in"),
        Code::RoleInsufficient => (403, "The role may not do this"),
        Code::ScopeInsufficient => (403, "The token may not do this"),
        Code::SetupLinkInvalid => (403, "The set-up link is not good"),
        Code::SingleSignOnRefused => (403, "The identity provider's word is not enough"),
        Code::UrlExpired => (403, "The download link is past its time"),
        Code::UrlInvalid => (403, "The download link is not good"),
        Code::UrlWithdrawn => (403, "The download has been withdrawn"),
        Code::WrongProduct => (403, "The license key is one of another product"),

        Code::NotFound => (404, "There is nothing here"),
        Code::ApprovalNotFound => (404, "There is no such approval"),
        Code::ArtifactNotFound => (404, "There is no such artifact"),
        Code::CustomerNotFound => (404, "There is no such customer"),
        Code::HostingGroupNotFound => (404, "There is no such hosting group"),
        Code::KnownProblemNotFound => (404, "There is no such known problem"),
        Code::LicenseKeyNotFound => (404, "There is no such license key"),
        Code::ProductNotFound => (404, "There is no such product"),
        Code::ReleaseNotFound => (404, "There is no such release"),
        Code::StopNotFound => (404, "No stop is on"),
        Code::SubscriptionNotFound => (404, "There is no such subscription"),
        Code::MailNotFound => (404, "There is no such mail"),
        Code::TrustedPublisherNotFound => (404, "There is no such trusted publisher"),
        Code::UserNotFound => (404, "There is no such user"),
        Code::WebhookNotFound => (404, "There is no such webhook"),
        Code::WebhookMessageNotFound => (404, "There is no such message to the webhook"),
        Code::TokenNotFound => (404, "There is no such API token"),

        Code::MethodNotAllowed => (405, "This address does not take that method"),

        Code::BodyStalled => (408, "The body came to a standstill"),

        Code::ApprovalDecided => (409, "It was decided already"),
        Code::ApprovalExpired => (409, "Nobody has decided in time"),
        Code::ApprovalVoid => (409, "What it is about has changed"),
        Code::ArtifactExists => (409, "There is such an artifact already"),
        Code::ChannelInUse => (409, "The channel is in use"),
        Code::Conflict => (409, "Another change came in between"),
        Code::HostingGroupExists => (409, "There is such a hosting group already"),
        Code::LastOwner => (409, "There must be an owner"),
        Code::LicenseKeyExists => (409, "There is such a license key already"),
        Code::MailSent => (409, "The mail was sent"),
        Code::ProductExists => (409, "There is such a product already"),
        Code::ReleaseExists => (409, "There is such a release already"),
        Code::ReleaseNotPublished => (409, "The release is a draft"),
        Code::ReleaseNotYanked => (409, "The release is not yanked"),
        Code::ReleasePublished => (409, "What is published does not change"),
        Code::ReleaseYanked => (409, "The release is yanked"),
        Code::RolloutHalted => (409, "The release was halted"),
        Code::SecondPersonMissing => (409, "There is no second person"),
        Code::SecondFactorState => (409, "The second factor is not in the state for it"),
        Code::SubscriptionCancelled => (409, "The subscription is cancelled"),
        Code::SubscriptionEndless => (409, "The subscription has no end"),
        Code::UserExists => (409, "There is such a user already"),

        Code::PreconditionFailed => (412, "It has changed since it was read"),
        Code::BodyTooLarge => (413, "The body is too large"),
        Code::MediaTypeUnsupported => (415, "This content type is not taken"),
        Code::RangeNotSatisfiable => (416, "Nothing of the file is in that range"),

        Code::BodyInvalid => (422, "Fields of the body are wrong"),
        Code::DigestMismatch => (422, "The content is not what was announced"),
        Code::ParameterInvalid => (422, "A parameter is wrong"),
        Code::ReleaseIncomplete => (422, "The release is not complete"),
        Code::VersionInvalid => (422, "This is no version"),

        Code::TooManyAttempts => (429, "Too many attempts failed"),
        Code::TooManyRequests => (429, "Too many requests"),

        Code::InternalError => (500, "Something went wrong in the server"),
        Code::IdentityProviderUnavailable => (503, "The identity provider cannot be used just now"),
        Code::IssuerUnavailable => (503, "The issuer of the token does not answer"),
        Code::StorageUnavailable => (503, "The server cannot read or write just now"),
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(status_and_title(self.0.code).0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let Self(Refusal { code, detail, faults, retry_after }) = self;
        let (status, title) = status_and_title(*code);
        let body = ProblemBody {
            kind: format!("/docs/errors#{code}"),
            title,
            status,
            code: *code,
            detail: detail.clone(),
            errors: faults.clone(),
        };
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/problem+json").insert_header((header::CACHE_CONTROL, "no-store"));
        match code {
            Code::LicenseKeyRequired | Code::LicenseKeyMistyped | Code::LicenseKeyUnknown | Code::LicenseKeyRevoked => {
                response.append_header((header::WWW_AUTHENTICATE, "License realm=\"sluice\""));
                response.append_header((header::WWW_AUTHENTICATE, "Basic realm=\"sluice\", charset=\"UTF-8\""));
            }
            Code::AuthorizationRequired
            | Code::AuthorizationInvalid
            | Code::IdentityRefused
            | Code::LoginFailed
            | Code::OtpRequired
            | Code::RefreshTokenInvalid
            | Code::SingleSignOnFailed => {
                response.append_header((header::WWW_AUTHENTICATE, "Bearer realm=\"sluice\""));
            }
            // What the sender still has to say of it is not waited for.
            Code::BodyStalled => {
                response.force_close();
            }
            _ => {}
        }
        let is_away = matches!(code, Code::StorageUnavailable | Code::IdentityProviderUnavailable);
        let usual = is_away.then_some(Duration::from_secs(5));
        if let Some(wait) = retry_after.or(usual) {
            response.insert_header((header::RETRY_AFTER, wait.as_secs()));
        }
        match serde_json::to_vec(&body) {
            Ok(bytes) => response.body(bytes),
            Err(error) => {
                tracing::error!(%error, %code, "a problem document cannot be serialised");
                // The code and the status need no escapes.
                response.body(format!(r#"{{"code":"{code}","status":{status}}}"#))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_of_an_error() {
        for code in Code::ALL {
            let (status, title) = status_and_title(*code);
            assert!((400..600).contains(&status) && !title.is_empty(), "{code}");
        }
    }
}
