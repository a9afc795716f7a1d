//! `POST /api/v1/admin/explain`: why a program gets the answer it gets.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, post};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        artifact::FullKind,
        decision::{facts::Trigger, reason::Verdict},
        id::{InstallationId, SubscriptionId},
        locale::LanguageTag,
        platform::{Component, MachineArch, Platform},
        slug::Slug,
        version::Version,
    },
    http::{
        App, Problem,
        client::check::{self, CheckAnswer},
        extract::{Body, Caller, caller::ReadSubscriptions},
        json,
    },
    services::{desk::lookup, field::check_update, selling::subscriptions},
};

check::check_parameters! {
    /// A check to explain.
    Explain {
        /// The subscription to decide for; default none.
        subscription_id: Option<SubscriptionId>,
        /// The time of the decision; default now.
        at: Option<Timestamp>,
    }
}

/// A decision with its trace.
#[derive(Serialize, ToSchema)]
pub struct Explained<'a> {
    /// The answer that the program would get. Its links have no valid signature.
    decision: CheckAnswer<'a>,
    /// The verdict on each release that was considered, in ascending order.
    trace: Vec<ConsideredBody<'a>>,
}

/// The verdict on one release.
#[derive(Serialize, ToSchema)]
#[schema(as = Considered)]
pub struct ConsideredBody<'a> {
    /// Its version.
    #[schema(value_type = Version)]
    version: &'a Version,
    /// The program that it was considered for.
    component: Component,
    /// The verdict.
    verdict: Verdict,
}

/// Explain a decision: for every release that was considered, what became of it.
#[utoipa::path(
    tag = "Admin",
    security(("bearer" = [])),
    request_body(content = Explain, example = json!({"product": "office-maker", "version": "12.4.0", "platform": "windows", "arch": "x86_64",
        "subscription_id": "0199a0de-0000-7000-8000-0000000000a1"})),
    responses((status = 200, description = "The decision and its trace.", body = Explained<'_>))
)]
#[post("/api/v1/admin/explain")]
pub async fn explain_decision(
    app: App,
    caller: Caller<ReadSubscriptions>,
    request: HttpRequest,
    body: Body<Explain>,
) -> Result<HttpResponse, Problem> {
    let asked = body.0;
    lookup::narrowed(&app.context, caller.reach.clone(), Some(&asked.product))?;
    if let Some(id) = asked.subscription_id {
        subscriptions::get(&app.context, caller.reach, id).await?;
    }
    let question = asked.question(&request);
    let explained = check_update::explain(&app.context, &question, asked.subscription_id, asked.at, |answer| {
        let trace = answer
            .decision
            .trace
            .iter()
            .map(|one| ConsideredBody { version: one.version, component: one.component, verdict: one.verdict })
            .collect();
        json::answer(StatusCode::OK, &Explained { decision: check::render(&app, answer), trace })
    });
    Ok(explained.await?)
}
