//! Sites with an expired subscription that may want to renew.

use actix_web::{HttpResponse, get, http::StatusCode};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::slug_of;
use crate::{
    directory::Catalogue,
    domain::{
        id::{CustomerId, SubscriptionId},
        slug::Slug,
        version::Version,
    },
    http::{
        App, Problem,
        extract::{Caller, Query, caller::ReadSubscriptions},
        json,
        paging::{Limit, Listed},
    },
    services::{
        desk::lookup,
        field::figures::{self, Asking},
    },
};

/// Which sites that may want to renew.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RenewalsQuery {
    /// Only those of the product with this slug.
    #[param(example = "office-maker")]
    product: Option<Slug>,
    /// Only those that asked within this many days; default 30.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 3650)]
    seen_within_days: Option<Within>,
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before.
    after: Option<SubscriptionId>,
}

/// A number of days to look back.
#[derive(Clone, Copy, Debug)]
pub struct Within(u16);

impl<'de> Deserialize<'de> for Within {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u16::deserialize(deserializer)? {
            days @ 1..=3650 => Ok(Self(days)),
            other => {
                Err(serde::de::Error::custom(format!("`{other}` is not a valid number of days; expected 1 to 3650")))
            }
        }
    }
}

/// Sites with an expired subscription that may want to renew.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Renewals)]
pub struct RenewalsBody {
    /// The total number, on all pages.
    total: usize,
    /// The items on the page.
    items: Vec<RenewalBody>,
    /// The value of `after` for the next page; `null` on the last page.
    next: Option<String>,
}

/// A site that asks for updates although its subscription has expired.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Renewal)]
pub struct RenewalBody {
    /// Its subscription.
    subscription_id: SubscriptionId,
    /// The product's slug.
    product: String,
    /// When the subscription ended.
    #[schema(value_type = String, format = Date)]
    ends_on: Date,
    /// The customer's id.
    customer_id: CustomerId,
    /// The customer's name.
    customer_name: String,
    /// The number of its installations that asked.
    installations: i64,
    /// The time of the last check of one of them.
    last_seen_at: Timestamp,
    /// The version of that installation.
    version: Version,
}

impl RenewalBody {
    fn of(catalogue: &Catalogue, asking: Asking) -> Self {
        Self {
            subscription_id: asking.subscription,
            product: slug_of(catalogue, asking.product),
            ends_on: asking.ends_on,
            customer_id: asking.customer,
            customer_name: asking.customer_name,
            installations: asking.installations,
            last_seen_at: asking.last_seen_at,
            version: asking.version,
        }
    }
}

/// List sites that ask for updates although their subscription has expired.
#[utoipa::path(
    tag = "Admin",
    params(RenewalsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of sites.", body = RenewalsBody))
)]
#[get("/api/v1/admin/stats/renewals")]
pub async fn list_renewals(
    app: App,
    caller: Caller<ReadSubscriptions>,
    query: Query<RenewalsQuery>,
) -> Result<HttpResponse, Problem> {
    let RenewalsQuery { product, seen_within_days, limit, after } = query.0;
    let reach = lookup::narrowed(&app.context, caller.reach, product.as_ref())?;
    let days = seen_within_days.map_or(30, |within| within.0);
    let (total, rows) = figures::renewals(&app.context, reach, days, limit.page(after)).await?;
    let catalogue = app.context.directory.catalogue();
    let Listed { items, next } = Listed::of(rows, limit.get(), |row| row.subscription.to_string());
    let items = items.into_iter().map(|asking| RenewalBody::of(&catalogue, asking)).collect();
    Ok(json::answer(StatusCode::OK, &RenewalsBody { total, items, next }))
}
