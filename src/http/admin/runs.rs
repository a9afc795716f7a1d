//! Runs: updates as their updaters report them.

use actix_web::{HttpResponse, get, http::StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    domain::{
        id::{InstallationId, RunId, SubscriptionId},
        platform::Component,
        run::{FailureClass, Outcome, Run, Stage},
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
        field::report_run::{self, Wanted},
    },
};

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunBody {
    /// The id that the updater gave the run.
    id: RunId,
    /// The product's slug.
    product: String,
    /// The subscription of the license key that its reports presented.
    subscription_id: Option<SubscriptionId>,
    /// The installation that is updated.
    installation: InstallationId,
    /// The program that is updated.
    component: Component,
    /// The version that it is updated from.
    from_version: Version,
    /// The version that it is updated to.
    to_version: Version,
    /// The furthest stage that was reported.
    stage: Stage,
    /// The outcome; `null` while the run is going on.
    outcome: Option<Outcome>,
    /// What went wrong.
    error: Option<ErrorBody>,
    /// The known problem that it matched: the id of a rule of the vendor's, or the name of a default.
    known_problem: Option<String>,
    /// When a person has scheduled it for.
    scheduled_for: Option<Timestamp>,
    /// The e-mail address that is notified.
    notify_email: Option<String>,
    /// The language.
    locale: Option<String>,
    /// The time of its last step, by the updater's clock.
    at: Option<Timestamp>,
    /// The time of the first report.
    first_reported_at: Timestamp,
    /// The time of the last report.
    last_reported_at: Timestamp,
    /// The time of the first report of its end.
    ended_at: Option<Timestamp>,
    /// When it was counted as lost: it had begun to install and did not report again.
    lost_at: Option<Timestamp>,
    /// Whether its outcome counts as a vote on its release, which must have been open to the subscription when the run
    /// began.
    has_vote: bool,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunError)]
pub struct ErrorBody {
    /// The class of the failure.
    class: FailureClass,
    /// The updater's own error code.
    code: String,
    /// The updater's own error message.
    message: String,
}

/// Which runs.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunsQuery {
    /// Only those of the product with this slug.
    #[param(example = "office-maker")]
    product: Option<Slug>,
    /// Only those on this subscription.
    subscription: Option<SubscriptionId>,
    /// Only runs with this outcome.
    #[param(inline)]
    outcome: Option<Outcome>,
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before.
    after: Option<paging::Pair>,
}

/// List runs.
#[utoipa::path(
    tag = "Admin",
    params(RunsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of runs.", body = Listed<RunBody>))
)]
#[get("/api/v1/admin/runs")]
pub async fn list_runs(
    app: App,
    caller: Caller<ReadSubscriptions>,
    query: Query<RunsQuery>,
) -> Result<HttpResponse, Problem> {
    let RunsQuery { product, subscription, outcome, limit, after } = query.0;
    let reach = lookup::narrowed(&app.context, caller.reach, product.as_ref())?;
    let wanted = Wanted { reach, subscription, outcome };
    let page = limit.page(after.map(|pair| (RunId(pair.0), pair.1)));
    let rows = report_run::list(&app.context, wanted, page).await?;
    let catalogue = app.context.directory.catalogue();
    let owner = |run: &Run| run.subscription.map_or(Uuid::nil(), |id| id.0);
    let listed = Listed::of(rows, limit.get(), |run| paging::Pair(run.id.0, owner(run)).to_string());
    Ok(json::answer(
        StatusCode::OK,
        &listed.map(|run| RunBody {
            id: run.id,
            product: catalogue
                .product_by_id(run.product)
                .map(|entry| entry.product.slug.to_string())
                .unwrap_or_default(),
            subscription_id: run.subscription,
            installation: run.installation,
            component: run.component,
            from_version: run.from_version,
            to_version: run.to_version,
            stage: run.stage,
            outcome: run.outcome,
            error: run.error.map(|error| ErrorBody { class: error.class, code: error.code, message: error.message }),
            known_problem: run.known_problem,
            scheduled_for: run.scheduled_for,
            notify_email: run.notify_email,
            locale: run.locale.map(|locale| locale.to_string()),
            at: run.at,
            first_reported_at: run.first_reported_at,
            last_reported_at: run.last_reported_at,
            ended_at: run.ended_at,
            lost_at: run.lost_at,
            has_vote: run.has_vote,
        }),
    ))
}
