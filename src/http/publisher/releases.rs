//! Releases: drafted, changed, published, yanked, restored, promoted.

use std::sync::Arc;

use actix_web::{HttpResponse, delete, get, http::StatusCode, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    super::approvals::{self, Asked},
    rehearsal::{PublicationBody, PublishQuery, RehearsalBody},
};
use crate::{
    domain::{
        release::{Release, ReleaseState},
        slug::Slug,
        version::Version,
    },
    http::{
        App, Problem,
        extract::{
            Body, Caller, IfMatch, MaybeBody, Nothing, Query, Segments,
            caller::{ChangeReleases, PublishReleases, ReadReleases, WriteReleases},
        },
        json,
        paging::{Limit, Listed},
        product::ProductPath,
        release::{ReleaseBody, ReleasePath},
    },
    services::{
        self, Context,
        releasing::{
            publish_release::{MayChange, NewRelease, Publication, ReleaseChange},
            rehearse_publication, release,
            steer_release::{self, Promotion, Steer, Why},
        },
    },
};

/// Which page of releases.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReleasesQuery {
    /// Only those in this state.
    #[param(inline)]
    state: Option<ReleaseState>,
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before: a version.
    after: Option<Version>,
}

fn answer(status: StatusCode, slug: &Slug, release: &Release) -> HttpResponse {
    json::answer_with_etag(status, release.revision, &ReleaseBody::of(slug, release))
}

/// The release at a path, from memory.
pub(super) fn find(context: &Context, path: &ReleasePath) -> Result<Arc<Release>, Problem> {
    Ok(release::get(context, &path.slug, &path.version)?)
}

/// Draft a release.
#[utoipa::path(
    tag = "Publisher",
    params(ProductPath),
    security(("bearer" = [])),
    request_body(content = NewRelease, example = json!({"version": "13.9.0", "notes": {"en": "Faster start.", "it": "Avvio più rapido."}})),
    responses((status = 201, description = "The draft.", body = ReleaseBody))
)]
#[post("/api/v1/products/{slug}/releases")]
pub async fn draft_release(
    app: App,
    _caller: Caller<WriteReleases>,
    path: Segments<ProductPath>,
    body: Body<NewRelease>,
) -> Result<HttpResponse, Problem> {
    let release = services::releasing::publish_release::draft(&app.context, path.0.slug.clone(), body.0).await?;
    Ok(answer(StatusCode::CREATED, &path.0.slug, &release))
}

/// List releases, the highest version first.
#[utoipa::path(
    tag = "Publisher",
    params(ProductPath, ReleasesQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of releases.", body = Listed<ReleaseBody>))
)]
#[get("/api/v1/products/{slug}/releases")]
pub async fn list_releases(
    app: App,
    _caller: Caller<ReadReleases>,
    path: Segments<ProductPath>,
    query: Query<ReleasesQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.0.limit.page(query.0.after);
    let rows = release::list(&app.context, &path.0.slug, query.0.state, &page)?;
    let listed = Listed::of(rows, query.0.limit.get(), |release| release.version.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|release| ReleaseBody::of(&path.0.slug, &release))))
}

/// Show a release.
#[utoipa::path(
    tag = "Publisher",
    params(ReleasePath),
    security(("bearer" = [])),
    responses((status = 200, description = "The release.", body = ReleaseBody))
)]
#[get("/api/v1/products/{slug}/releases/{version}")]
pub async fn get_release(
    app: App,
    _caller: Caller<ReadReleases>,
    path: Segments<ReleasePath>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(StatusCode::OK, &path.0.slug, &*find(&app.context, &path.0)?))
}

/// Change a draft, or correct a published release.
///
/// After publication only `notes`, `severity`, `access` and `compatible_clients` can change, and each change makes a
/// new signed revision of the manifest. `releases:write` changes drafts, `releases:publish` what is published.
#[utoipa::path(
    tag = "Publisher",
    params(ReleasePath, IfMatch),
    security(("bearer" = [])),
    request_body(content = ReleaseChange, example = json!({"notes": {"en": "Faster start, and a calmer icon."}})),
    responses((status = 200, description = "The release.", body = ReleaseBody))
)]
#[patch("/api/v1/products/{slug}/releases/{version}")]
pub async fn change_release(
    app: App,
    _caller: Caller<ChangeReleases>,
    writer: Result<Caller<WriteReleases>, Problem>,
    publisher: Result<Caller<PublishReleases>, Problem>,
    path: Segments<ReleasePath>,
    expected: IfMatch,
    body: Body<ReleaseChange>,
) -> Result<HttpResponse, Problem> {
    // Either right admits a caller; which one is needed depends on the state of the release at that time.
    let may = MayChange { drafts: writer.is_ok(), published: publisher.is_ok() };
    let ReleasePath { slug, version } = path.0;
    let release =
        services::releasing::publish_release::change(&app.context, may, slug.clone(), version, expected.0, body.0)
            .await?;
    Ok(answer(StatusCode::OK, &slug, &release))
}

