//! A product: its address and its body.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::{
    id::ProductId,
    product::{ExpiryPolicy, Product, RequiredArtifact},
    slug::Slug,
    version::Version,
    zone::Zone,
};

/// Where a product is.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProductPath {
    /// The product's slug.
    #[param(example = "office-maker")]
    pub slug: Slug,
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
#[expect(missing_docs, reason = "described where it is entered, in NewProduct")]
pub struct ProductBody {
    pub id: ProductId,
    pub slug: Slug,
    pub name: String,
    pub channels: Vec<String>,
    pub default_locale: String,
    pub help_url: Option<String>,
    pub renew_url: Option<String>,
    pub expiry_policy: ExpiryPolicy,
    pub min_supported_version: Option<Version>,
    pub timezone: Zone,
    pub required_artifacts: Vec<RequiredArtifact>,
    pub required_locales: Vec<String>,
    /// Whether bringing a release to customers takes a second person.
    pub two_person_rule: bool,
}

impl ProductBody {
    /// The body for a product.
    #[must_use]
    pub fn of(product: &Product) -> Self {
        Self {
            id: product.id,
            slug: product.slug.clone(),
            name: product.name.to_string(),
            channels: product.channels.names().map(ToString::to_string).collect(),
            default_locale: product.default_locale.to_string(),
            help_url: product.help_url.clone().map(String::from),
            renew_url: product.renew_url.clone().map(String::from),
            expiry_policy: product.expiry_policy,
            min_supported_version: product.min_supported_version.clone(),
            timezone: product.timezone.clone(),
            required_artifacts: product.required_artifacts.clone(),
            required_locales: product.required_locales.iter().map(ToString::to_string).collect(),
            two_person_rule: product.two_person_rule,
        }
    }
}
