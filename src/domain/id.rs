//! One type per kind of id, so that a customer's id cannot be handed over where a release's is meant.

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
                crate::domain::deserialize_from_text(deserializer)
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
                // Only the hyphenated form: `Uuid::from_str` would also take braces and URNs, and two
                // spellings of one id make two addresses of one thing.
                match Uuid::try_parse(text) {
                    Ok(id) if text.len() == uuid::fmt::Hyphenated::LENGTH => Ok(Self(id)),
                    _ => Err(crate::domain::InvalidValue::new("UUID", text, "8-4-4-4-12 hexadecimal digits")),
                }
            }
        }
    )+};
}

ids! {
    /// A product.
    ProductId,
    /// A release of a product. It goes into the rollout bucket (contract section 3, rule 7).
    ReleaseId,
    /// A file of a release.
    ArtifactId,
    /// A customer of the vendor.
    CustomerId,
    /// A customer's subscription. It goes into the rollout bucket (contract section 3, rule 7).
    SubscriptionId,
    /// A license key (the key itself is never stored).
    LicenseKeyId,
    /// A group of hosted sites with one maintenance window.
    HostingGroupId,
    /// An installation: a UUID that an updater made for itself.
    InstallationId,
    /// One attempt at one update, a UUID that an updater made for itself.
    RunId,
    /// A person who may log in.
    UserId,
    /// An API token.
    TokenId,
    /// A workload that a product trusts.
    TrustedPublisherId,
    /// A rule of the vendor's about a known problem.
    KnownProblemId,
    /// A mail.
    MailId,
    /// A webhook: an address of another system of the vendor's.
    WebhookId,
    /// Something that a second person is to approve.
    ApprovalId,
    /// A message to a webhook; the `webhook-id` of every try.
    WebhookMessageId,
}