/// Delete a draft with its artifacts.
#[utoipa::path(
    tag = "Publisher",
    params(("slug" = String, Path, example = "office-maker"), ("version" = Version, Path, example = "13.2.0-rc.1"), IfMatch),
    security(("bearer" = [])),
    responses((status = 204, description = "It is deleted."))
)]
#[delete("/api/v1/products/{slug}/releases/{version}")]
pub async fn delete_release(
    app: App,
    _caller: Caller<WriteReleases>,
    path: Segments<ReleasePath>,
    expected: IfMatch,
) -> Result<HttpResponse, Problem> {
    services::releasing::publish_release::delete(&app.context, path.0.slug, path.0.version, expected.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Publish a draft.
///
/// Its manifest is fixed, signed and stored; from `published_at` on it is offered. What the publish lint finds refuses
/// it (`release_incomplete`, with the whole list in `errors`) unless `force` says why. With `dry_run` nothing is
/// changed: the answer has what was found, and how many sites would be offered the release.
#[utoipa::path(
    tag = "Publisher",
    params(("slug" = String, Path, example = "office-maker"), ("version" = Version, Path, example = "13.1.0"), PublishQuery, IfMatch),
    security(("bearer" = [])),
    request_body(content = Option<Publication>, example = json!({"rollout": {"percent": 25}})),
    responses(
        (status = 200, description = "The published release; with `dry_run` the result of a rehearsal.", body = PublicationBody),
        (status = 202, description = "Under the two-person rule: done once a second person approves.", body = Asked,
            headers(("Location" = String, description = "The address of the approval request.")))
    )
)]
#[post("/api/v1/products/{slug}/releases/{version}/publish")]
pub async fn publish_release(
    app: App,
    _caller: Caller<PublishReleases>,
    path: Segments<ReleasePath>,
    query: Query<PublishQuery>,
    expected: IfMatch,
    body: MaybeBody<Publication>,
) -> Result<HttpResponse, Problem> {
    let ReleasePath { slug, version } = path.0;
    if query.0.dry_run {
        let rehearsal = rehearse_publication::rehearse(&app.context, slug, version, expected.0, body.0).await?;
        return Ok(json::answer(StatusCode::OK, &RehearsalBody::of(rehearsal)));
    }
    let carried =
        services::releasing::publish_release::publish(&app.context, slug.clone(), version, expected.0, body.0).await?;
    Ok(approvals::answer(&app, carried, |release| answer(StatusCode::OK, &slug, &release)))
}

/// Steers a release; also used by the rollout's handlers.
pub(super) async fn steer(
    app: &App,
    path: ReleasePath,
    expected: IfMatch,
    steer: Steer,
    answer: impl FnOnce(&Slug, &Release) -> HttpResponse,
) -> Result<HttpResponse, Problem> {
    let ReleasePath { slug, version } = path;
    let carried = steer_release::steer(&app.context, &app.judging, slug.clone(), version, expected.0, steer).await?;
    Ok(approvals::answer(app, carried, |release| answer(&slug, &release)))
}

fn ok(slug: &Slug, release: &Release) -> HttpResponse {
    answer(StatusCode::OK, slug, release)
}

/// Yank a published release: it is not offered any more, and cannot be downloaded.
#[utoipa::path(
    tag = "Publisher",
    params(("slug" = String, Path, example = "library-maker"), ("version" = Version, Path, example = "5.1.0"), IfMatch),
    security(("bearer" = [])),
    request_body(content = Why, example = json!({"reason": "it loses the page numbers"})),
    responses((status = 200, description = "The yanked release.", body = ReleaseBody))
)]
#[post("/api/v1/products/{slug}/releases/{version}/yank")]
pub async fn yank_release(
    app: App,
    _caller: Caller<PublishReleases>,
    path: Segments<ReleasePath>,
    expected: IfMatch,
    body: Body<Why>,
) -> Result<HttpResponse, Problem> {
    steer(&app, path.0, expected, Steer::Yank(body.0), ok).await
}

/// Restore a yanked release; `published_at` and the rollout stay as they were.
#[utoipa::path(
    tag = "Publisher",
    params(("slug" = String, Path, example = "office-maker"), ("version" = Version, Path, example = "12.3.0"), IfMatch),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The restored release.", body = ReleaseBody),
        (status = 202, description = "Under the two-person rule: done once a second person approves.", body = Asked,
            headers(("Location" = String, description = "The address of the approval request.")))
    )
)]
#[post("/api/v1/products/{slug}/releases/{version}/restore")]
pub async fn restore_release(
    app: App,
    _caller: Caller<PublishReleases>,
    path: Segments<ReleasePath>,
    expected: IfMatch,
    _body: MaybeBody<Nothing>,
) -> Result<HttpResponse, Problem> {
    steer(&app, path.0, expected, Steer::Restore, ok).await
}

/// Move a published release to a more stable channel; `published_at` does not change.
#[utoipa::path(
    tag = "Publisher",
    params(("slug" = String, Path, example = "office-maker"), ("version" = Version, Path, example = "13.1.0-beta.1"), IfMatch),
    security(("bearer" = [])),
    request_body(content = Promotion, example = json!({"channel": "stable"})),
    responses(
        (status = 200, description = "The promoted release.", body = ReleaseBody),
        (status = 202, description = "Under the two-person rule: done once a second person approves.", body = Asked,
            headers(("Location" = String, description = "The address of the approval request.")))
    )
)]
#[post("/api/v1/products/{slug}/releases/{version}/promote")]
pub async fn promote_release(
    app: App,
    _caller: Caller<PublishReleases>,
    path: Segments<ReleasePath>,
    expected: IfMatch,
    body: Body<Promotion>,
) -> Result<HttpResponse, Problem> {
    steer(&app, path.0, expected, Steer::Promote(body.0), ok).await
}

#[cfg(test)]
mod tests;
