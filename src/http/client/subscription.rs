//! `GET /api/v1/subscription`: the subscription of the license key, for an About box.

use actix_web::{HttpResponse, get, http::StatusCode};
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::subscription::{Deployment, Status},
    http::{App, Problem, extract::License, json},
    services::Code,
};

/// A subscription, as its customer sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnSubscription {
    /// The product's slug.
    pub product: String,
    /// The product's name.
    pub product_name: String,
    /// The kind of deployment.
    pub deployment: Deployment,
    /// The status today.
    pub status: Status,
    /// The first covered day.
    #[schema(value_type = String, format = Date)]
    pub starts_on: Date,
    /// The last covered day; `null` never ends.
    #[schema(value_type = Option<String>, format = Date)]
    pub ends_on: Option<Date>,
    /// The days after `ends_on` that are still covered.
    pub grace_days: u16,
    /// The channels that it may use.
    pub channels: Vec<String>,
    /// The page where it can be renewed.
    pub renew_url: Option<String>,
    /// The help page.
    pub help_url: Option<String>,
}

/// Show the subscription of the license key.
#[utoipa::path(
    tag = "Client",
    security(("license" = [])),
    responses((status = 200, description = "The subscription.", body = OwnSubscription))
)]
#[get("/api/v1/subscription")]
pub async fn get_own_subscription(app: App, license: License) -> Result<HttpResponse, Problem> {
    let coverage = license.required()?.coverage;
    let catalogue = app.context.directory.catalogue();
    let missing = || Problem::new(Code::SubscriptionNotFound, "the license key has no subscription");
    let product = &catalogue.product_by_id(coverage.product).ok_or_else(missing)?.product;
    Ok(json::answer(
        StatusCode::OK,
        &OwnSubscription {
            product: product.slug.to_string(),
            product_name: product.name.to_string(),
            deployment: coverage.deployment,
            status: coverage.status(&product.timezone, app.context.clock.now()),
            starts_on: coverage.starts_on,
            ends_on: coverage.ends_on,
            grace_days: coverage.grace_days,
            channels: coverage.channels.iter().map(ToString::to_string).collect(),
            renew_url: product.renew_url.clone().map(String::from),
            help_url: product.help_url.clone().map(String::from),
        },
    ))
}
