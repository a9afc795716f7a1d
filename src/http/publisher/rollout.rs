//! Rollouts: how far a published release is open.

use actix_web::{HttpResponse, get, http::StatusCode, post, put};

use crate::{
    domain::release::Release,
    http::{
        App, Problem,
        extract::{
            Body, Caller, IfMatch, MaybeBody, Segments,
            caller::{PublishReleases, ReadReleases},
        },
        publisher::releases::{find, steer},
        wire::{self, ReleasePath, RolloutBody},
    },
    services::{
        publish_release::NewRollout,
        steer_release::{Steer, WhyMaybe},
    },
};

fn answer(release: &Release) -> HttpResponse {
    wire::json_with_etag(StatusCode::OK, release.revision, &RolloutBody::of(release))
}

/// Show how far a release is open.
#[utoipa::path(
    tag = "Publisher",
    params(ReleasePath),
    security(("bearer" = [])),
    responses((status = 200, description = "The rollout.", body = RolloutBody))
)]
#[get("/api/v1/products/{slug}/releases/{version}/rollout")]
pub async fn get_rollout(
    app: App,
    _caller: Caller<ReadReleases>,
    path: Segments<ReleasePath>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&*find(&app.context, &path.0)?))
}

/// Open a release to a share of sites.
///
/// Raising the percentage never takes a site out; lowering it stops new offers only.
#[utoipa::path(
    tag = "Publisher",
    params(ReleasePath, IfMatch),
    security(("bearer" = [])),
    request_body(content = NewRollout, example = json!({"percent": 50})),
    responses((status = 200, description = "The rollout.", body = RolloutBody))
)]
#[put("/api/v1/products/{slug}/releases/{version}/rollout")]
pub async fn put_rollout(
    app: App,
    _caller: Caller<PublishReleases>,
    path: Segments<ReleasePath>,
    expected: IfMatch,
    body: Body<NewRollout>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&steer(&app, path.0, expected, Steer::Rollout(body.0)).await?.1))
}

/// Set a release aside: nobody who has not got it is offered it.
#[utoipa::path(
    tag = "Publisher",
    params(ReleasePath, IfMatch),
    security(("bearer" = [])),
    request_body(content = Option<WhyMaybe>, example = json!({"reason": "we look into a report"})),
    responses((status = 200, description = "The rollout.", body = RolloutBody))
)]
#[post("/api/v1/products/{slug}/releases/{version}/rollout/pause")]
pub async fn pause_rollout(
    app: App,
    _caller: Caller<PublishReleases>,
    path: Segments<ReleasePath>,
    expected: IfMatch,
    body: MaybeBody<WhyMaybe>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&steer(&app, path.0, expected, Steer::Pause(body.0)).await?.1))
}

/// Take up a rollout that was paused.
#[utoipa::path(
    tag = "Publisher",
    params(ReleasePath, IfMatch),
    security(("bearer" = [])),
    request_body(content = Option<WhyMaybe>, example = json!({"reason": "the report was about something else"})),
    responses((status = 200, description = "The rollout.", body = RolloutBody))
)]
#[post("/api/v1/products/{slug}/releases/{version}/rollout/resume")]
pub async fn resume_rollout(
    app: App,
    _caller: Caller<PublishReleases>,
    path: Segments<ReleasePath>,
    expected: IfMatch,
    body: MaybeBody<WhyMaybe>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&steer(&app, path.0, expected, Steer::Resume(body.0)).await?.1))
}

/// Open a release to everybody.
#[utoipa::path(
    tag = "Publisher",
    params(ReleasePath, IfMatch),
    security(("bearer" = [])),
    responses((status = 200, description = "The rollout.", body = RolloutBody))
)]
#[post("/api/v1/products/{slug}/releases/{version}/rollout/complete")]
pub async fn complete_rollout(
    app: App,
    _caller: Caller<PublishReleases>,
    path: Segments<ReleasePath>,
    expected: IfMatch,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&steer(&app, path.0, expected, Steer::Complete).await?.1))
}
