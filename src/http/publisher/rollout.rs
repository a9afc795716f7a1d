//! Rollouts: how far a published release is open.

use actix_web::{HttpResponse, get, http::StatusCode, post, put};

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{release::Release, slug::Slug},
    http::{
        App, Problem,
        approvals::Asked,
        extract::{
            Body, Caller, IfMatch, MaybeBody, Nothing, Segments,
            caller::{PublishReleases, ReadReleases},
        },
        json,
        publisher::releases::{find, steer},
        release::{ReleasePath, RolloutBody},
    },
    services::{
        self,
        releasing::{
            roll_out::NewRollout,
            steer_release::{Steer, WhyMaybe},
        },
    },
};

fn answer(_: &Slug, release: &Release) -> HttpResponse {
    json::answer_with_etag(StatusCode::OK, release.revision, &RolloutBody::of(release))
}

/// A rollout, with the votes on the release.
#[derive(Debug, Serialize, ToSchema)]
pub struct RolloutStatus {
    /// The rollout.
    #[serde(flatten)]
    rollout: RolloutBody,
    /// One vote for each subscription that the release was open to when its run began, since a person resumed it after
    /// a halt if one ever did.
    votes: Votes,
}

/// Votes on a release.
#[derive(Debug, Serialize, ToSchema)]
pub struct Votes {
    /// Subscriptions whose last update to it that counts succeeded.
    succeeded: u32,
    /// Those whose last one failed, was rolled back, or fell silent while it installed. (A run that was cancelled, or
    /// failed for its `environment`, `network` or `users_connected`, does not count.)
    failed: u32,
    /// Those that reported lost data.
    data_loss: u32,
}

/// Show the rollout of a release, with the votes on it.
#[utoipa::path(
    tag = "Publisher",
    params(ReleasePath),
    security(("bearer" = [])),
    responses((status = 200, description = "The rollout.", body = RolloutStatus))
)]
#[get("/api/v1/products/{slug}/releases/{version}/rollout")]
pub async fn get_rollout(
    app: App,
    _caller: Caller<ReadReleases>,
    path: Segments<ReleasePath>,
) -> Result<HttpResponse, Problem> {
    let release = find(&app.context, &path.0)?;
    let tally = services::releasing::guard_rollouts::votes(&app.context, &release).await?;
    let votes = Votes { succeeded: tally.succeeded, failed: tally.failed, data_loss: tally.data_loss };
    let status = RolloutStatus { rollout: RolloutBody::of(&release), votes };
    Ok(json::answer_with_etag(StatusCode::OK, release.revision, &status))
}

/// Set the percentage or the stages of a rollout.
///
/// Raising the percentage never excludes a site; lowering it only stops new offers. Absent fields stay as they are; new
/// stages use a clock that starts at zero.
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
    steer(&app, path.0, expected, Steer::Rollout(body.0), answer).await
}

/// Pause a rollout: no further site is offered the release.
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
    steer(&app, path.0, expected, Steer::Pause(body.0), answer).await
}

/// Resume a paused or halted rollout.
///
/// After a halt only a person may do this, and must give a reason; outcomes are then counted from zero.
#[utoipa::path(
    tag = "Publisher",
    params(ReleasePath, IfMatch),
    security(("bearer" = [])),
    request_body(content = Option<WhyMaybe>, example = json!({"reason": "the report was about something else"})),
    responses(
        (status = 200, description = "The rollout.", body = RolloutBody),
        (status = 202, description = "Under the two-person rule: done once a second person approves.", body = Asked,
            headers(("Location" = String, description = "The address of the approval request.")))
    )
)]
#[post("/api/v1/products/{slug}/releases/{version}/rollout/resume")]
pub async fn resume_rollout(
    app: App,
    caller: Caller<PublishReleases>,
    path: Segments<ReleasePath>,
    expected: IfMatch,
    body: MaybeBody<WhyMaybe>,
) -> Result<HttpResponse, Problem> {
    let resume = Steer::Resume(body.0, caller.person.is_some());
    steer(&app, path.0, expected, resume, answer).await
}

/// Complete a rollout: open the release to all sites.
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
    _body: MaybeBody<Nothing>,
) -> Result<HttpResponse, Problem> {
    steer(&app, path.0, expected, Steer::Complete, answer).await
}

#[cfg(test)]
mod tests;
