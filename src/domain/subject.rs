//! Subjects: the names of things in the audit log and in approval requests.

use std::{fmt, str::FromStr};

use super::{
    InvalidValue,
    artifact::Sha256,
    id::{
        ApprovalId, CustomerId, HostingGroupId, KnownProblemId, LicenseKeyId, MailId, ProductId, ReleaseId,
        SubscriptionId, TokenId, TrustedPublisherId, UserId, WebhookId, WebhookMessageId,
    },
    serde_as_text,
};

macro_rules! subjects {
    ($($(#[$meta:meta])* $name:ident($id:ident) = $kind:literal),+ $(,)?) => {
        /// A thing by its kind and id, which a new name does not change. As text:
        /// `release:0199a0de-0000-7000-8000-000000000101`.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Subject {
            $($(#[$meta])* $name($id)),+
        }

        impl fmt::Display for Subject {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name(id) => write!(formatter, concat!($kind, ":{}"), id)),+
                }
            }
        }

        impl FromStr for Subject {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let invalid = || InvalidValue::new("subject", text, "a kind, a colon and an id");
                let (kind, id) = text.split_once(':').ok_or_else(invalid)?;
                match kind {
                    $($kind => Ok(Self::$name(id.parse().map_err(|_| invalid())?)),)+
                    _ => Err(invalid()),
                }
            }
        }

        #[cfg(test)]
        const KINDS: &[&str] = &[$($kind),+];
    };
}

subjects! {
    /// An approval request.
    Approval(ApprovalId) = "approval",
    /// The content of artifacts.
    Content(Sha256) = "content",
    Customer(CustomerId) = "customer",
    HostingGroup(HostingGroupId) = "hosting_group",
    /// The server's own keys: `all`, or those for one purpose.
    Keys(String) = "keys",
    /// A rule for a known problem.
    KnownProblem(KnownProblemId) = "known_problem",
    LicenseKey(LicenseKeyId) = "license_key",
    Mail(MailId) = "mail",
    /// A product, or its stops.
    Product(ProductId) = "product",
    Release(ReleaseId) = "release",
    Subscription(SubscriptionId) = "subscription",
    Token(TokenId) = "token",
    TrustedPublisher(TrustedPublisherId) = "trusted_publisher",
    User(UserId) = "user",
    Webhook(WebhookId) = "webhook",
    WebhookMessage(WebhookMessageId) = "webhook_message",
}

serde_as_text!(Subject);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_subject_reads_back_from_its_text() {
        for kind in KINDS {
            let text = match *kind {
                "content" => format!("content:{}", "0f".repeat(32)),
                kind => format!("{kind}:0199a0de-0000-7000-8000-000000000101"),
            };
            assert_eq!(text.parse::<Subject>().expect(&text).to_string(), text);
        }
        let release: Subject = "release:0199a0de-0000-7000-8000-000000000101".parse().expect("a release");
        assert!(matches!(release, Subject::Release(_)), "{release:?}");
    }

    #[test]
    fn what_names_no_thing_is_invalid() {
        for text in ["", "release", "release:", "release:1", "thing:0199a0de-0000-7000-8000-000000000101"] {
            assert!(text.parse::<Subject>().is_err(), "{text:?}");
        }
    }
}
