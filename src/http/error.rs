//! Every refusal as a problem document (RFC 9457): one table gives each code its status and title.

use std::time::Duration;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::services::{Code, Fault, Refusal};

/// A refusal, as it is sent.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct Problem(#[from] pub Refusal);

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// The address of the code's description.
    #[serde(rename = "type")]
    pub kind: String,
    /// The title of the code.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The stable code of the problem.
    pub code: Code,
    /// What is wrong in this case, where, and what is expected.
    pub detail: String,
    /// The fields that are wrong; with status 422.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<Fault>,
}

impl Problem {
    /// A problem with this detail.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Refusal::new(code, detail))
    }
}

/// The status and the title of a code.
#[must_use]
pub const fn status_and_title(code: Code) -> (u16, &'static str) {
    match code {
        Code::BodyMalformed => (400, "Malformed body"),
        Code::HeaderInvalid => (400, "Invalid header"),
        Code::ParameterMissing => (400, "Missing query parameter"),
        Code::ParameterUnknown => (400, "Unknown query parameter"),
        Code::UploadIncomplete => (400, "Incomplete upload"),

        Code::AuthorizationRequired => (401, "Missing credentials"),
        Code::AuthorizationInvalid => (401, "Invalid credentials"),
        Code::LicenseKeyRequired => (401, "Missing license key"),
        Code::LicenseKeyMistyped => (401, "Mistyped license key"),
        Code::LicenseKeyUnknown => (401, "Unknown license key"),
        Code::LicenseKeyRevoked => (401, "Revoked license key"),
        Code::IdentityRefused => (401, "Identity not trusted"),
        Code::LoginFailed => (401, "Login failed"),
        Code::OtpRequired => (401, "Second factor required"),
        Code::RefreshTokenInvalid => (401, "Invalid refresh token"),
        Code::SingleSignOnFailed => (401, "Single sign-on failed"),

        Code::ApproverIsRequester => (403, "Approver is the requester"),
        Code::ApproverNotIndependent => (403, "Approver not independent yet"),
        Code::PasswordLoginOff => (403, "Password login not allowed"),
        Code::RoleInsufficient => (403, "Role not sufficient"),
        Code::ScopeInsufficient => (403, "Scope not sufficient"),
        Code::SetupLinkInvalid => (403, "Invalid set-up link"),
        Code::SingleSignOnRefused => (403, "Single sign-on not allowed"),
        Code::UrlExpired => (403, "Expired download link"),
        Code::UrlInvalid => (403, "Invalid download link"),
        Code::UrlWithdrawn => (403, "Download withdrawn"),
        Code::WrongProduct => (403, "License of another product"),

        Code::NotFound => (404, "Not found"),
        Code::ApprovalNotFound => (404, "Unknown approval request"),
        Code::ArtifactNotFound => (404, "Unknown artifact"),
        Code::CustomerNotFound => (404, "Unknown customer"),
        Code::HostingGroupNotFound => (404, "Unknown hosting group"),
        Code::KnownProblemNotFound => (404, "Unknown known problem"),
        Code::LicenseKeyNotFound => (404, "Unknown license key"),
        Code::ProductNotFound => (404, "Unknown product"),
        Code::ReleaseNotFound => (404, "Unknown release"),
        Code::StopNotFound => (404, "No stop set"),
        Code::SubscriptionNotFound => (404, "Unknown subscription"),
        Code::MailNotFound => (404, "Unknown mail"),
        Code::TrustedPublisherNotFound => (404, "Unknown trusted publisher"),
        Code::UserNotFound => (404, "Unknown user"),
        Code::WebhookNotFound => (404, "Unknown webhook"),
        Code::WebhookMessageNotFound => (404, "Unknown webhook message"),
        Code::TokenNotFound => (404, "Unknown API token"),

        Code::MethodNotAllowed => (405, "Method not allowed"),

        Code::BodyStalled => (408, "Body stalled"),

        Code::ApprovalDecided => (409, "Request already decided"),
        Code::ApprovalExpired => (409, "Expired approval request"),
        Code::ApprovalVoid => (409, "Void approval request"),
        Code::ArtifactExists => (409, "Artifact already exists"),
        Code::ChannelInUse => (409, "Channel in use"),
        Code::Conflict => (409, "Concurrent change"),
        Code::HostingGroupExists => (409, "Hosting group already exists"),
        Code::LastOwner => (409, "Last owner"),
        Code::LicenseKeyExists => (409, "License key already exists"),
        Code::MailSent => (409, "Mail already sent"),
        Code::ProductExists => (409, "Product already exists"),
        Code::ReleaseExists => (409, "Release already exists"),
        Code::ReleaseNotPublished => (409, "Release not published"),
        Code::ReleaseNotYanked => (409, "Release not yanked"),
        Code::ReleasePublished => (409, "Release already published"),
        Code::ReleaseYanked => (409, "Release yanked"),
        Code::RolloutHalted => (409, "Rollout halted"),
        Code::SecondPersonMissing => (409, "No second person"),
        Code::SecondFactorState => (409, "Wrong second-factor state"),
        Code::SubscriptionCancelled => (409, "Subscription cancelled"),
        Code::SubscriptionEndless => (409, "Subscription without end"),
        Code::UserExists => (409, "User already exists"),

        Code::PreconditionFailed => (412, "Changed since read"),
        Code::BodyTooLarge => (413, "Body too large"),
        Code::MediaTypeUnsupported => (415, "Unsupported content type"),
        Code::RangeNotSatisfiable => (416, "Range not satisfiable"),

        Code::BodyInvalid => (422, "Invalid body"),
        Code::DigestMismatch => (422, "Digest mismatch"),
        Code::ParameterInvalid => (422, "Invalid parameter"),
        Code::ReleaseIncomplete => (422, "Incomplete release"),
        Code::VersionInvalid => (422, "Invalid version"),

        Code::TooManyAttempts => (429, "Too many failed attempts"),
        Code::TooManyRequests => (429, "Too many requests"),

        Code::InternalError => (500, "Internal error"),
        Code::IdentityProviderUnavailable => (503, "Identity provider unavailable"),
        Code::IssuerUnavailable => (503, "Token issuer unavailable"),
        Code::StorageUnavailable => (503, "Storage unavailable"),
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
            // The rest of the body is not waited for.
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
            assert!((400..600).contains(&status) && (1..=4).contains(&title.split(' ').count()), "{code}: {title}");
        }
    }
}
