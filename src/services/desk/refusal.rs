//! How a use case refuses a request: with a stable code, a sentence, and the invalid fields.

use std::time::Duration;

use crate::domain::{
    lint::{Finding, FindingCode},
    named_enum,
    release::TransitionError,
};
use crate::{artifacts::ArtifactsError, store::StoreError};

named_enum! {
    /// Every reason for which a request can be refused. The table of `http::error` gives each its status.
    Code, "error code" {
        /// An invalid version.
        VersionInvalid = "version_invalid",
        /// An invalid query or path value.
        ParameterInvalid = "parameter_invalid",
        /// A missing query parameter.
        ParameterMissing = "parameter_missing",
        /// An unknown query parameter.
        ParameterUnknown = "parameter_unknown",
        /// A body that cannot be parsed as its content type.
        BodyMalformed = "body_malformed",
        /// A body with missing, unknown or invalid fields.
        BodyInvalid = "body_invalid",
        /// A body larger than the limit.
        BodyTooLarge = "body_too_large",
        /// A content type that the operation does not accept.
        MediaTypeUnsupported = "media_type_unsupported",
        /// An invalid header.
        HeaderInvalid = "header_invalid",
        /// An unknown path.
        NotFound = "not_found",
        /// A method that the path does not support.
        MethodNotAllowed = "method_not_allowed",
        /// An unknown product.
        ProductNotFound = "product_not_found",
        /// An unknown release.
        ReleaseNotFound = "release_not_found",
        /// An unknown artifact.
        ArtifactNotFound = "artifact_not_found",
        /// An unknown customer.
        CustomerNotFound = "customer_not_found",
        /// An unknown subscription.
        SubscriptionNotFound = "subscription_not_found",
        /// An unknown id of a license key.
        LicenseKeyNotFound = "license_key_not_found",
        /// An unknown hosting group.
        HostingGroupNotFound = "hosting_group_not_found",
        /// An unknown known problem.
        KnownProblemNotFound = "known_problem_not_found",
        /// An unknown API token.
        TokenNotFound = "token_not_found",
        /// An unknown trusted publisher.
        TrustedPublisherNotFound = "trusted_publisher_not_found",
        /// An unknown user.
        UserNotFound = "user_not_found",
        /// An unknown webhook.
        WebhookNotFound = "webhook_not_found",
        /// An unknown message to a webhook.
        WebhookMessageNotFound = "webhook_message_not_found",
        /// An unknown mail.
        MailNotFound = "mail_not_found",
        /// An unknown approval.
        ApprovalNotFound = "approval_not_found",
        /// The product or channel is not stopped.
        StopNotFound = "stop_not_found",
        /// The license key is missing.
        LicenseKeyRequired = "license_key_required",
        /// A license key with a wrong check symbol.
        LicenseKeyMistyped = "license_key_mistyped",
        /// A license key that was never issued.
        LicenseKeyUnknown = "license_key_unknown",
        /// A license key that was revoked.
        LicenseKeyRevoked = "license_key_revoked",
        /// The session or API token is missing.
        AuthorizationRequired = "authorization_required",
        /// The session or API token is invalid, expired or deleted.
        AuthorizationInvalid = "authorization_invalid",
        /// A wrong e-mail address or password.
        LoginFailed = "login_failed",
        /// The refresh token is invalid, expired or used.
        RefreshTokenInvalid = "refresh_token_invalid",
        /// The identity provider's answer is invalid.
        SingleSignOnFailed = "single_sign_on_failed",
        /// The identity provider knows the person, who has no access here.
        SingleSignOnRefused = "single_sign_on_refused",
        /// The identity provider does not answer.
        IdentityProviderUnavailable = "identity_provider_unavailable",
        /// A right password where only the identity provider may log users in.
        PasswordLoginOff = "password_login_off",
        /// A right password without the second factor.
        OtpRequired = "otp_required",
        /// Too many failed attempts in a row.
        TooManyAttempts = "too_many_attempts",
        /// A pipeline's identity token that is invalid or not trusted.
        IdentityRefused = "identity_refused",
        /// The issuer of an identity token does not answer.
        IssuerUnavailable = "issuer_unavailable",
        /// The role does not permit this.
        RoleInsufficient = "role_insufficient",
        /// The scopes of the token do not permit this.
        ScopeInsufficient = "scope_insufficient",
        /// The requester cannot approve their own request.
        ApproverIsRequester = "approver_is_requester",
        /// The approver was added or changed too recently by another user.
        ApproverNotIndependent = "approver_not_independent",
        /// The license key belongs to another product.
        WrongProduct = "wrong_product",
        /// The download link was altered, or is not from this server.
        UrlInvalid = "url_invalid",
        /// The download link has expired.
        UrlExpired = "url_expired",
        /// The release behind the download link was withdrawn.
        UrlWithdrawn = "url_withdrawn",
        /// The set-up link is invalid or used.
        SetupLinkInvalid = "setup_link_invalid",
        /// A product with this slug already exists.
        ProductExists = "product_exists",
        /// A release of this version already exists.
        ReleaseExists = "release_exists",
        /// An artifact for this component, platform, arch and kind already exists.
        ArtifactExists = "artifact_exists",
        /// A hosting group with this slug already exists.
        HostingGroupExists = "hosting_group_exists",
        /// The license key already exists.
        LicenseKeyExists = "license_key_exists",
        /// A user with this e-mail address already exists.
        UserExists = "user_exists",
        /// The last owner cannot be removed or demoted.
        LastOwner = "last_owner",
        /// The second factor is already on, or already off.
        SecondFactorState = "second_factor_state",
        /// A published release cannot be changed this way.
        ReleasePublished = "release_published",
        /// The release is not published.
        ReleaseNotPublished = "release_not_published",
        /// The release is yanked.
        ReleaseYanked = "release_yanked",
        /// The release is not yanked.
        ReleaseNotYanked = "release_not_yanked",
        /// The rollout is halted; a person must resume it first.
        RolloutHalted = "rollout_halted",
        /// The channel is in use and cannot be removed.
        ChannelInUse = "channel_in_use",
        /// The subscription is cancelled for good.
        SubscriptionCancelled = "subscription_cancelled",
        /// The subscription has no end to be cancelled at.
        SubscriptionEndless = "subscription_endless",
        /// The mail was already sent.
        MailSent = "mail_sent",
        /// The request is already decided.
        ApprovalDecided = "approval_decided",
        /// The request has expired.
        ApprovalExpired = "approval_expired",
        /// The subject of the request has changed since.
        ApprovalVoid = "approval_void",
        /// The two-person rule needs a second user who can approve.
        SecondPersonMissing = "second_person_missing",
        /// A concurrent change.
        Conflict = "conflict",
        /// The `ETag` no longer matches `If-Match`.
        PreconditionFailed = "precondition_failed",
        /// The content does not match the announced digest.
        DigestMismatch = "digest_mismatch",
        /// The upload ended early.
        UploadIncomplete = "upload_incomplete",
        /// The sender stalled within the body.
        BodyStalled = "body_stalled",
        /// A rate limit was exceeded.
        TooManyRequests = "too_many_requests",
        /// The publish lint has findings.
        ReleaseIncomplete = "release_incomplete",
        /// The requested range is outside the file.
        RangeNotSatisfiable = "range_not_satisfiable",
        /// The database or the artifact store is unavailable.
        StorageUnavailable = "storage_unavailable",
        /// An internal error.
        InternalError = "internal_error",
    }
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// The path of the field: `name`, `window.days[2]`.
    pub field: String,
    /// What is wrong, and what is expected.
    pub message: String,
    /// The kind of thing, of a release that should not be published as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = FindingCode)]
    pub code: Option<FindingCode>,
}

