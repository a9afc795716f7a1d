//! `POST /api/v1/reports`: how an update goes.

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

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportTaken {
    /// The run it was about.
    pub run: RunId,
    /// How far the run has come, by all that was reported.
    pub stage: Stage,
    /// Where to find help, when it did not go well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_url: Option<String>,
    /// What the user can do about it, when it did not go well for a reason that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub help: Option<HelpBody>,
}

/// What the user can do about it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Help)]
pub struct HelpBody {
    /// In words, for a dialog.
    text: String,
    /// In which language: the report's `locale`, or what comes nearest.
    locale: String,
    /// Where there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl HelpBody {
    fn of(help: Help) -> Self {
        Self { text: help.text, locale: help.locale, url: help.url }
    }
}

/// Report how an update goes.
///
/// The report is durable when this is answered. Reports may come repeatedly, late and out of order: what is further on stays.
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
    let taken = services::field::report_run::report(&app.context, license.0, body.0).await?;
    Ok(json::answer(
        StatusCode::ACCEPTED,
        &ReportTaken {
            run: taken.run.id,
            stage: taken.run.stage,
            help_url: taken.help_url,
            help: taken.help.map(HelpBody::of),
        },
    ))
}
