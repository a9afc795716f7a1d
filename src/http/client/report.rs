//! `POST /api/v1/reports`: the progress of an update.

use actix_web::{HttpResponse, http::StatusCode, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{id::RunId, run::Stage},
    http::{
        App, Problem,
        extract::{Body, License},
        json,
    },
    services::{self, field::report_run::Report, telling::help::Help},
};

/// The answer to a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportTaken {
    /// The run it was about.
    pub run: RunId,
    /// The furthest stage of the run, by all reports.
    pub stage: Stage,
    /// The help page, if the update did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_url: Option<String>,
    /// What the user can do, if the update failed with a known problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub help: Option<HelpBody>,
}

/// What the user can do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Help)]
pub struct HelpBody {
    /// The advice as a text for a dialog.
    text: String,
    /// The language of the text: the report's `locale`, or the nearest one.
    locale: String,
    /// A page with more information.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl HelpBody {
    fn of(help: Help) -> Self {
        Self { text: help.text, locale: help.locale, url: help.url.map(String::from) }
    }
}

/// Report the progress of an update.
///
/// The report is durable once this is answered. Reports may be repeated, late or out of order: the furthest stage
/// counts.
#[utoipa::path(
    tag = "Client",
    security((), ("license" = [])),
    request_body(content = Report, example = json!({
        "run": "0199a0de-0000-7000-8000-0000000000f1", "installation": "0199a0de-0000-7000-8000-0000000000e1",
        "product": "office-maker", "component": "standalone", "from_version": "12.4.0", "to_version": "13.0.0", "stage": "downloading"
    })),
    responses((status = 202, description = "The report is durable.", body = ReportTaken))
)]
#[post("/api/v1/reports")]
pub async fn report_run(app: App, license: License, body: Body<Report>) -> Result<HttpResponse, Problem> {
    let taken = services::field::report_run::report(&app.context, &app.journal, license.0, body.0).await?;
    Ok(json::answer(
        StatusCode::ACCEPTED,
        &ReportTaken {
            run: taken.run.id,
            stage: taken.run.stage,
            help_url: taken.help_url.map(String::from),
            help: taken.help.map(HelpBody::of),
        },
    ))
}

#[cfg(test)]
mod tests;