impl Fault {
    /// A fault of one field; `message` says what is wrong and what is expected.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), code: None }
    }
}

impl From<&Finding> for Fault {
    fn from(finding: &Finding) -> Self {
        Self { code: Some(finding.code()), ..Self::new(finding.field(), finding.to_string()) }
    }
}

/// A request that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.as_str())]
pub struct Refusal {
    pub code: Code,
    /// What is wrong, where, and what to do.
    pub detail: String,
    /// The invalid fields.
    pub faults: Vec<Fault>,
    /// When to try again, if known.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal without faults of fields.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), faults: Vec::new(), retry_after: None }
    }

    /// `body_invalid` for one invalid field of the body.
    #[must_use]
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let mut faults = Faults::default();
        faults.add(field, message);
        faults.into_refusal()
    }

    /// `parameter_invalid` for an invalid query or path parameter.
    #[must_use]
    pub fn parameter(name: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let detail = format!("`{name}`: {message}");
        Self { faults: vec![Fault::new(name, message)], ..Self::new(Code::ParameterInvalid, detail) }
    }

    /// The same refusal, to be retried after this many seconds.
    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(Duration::from_secs(seconds)), ..self }
    }

    /// `too_many_requests` for `what`; the caller may try again after `wait`.
    #[must_use]
    pub fn too_many(what: &str, wait: Duration) -> Self {
        let seconds = wait.as_secs().saturating_add(1);
        let detail = format!("too many {what}; try again in {seconds} s");
        Self::new(Code::TooManyRequests, detail).after(seconds)
    }

    /// `internal_error`. The error goes to the log, not to the caller.
    #[must_use]
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed for a reason of our own");
        Self::new(Code::InternalError, "something went wrong in the server; its log says what")
    }
}

