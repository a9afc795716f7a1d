//! One type per kind of id, so that they cannot be confused.

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::domain::deserialize_from_text(stringify!($name), deserializer)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::domain::InvalidValue;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // Only the hyphenated form. `Uuid::from_str` also accepts braces and URNs, but one id must have one
                // spelling in URLs.
                match Uuid::try_parse(text) {
                    Ok(id) if text.len() == uuid::fmt::Hyphenated::LENGTH => Ok(Self(id)),
                    _ => Err(crate::domain::InvalidValue::new("UUID", text, "8-4-4-4-12 hexadecimal digits")),
                }
            }
        }
    )+};
}

ids! {
    /// The id of a product.
    ProductId,
    /// The id of a release. It is part of the rollout bucket (contract section 3, rule 7).
    ReleaseId,
    /// The id of a file of a release.
    ArtifactId,
    /// The id of a customer.
    CustomerId,
    /// The id of a subscription. It is part of the rollout bucket (contract section 3, rule 7).
    SubscriptionId,
    /// The id of a license key (the key itself is never stored).
    LicenseKeyId,
    /// The id of a hosting group.
    HostingGroupId,
    /// The id of an installation, which its updater generated.
    InstallationId,
    /// The id of a run, which its updater generated.
    RunId,
    /// The id of a user.
    UserId,
    /// The id of an API token.
    TokenId,
    /// The id of a trusted publisher.
    TrustedPublisherId,
    /// The id of a vendor's rule for a known problem.
    KnownProblemId,
    /// The id of a mail.
    MailId,
    /// The id of a webhook.
    WebhookId,
    /// The id of an approval request.
    ApprovalId,
    /// The id of a webhook message; the `webhook-id` of every attempt.
    WebhookMessageId,
}
