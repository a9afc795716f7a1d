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
        /// A version that is none.
        VersionInvalid = "version_invalid",
        /// A query or path value that is none.
        ParameterInvalid = "parameter_invalid",
        /// A query parameter that must be there is not.
        ParameterMissing = "parameter_missing",
        /// A query parameter that the operation does not have.
        ParameterUnknown = "parameter_unknown",
        /// A body that is not what its content type says.
        BodyMalformed = "body_malformed",
        /// A body with fields that are wrong.
        BodyInvalid = "body_invalid",
        /// A body over its limit.
        BodyTooLarge = "body_too_large",
        /// A body of a content type that the operation does not take.
        MediaTypeUnsupported = "media_type_unsupported",
        /// A header that cannot be read.
        HeaderInvalid = "header_invalid",
        /// No such address.
        NotFound = "not_found",
        /// The address does not know the method.
        MethodNotAllowed = "method_not_allowed",
        /// No such product.
        ProductNotFound = "product_not_found",
        /// No such release.
        ReleaseNotFound = "release_not_found",
        /// No such artifact.
        ArtifactNotFound = "artifact_not_found",
        /// No such customer.
        CustomerNotFound = "customer_not_found",
        /// No such subscription.
        SubscriptionNotFound = "subscription_not_found",
        /// No such license key, by its id.
        LicenseKeyNotFound = "license_key_not_found",
        /// No such hosting group.
        HostingGroupNotFound = "hosting_group_not_found",
        /// No such known problem.
        KnownProblemNotFound = "known_problem_not_found",
        /// No such API token.
        TokenNotFound = "token_not_found",
        /// No such trusted publisher.
        TrustedPublisherNotFound = "trusted_publisher_not_found",
        /// No such user.
        UserNotFound = "user_not_found",
        /// No such webhook.
        WebhookNotFound = "webhook_not_found",
        /// No such message to a webhook.
        WebhookMessageNotFound = "webhook_message_not_found",
        /// No such mail.
        MailNotFound = "mail_not_found",
        /// No such approval.
        ApprovalNotFound = "approval_not_found",
        /// No stop is on there.
        StopNotFound = "stop_not_found",
        /// A license key is needed.
        LicenseKeyRequired = "license_key_required",
        /// A license key of Sluice's form whose check symbol is wrong.
        LicenseKeyMistyped = "license_key_mistyped",
        /// A license key that was never issued.
        LicenseKeyUnknown = "license_key_unknown",
        /// A license key that was revoked.
        LicenseKeyRevoked = "license_key_revoked",
        /// A session or an API token is needed.
        AuthorizationRequired = "authorization_required",
        /// The session or API token is not good, or not good any more.
        AuthorizationInvalid = "authorization_invalid",
        /// E-mail address or password is wrong.
        LoginFailed = "login_failed",
        /// The refresh token is not good, or not good any more.
        RefreshTokenInvalid = "refresh_token_invalid",
        /// What came back from the identity provider is not good.
        SingleSignOnFailed = "single_sign_on_failed",
        /// The identity provider vouches for somebody who may not come in.
        SingleSignOnRefused = "single_sign_on_refused",
        /// The identity provider cannot be used.
        IdentityProviderUnavailable = "identity_provider_unavailable",
        /// The right password, where only the identity provider lets people in.
        PasswordLoginOff = "password_login_off",
        /// The right password, without the second factor that goes with it.
        OtpRequired = "otp_required",
        /// Too many failures, one after the other.
        TooManyAttempts = "too_many_attempts",
        /// The identity token of a pipeline is not good, or nobody trusts whose it is.
        IdentityRefused = "identity_refused",
        /// An issuer of tokens does not answer.
        IssuerUnavailable = "issuer_unavailable",
        /// The role may not do this.
        RoleInsufficient = "role_insufficient",
        /// The token may not do this.
        ScopeInsufficient = "scope_insufficient",
        /// Nobody approves what they have asked for themselves.
        ApproverIsRequester = "approver_is_requester",
        /// Another person has entered or changed who approves, just now.
        ApproverNotIndependent = "approver_not_independent",
        /// The license key is one of another product.
        WrongProduct = "wrong_product",
        /// The link was not made here, or was altered.
        UrlInvalid = "url_invalid",
        /// The link is past its time.
        UrlExpired = "url_expired",
        /// What the link leads to may not be downloaded any more.
        UrlWithdrawn = "url_withdrawn",
        /// The set-up link is not good, or was used.
        SetupLinkInvalid = "setup_link_invalid",
        /// There is a product with this slug.
        ProductExists = "product_exists",
        /// There is a release of this version.
        ReleaseExists = "release_exists",
        /// There is an artifact for this component, platform, arch and kind.
        ArtifactExists = "artifact_exists",
        /// There is a hosting group with this slug.
        HostingGroupExists = "hosting_group_exists",
        /// There is such a license key.
        LicenseKeyExists = "license_key_exists",
        /// There is a user with this e-mail address.
        UserExists = "user_exists",
        /// Without an owner nobody could enter one.
        LastOwner = "last_owner",
        /// A second factor is on, or there is none.
        SecondFactorState = "second_factor_state",
        /// What is published does not change.
        ReleasePublished = "release_published",
        /// It must be published first.
        ReleaseNotPublished = "release_not_published",
        /// It must be restored first.
        ReleaseYanked = "release_yanked",
        /// It was not yanked.
        ReleaseNotYanked = "release_not_yanked",
        /// A person must resume it first.
        RolloutHalted = "rollout_halted",
        /// A channel that is in use cannot be removed.
        ChannelInUse = "channel_in_use",
        /// A subscription that was cancelled stays so.
        SubscriptionCancelled = "subscription_cancelled",
        /// A subscription without an end cannot be cancelled to its end.
        SubscriptionEndless = "subscription_endless",
        /// A mail that was sent is not sent again.
        MailSent = "mail_sent",
        /// It was approved or rejected already.
        ApprovalDecided = "approval_decided",
        /// Nobody has decided in time.
        ApprovalExpired = "approval_expired",
        /// What it is about has changed since.
        ApprovalVoid = "approval_void",
        /// There are no two people who could approve.
        SecondPersonMissing = "second_person_missing",
        /// Another change came in between.
        Conflict = "conflict",
        /// `If-Match` no longer fits.
        PreconditionFailed = "precondition_failed",
        /// The bytes are not those that were announced.
        DigestMismatch = "digest_mismatch",
        /// The upload broke off.
        UploadIncomplete = "upload_incomplete",
        /// The sender fell silent in the middle of the body.
        BodyStalled = "body_stalled",
        /// Somebody asked more often than they may.
        TooManyRequests = "too_many_requests",
        /// The release lacks something, or what it says cannot be meant.
        ReleaseIncomplete = "release_incomplete",
        /// Nothing of the file is in the range asked for.
        RangeNotSatisfiable = "range_not_satisfiable",
        /// The database or the disk cannot be used just now.
        StorageUnavailable = "storage_unavailable",
        /// A fault of Sluice's own.
        InternalError = "internal_error",
    }
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// Which: `name`, `window.days[2]`.
    pub field: String,
    /// What is wrong with it, and what would be right.
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

    /// The same refusal, to be tried again after so many seconds.
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
