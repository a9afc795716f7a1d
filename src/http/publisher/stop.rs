//! Stops: the emergency switch of a product or of one of its channels.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, delete, get, http::StatusCode, put};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{slug::Slug, stop::Stop},
    http::{
        App, Problem,
        approvals::{self, Asked},
        extract::{
            Body, Caller, IfMatch, Query, Segments,
            caller::{LiftStops, PutStops, ReadReleases},
        },
        json,
        paging::Listed,
        product::ProductPath,
    },
    services::{
        desk::lookup,
        releasing::steer_release::{self, NewStop},
    },
};

/// A stop that is on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stop)]
pub struct StopBody {
    /// The channel it covers, with every less stable one; `null` for the whole product.
    pub channel: Option<String>,
    /// The reason.
    pub reason: String,
    /// The message to users, by locale.
    pub message: BTreeMap<String, String>,
    /// When it was set.
    pub since: Timestamp,
}

impl StopBody {
    fn of(stop: &Stop) -> Self {
        Self {
            channel: stop.channel.as_ref().map(ToString::to_string),
            reason: stop.reason.clone(),
            message: stop.message.iter().map(|(locale, text)| (locale.to_string(), text.clone())).collect(),
            since: stop.since,
        }
    }
}

/// Which stop.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StopQuery {
    /// The channel of the stop; default the stop of the whole product.
    #[param(example = "beta")]
    channel: Option<Slug>,
}

/// List the stops that are on.
#[utoipa::path(
    tag = "Publisher",
    params(ProductPath),
    security(("bearer" = [])),
    responses((status = 200, description = "The stops in force, usually none.", body = Listed<StopBody>))
)]
#[get("/api/v1/products/{slug}/stop")]
pub async fn list_stops(
    app: App,
    _caller: Caller<ReadReleases>,
    path: Segments<ProductPath>,
) -> Result<HttpResponse, Problem> {
    let entry = lookup::product_entry(&app.context, &path.0.slug)?;
    let items = entry.stops.iter().map(StopBody::of).collect();
    Ok(json::answer_with_etag(StatusCode::OK, entry.product.revision, &Listed { items, next: None }))
}

/// Stop a product, or a channel with every less stable one: at once nothing is offered.
#[utoipa::path(
    tag = "Publisher",
    params(("slug" = String, Path, example = "library-maker"), IfMatch),
    security(("bearer" = [])),
    request_body(content = NewStop, example = json!({"channel": "beta", "reason": "we look into reports of lost files",
        "message": {"en": "We look into a problem. Please try again tomorrow."}})),
    responses((status = 200, description = "The stop in force.", body = StopBody))
)]
#[put("/api/v1/products/{slug}/stop")]
pub async fn put_stop(
    app: App,
    _caller: Caller<PutStops>,
    path: Segments<ProductPath>,
    expected: IfMatch,
    body: Body<NewStop>,
) -> Result<HttpResponse, Problem> {
    let (stop, revision) = steer_release::stop(&app.context, path.0.slug, expected.0, body.0).await?;
    Ok(json::answer_with_etag(StatusCode::OK, revision, &StopBody::of(&stop)))
}

/// Lift a stop.
///
/// An API token needs the scope `stops:lift`, so that no pipeline lifts a stop by accident.
#[utoipa::path(
    tag = "Publisher",
    params(("slug" = String, Path, example = "library-maker"), StopQuery, IfMatch),
    security(("bearer" = [])),
    responses(
        (status = 204, description = "It is lifted."),
        (status = 202, description = "Under the two-person rule: done once a second person approves.", body = Asked,
            headers(("Location" = String, description = "The address of the approval request.")))
    )
)]
#[delete("/api/v1/products/{slug}/stop")]
pub async fn delete_stop(
    app: App,
    _caller: Caller<LiftStops>,
    path: Segments<ProductPath>,
    expected: IfMatch,
    query: Query<StopQuery>,
) -> Result<HttpResponse, Problem> {
    let carried = steer_release::lift_stop(&app.context, path.0.slug, expected.0, query.0.channel).await?;
    Ok(approvals::answer(&app, carried, |()| HttpResponse::NoContent().finish()))
}

#[cfg(test)]
mod tests;
