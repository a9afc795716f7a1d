//! Hosting groups.

use actix_web::{HttpResponse, get, http::StatusCode, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{hosting_group::HostingGroup, id::HostingGroupId, slug::Slug, zone::Zone},
    http::{
        App, Problem,
        extract::{
            Body, Caller, IfMatch, Query, Segments,
            caller::{ManageHostingGroups, ReadSubscriptions},
        },
        json,
        paging::{Limit, Listed},
    },
    services::selling::hosting_groups::{self, HostingGroupChange, NewHostingGroup, WindowBody},
};

/// A hosting group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HostingGroup)]
#[expect(missing_docs, reason = "described where it is entered, in NewHostingGroup")]
pub struct HostingGroupBody {
    pub id: HostingGroupId,
    pub slug: Slug,
    pub name: String,
    pub timezone: Zone,
    pub window: WindowBody,
    pub max_concurrent: Option<u32>,
}

impl HostingGroupBody {
    fn of(group: &HostingGroup) -> Self {
        Self {
            id: group.id,
            slug: group.slug.clone(),
            name: group.name.to_string(),
            timezone: group.timezone.clone(),
            window: WindowBody::of(&group.window),
            max_concurrent: group.max_concurrent,
        }
    }
}

/// Where a hosting group is.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct HostingGroupPath {
    /// The group's slug.
    #[param(example = "milan-nights")]
    group: Slug,
}

/// Which page of hosting groups.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HostingGroupsQuery {
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before: a slug.
    after: Option<Slug>,
}

fn answer(status: StatusCode, group: &HostingGroup) -> HttpResponse {
    json::answer_with_etag(status, group.revision, &HostingGroupBody::of(group))
}

/// Add a hosting group.
#[utoipa::path(
    tag = "Admin",
    security(("bearer" = [])),
    request_body(content = NewHostingGroup, example = json!({"slug": "lyon-nights", "name": "Lyon, at night", "timezone": "Europe/Paris",
        "window": {"days": ["mon", "tue", "wed", "thu"], "start": "02:00", "duration_minutes": 180}})),
    responses((status = 201, description = "The group.", body = HostingGroupBody))
)]
#[post("/api/v1/admin/hosting-groups")]
pub async fn add_hosting_group(
    app: App,
    _caller: Caller<ManageHostingGroups>,
    body: Body<NewHostingGroup>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(StatusCode::CREATED, &hosting_groups::add(&app.context, body.0).await?))
}

/// List hosting groups, by slug.
#[utoipa::path(
    tag = "Admin",
    params(HostingGroupsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of groups.", body = Listed<HostingGroupBody>))
)]
#[get("/api/v1/admin/hosting-groups")]
pub async fn list_hosting_groups(
    app: App,
    _caller: Caller<ReadSubscriptions>,
    query: Query<HostingGroupsQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.0.limit.page(query.0.after);
    let rows = hosting_groups::list(&app.context, &page);
    let listed = Listed::of(rows, query.0.limit.get(), |group| group.slug.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|group| HostingGroupBody::of(&group))))
}

/// Show a hosting group.
#[utoipa::path(
    tag = "Admin",
    params(HostingGroupPath),
    security(("bearer" = [])),
    responses((status = 200, description = "The group.", body = HostingGroupBody))
)]
#[get("/api/v1/admin/hosting-groups/{group}")]
pub async fn get_hosting_group(
    app: App,
    _caller: Caller<ReadSubscriptions>,
    path: Segments<HostingGroupPath>,
) -> Result<HttpResponse, Problem> {
    let group = hosting_groups::get(&app.context, &path.0.group)?;
    Ok(answer(StatusCode::OK, &group))
}

/// Change a hosting group.
#[utoipa::path(
    tag = "Admin",
    params(HostingGroupPath, IfMatch),
    security(("bearer" = [])),
    request_body(content = HostingGroupChange, example = json!({"max_concurrent": 5})),
    responses((status = 200, description = "The group.", body = HostingGroupBody))
)]
#[patch("/api/v1/admin/hosting-groups/{group}")]
pub async fn change_hosting_group(
    app: App,
    _caller: Caller<ManageHostingGroups>,
    path: Segments<HostingGroupPath>,
    expected: IfMatch,
    body: Body<HostingGroupChange>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(StatusCode::OK, &hosting_groups::change(&app.context, path.0.group, expected.0, body.0).await?))
}

#[cfg(test)]
mod tests;