/// The result of a transaction that is committed either way: a refusal can also have changes to store.
#[derive(Debug)]
#[must_use]
pub enum Committed<T> {
    Done(T),
    Refused(Refusal),
}

impl<T> Committed<T> {
    /// The result for the caller, after the commit.
    pub fn into_result(self) -> Result<T, Refusal> {
        match self {
            Self::Done(value) => Ok(value),
            Self::Refused(refusal) => Err(refusal),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(text) => {
                tracing::error!(error = %text, "the database cannot be used");
                Self::new(Code::StorageUnavailable, "the database cannot be used just now; try again later")
            }
            StoreError::Contended(text) => {
                tracing::warn!(error = %text, "a write met others, again and again");
                Self::new(Code::StorageUnavailable, "the database is too busy just now; try again later")
            }
            StoreError::Conflict(text) => {
                tracing::debug!(error = %text, "a write met another one");
                Self::new(Code::Conflict, "another change came in between; read the current state and try again")
            }
            other @ (StoreError::Damaged(_) | StoreError::Other(_)) => Self::internal(&other),
        }
    }
}

impl From<ArtifactsError> for Refusal {
    fn from(error: ArtifactsError) -> Self {
        if let ArtifactsError::TooLarge(text) = error {
            return Self::new(Code::BodyTooLarge, text);
        }
        tracing::error!(%error, "the artifact store cannot be used");
        Self::new(Code::StorageUnavailable, "the artifact store cannot be used just now; try again later")
    }
}

impl From<TransitionError> for Refusal {
    fn from(error: TransitionError) -> Self {
        let code = match error {
            TransitionError::AlreadyPublished(_) => Code::ReleasePublished,
            TransitionError::Yanked(_) => Code::ReleaseYanked,
            TransitionError::StillDraft(_) => Code::ReleaseNotPublished,
            TransitionError::NotYanked(_) => Code::ReleaseNotYanked,
        };
        Self::new(code, error.to_string())
    }
}

/// Collects all faults of a body, so that one answer names all of them.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds the fault of a field.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(Fault::new(field, message));
    }

    /// Adds the findings of the publish lint.
    pub fn extend(&mut self, findings: &[Finding]) {
        self.0.extend(findings.iter().map(Fault::from));
    }

    /// Checks a text of several lines: at most 100,000 bytes, no NUL.
    pub fn text(&mut self, field: &str, text: &str) {
        if text.len() > 100_000 || text.contains('\0') {
            self.add(field, "must be at most 100 000 bytes of text");
        }
    }

    /// Checks an e-mail address: a single plain one, without display name, as in an SMTP command (RFC 5321).
    pub fn email(&mut self, field: &str, address: &str) {
        if !is_plain_address(address) {
            self.add(
                field,
                format!("`{}` must be one plain e-mail address such as `anna@example.com`", shortened(address)),
            );
        }
    }

    /// Prefixes all field names with the name of a part of the body.
    #[must_use]
    pub fn within(mut self, part: &str) -> Self {
        if !part.is_empty() {
            for fault in &mut self.0 {
                fault.field = format!("{part}.{}", fault.field);
            }
        }
        self
    }

    /// Fails if there is any fault.
    ///
    /// # Errors
    /// `body_invalid` with all faults.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(self.into_refusal()) }
    }

    fn into_refusal(self) -> Refusal {
        let detail =
            self.0.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect::<Vec<_>>().join("; ");
        Refusal { faults: self.0, ..Refusal::new(Code::BodyInvalid, detail) }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

fn is_plain_address(address: &str) -> bool {
    let local_part = |part: &str| {
        !part.is_empty()
            && part.len() <= 64
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&byte))
    };
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    address.len() <= 254
        && address
            .split_once('@')
            .is_some_and(|(local, domain)| local_part(local) && domain.contains('.') && domain.split('.').all(label))
}
