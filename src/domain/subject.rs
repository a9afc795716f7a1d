//! How the audit log, and what two people decide, name a thing.

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
        /// A thing by its kind and its id, which stays when the thing is renamed. As a text:
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
    /// A request for a second person's approval.
    Approval(ApprovalId) = "approval",
    /// The content of artifacts.
    Content(Sha256) = "content",
    /// A customer.
    Customer(CustomerId) = "customer",
    /// A hosting group.
    HostingGroup(HostingGroupId) = "hosting_group",
    /// The server's own keys: `all`, or those for one purpose.
    Keys(String) = "keys",
    /// A rule about a known problem.
    KnownProblem(KnownProblemId) = "known_problem",
    /// A license key.
    LicenseKey(LicenseKeyId) = "license_key",
    /// A mail.
    Mail(MailId) = "mail",
    /// A product; its stops too.
    Product(ProductId) = "product",
    /// A release.
    Release(ReleaseId) = "release",
    /// A subscription.
    Subscription(SubscriptionId) = "subscription",
    /// An API token.
    Token(TokenId) = "token",
    /// A trusted publisher.
    TrustedPublisher(TrustedPublisherId) = "trusted_publisher",
    /// A user.
    User(UserId) = "user",
    /// A webhook.
    Webhook(WebhookId) = "webhook",
    /// A message to a webhook.
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
