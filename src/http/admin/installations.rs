//! Installations, each as its last check described it.

use actix_web::{HttpResponse, get, http::StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        id::{InstallationId, ProductId, SubscriptionId},
        platform::{Component, MachineArch, Platform},
        slug::Slug,
        version::Version,
    },
    http::{
        App, Problem,
        extract::{Caller, Query, caller::ReadSubscriptions},
        json,
        paging::{self, Limit, Listed},
    },
    services::{
        desk::lookup,
        field::figures::{self, Installation},
    },
};

/// An installation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Installation)]
pub struct InstallationBody {
    /// The UUID that its updater chose.
    id: InstallationId,
    /// The product's slug.
    product: String,
    /// The subscription of the license key that it presented.
    subscription_id: Option<SubscriptionId>,
    /// Which program it is.
    component: Component,
    /// Its version.
    version: Version,
    /// Its operating system.
    platform: Platform,
    /// Its machine.
    arch: MachineArch,
    /// The channel it was answered on.
    channel: String,
    /// The language that it asked for.
    locale: Option<String>,
    /// The time of its first check.
    first_seen_at: Timestamp,
    /// The time of its last check.
    last_seen_at: Timestamp,
}

/// Which installations.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InstallationsQuery {
    /// Only those of the product with this slug.
    #[param(example = "office-maker")]
    product: Option<Slug>,
    /// Only those of this subscription.
    subscription: Option<SubscriptionId>,
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before.
    after: Option<paging::Pair>,
}

/// List installations. Checks are recorded every few seconds, so the newest may be missing for that long.
#[utoipa::path(
    tag = "Admin",
    params(InstallationsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of installations.", body = Listed<InstallationBody>))
)]
#[get("/api/v1/admin/installations")]
pub async fn list_installations(
    app: App,
    caller: Caller<ReadSubscriptions>,
    query: Query<InstallationsQuery>,
) -> Result<HttpResponse, Problem> {
    let InstallationsQuery { product, subscription, limit, after } = query.0;
    let reach = lookup::narrowed(&app.context, caller.reach, product.as_ref())?;
    let page = limit.page(after.map(|pair| (ProductId(pair.0), InstallationId(pair.1))));
    let rows = figures::installations(&app.context, reach, subscription, page).await?;
    let catalogue = app.context.directory.catalogue();
    let listed =
        Listed::of(rows, limit.get(), |row| paging::Pair(row.last.product.0, row.last.installation.0).to_string());
    Ok(json::answer(
        StatusCode::OK,
        &listed.map(|Installation { last, first_seen_at }| InstallationBody {
            id: last.installation,
            product: catalogue
                .product_by_id(last.product)
                .map(|entry| entry.product.slug.to_string())
                .unwrap_or_default(),
            subscription_id: last.subscription,
            component: last.component,
            version: last.version,
            platform: last.platform,
            arch: last.arch,
            channel: last.channel.to_string(),
            locale: last.locale.map(|locale| locale.to_string()),
            first_seen_at,
            last_seen_at: last.seen_at,
        }),
    ))
}
