//! Versions over time.

use actix_web::{HttpResponse, get, http::StatusCode};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::slug_of;
use crate::{
    directory::Catalogue,
    domain::{
        platform::{Component, Platform},
        slug::Slug,
        subscription::Deployment,
        version::Version,
    },
    http::{
        App, Problem,
        extract::{Caller, Query, caller::ReadSubscriptions},
        json,
    },
    services::{
        desk::lookup,
        field::figures::{self, Count, Wanted},
    },
};

/// Which installations, and which days.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdoptionQuery {
    /// Only those of the product with this slug.
    #[param(example = "office-maker")]
    product: Option<Slug>,
    /// Only those of this program.
    #[param(inline)]
    component: Option<Component>,
    /// Only those on this operating system.
    #[param(inline)]
    platform: Option<Platform>,
    /// Only those on a subscription of this deployment.
    #[param(inline)]
    deployment: Option<Deployment>,
    /// The first day, in UTC; default 29 days before the last.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day, in UTC; default today.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
}

/// Versions over time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Adoption)]
pub struct AdoptionBody {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// The days for which there are figures.
    days: Vec<DayBody>,
}

/// A day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdoptionDay)]
pub struct DayBody {
    /// The day, in UTC.
    #[schema(value_type = String, format = Date)]
    day: Date,
    /// The versions that were in use, by product, the highest first.
    versions: Vec<CountBody>,
}

/// A version on a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdoptionCount)]
pub struct CountBody {
    /// The product's slug.
    product: String,
    /// The version.
    version: Version,
    /// Installations that asked within the last 30 days and had this version at their last check.
    installations: i64,
}

impl AdoptionBody {
    /// `counts` are in the order of their days.
    fn of(catalogue: &Catalogue, figures::Days { from, to }: figures::Days, counts: Vec<Count>) -> Self {
        let mut days: Vec<DayBody> = Vec::new();
        for Count { day, product, version, installations } in counts {
            let count = CountBody { product: slug_of(catalogue, product), version, installations };
            match days.last_mut() {
                Some(last) if last.day == day => last.versions.push(count),
                _ => days.push(DayBody { day, versions: vec![count] }),
            }
        }
        Self { from, to, days }
    }
}

/// Show which versions are in use, day by day.
///
/// Past days show the figures recorded within their last hour, today shows the current ones. A day on which no server
/// ran is left out.
#[utoipa::path(
    tag = "Admin",
    params(AdoptionQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "Versions over time.", body = AdoptionBody))
)]
#[get("/api/v1/admin/stats/adoption")]
pub async fn get_adoption(
    app: App,
    caller: Caller<ReadSubscriptions>,
    query: Query<AdoptionQuery>,
) -> Result<HttpResponse, Problem> {
    let AdoptionQuery { product, component, platform, deployment, from, to } = query.0;
    let reach = lookup::narrowed(&app.context, caller.reach, product.as_ref())?;
    let wanted = Wanted { reach, component, platform, deployment };
    let (days, counts) = figures::adoption(&app.context, wanted, from, to).await?;
    let catalogue = app.context.directory.catalogue();
    Ok(json::answer(StatusCode::OK, &AdoptionBody::of(&catalogue, days, counts)))
}
