//! Known problems: the vendor's rules and the defaults, with how often each was met.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, delete, get, http::StatusCode, patch, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    directory::ProductEntry,
    domain::{
        id::KnownProblemId,
        known_problem::{DefaultProblem, KnownProblem},
        locale::{LanguageTag, Wishes},
        platform::Platform,
        run::FailureClass,
        slug::Slug,
        version::Requirement,
    },
    http::{
        App, Problem,
        extract::{
            Body, Caller, IfMatch, Query, Segments,
            caller::{ReadSubscriptions, WriteSubscriptions},
        },
        json,
        paging::{Limit, Listed},
    },
    services::{
        desk::lookup,
        field::known_problems::{self, Counted, Known, KnownProblemChange, NewKnownProblem},
        telling::help,
    },
    texts,
};

/// A known problem: a rule of the vendor's, or a default.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KnownProblem)]
#[expect(missing_docs, reason = "described where it is entered, in NewKnownProblem, and in the fields that are not")]
pub struct KnownProblemBody {
    /// `null` for a default.
    pub id: Option<KnownProblemId>,
    /// The default's name; `null` for a rule of the vendor's.
    pub default: Option<DefaultProblem>,
    pub product: String,
    pub failure_class: Option<FailureClass>,
    pub code: Option<String>,
    pub platform: Option<Platform>,
    pub versions: Option<Requirement>,
    pub texts: BTreeMap<String, String>,
    pub link: Option<String>,
    /// The number of runs that matched it.
    pub matched: i64,
    /// `null` for a default.
    pub created_at: Option<Timestamp>,
}

impl KnownProblemBody {
    fn of(Counted { entry, problem, matched }: &Counted) -> Self {
        match problem {
            Known::Vendors(rule) => Self::of_rule(entry, rule, *matched),
            Known::Default(default) => Self::of_default(entry, *default, *matched),
        }
    }

    fn of_rule(entry: &ProductEntry, rule: &KnownProblem, matched: i64) -> Self {
        Self {
            id: Some(rule.id),
            default: None,
            product: entry.product.slug.to_string(),
            failure_class: rule.conditions.failure_class,
            code: rule.conditions.code.as_ref().map(ToString::to_string),
            platform: rule.conditions.platform,
            versions: rule.conditions.versions.clone(),
            texts: rule.texts.iter().map(|(locale, text)| (locale.to_string(), text.clone())).collect(),
            link: rule.link.clone().map(String::from),
            matched,
            created_at: Some(rule.created_at),
        }
    }

    fn of_default(entry: &ProductEntry, default: DefaultProblem, matched: i64) -> Self {
        let text = |language: &str| {
            let wishes = language.parse::<LanguageTag>().map(Wishes::one).unwrap_or_default();
            (language.to_owned(), help::default_text(entry, default, &wishes).1)
        };
        Self {
            id: None,
            default: Some(default),
            product: entry.product.slug.to_string(),
            failure_class: default.failure_class(),
            code: Some(default.code().to_owned()),
            platform: None,
            versions: None,
            texts: texts::LANGUAGES.into_iter().map(text).collect(),
            link: None,
            matched,
            created_at: None,
        }
    }
}

/// Which known problem.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct KnownProblemPath {
    /// Its id.
    #[param(example = "0199a0de-0000-7000-8000-000000000701")]
    id: KnownProblemId,
}

/// Which known problems.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KnownProblemsQuery {
    /// Only those of the product with this slug.
    #[param(example = "office-maker")]
    product: Option<Slug>,
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before.
    after: Option<String>,
}

/// Answers with a rule.
async fn answer(app: &App, status: StatusCode, rule: KnownProblem) -> Result<HttpResponse, Problem> {
    let revision = rule.revision;
    let counted = known_problems::count(&app.context, rule).await?;
    Ok(json::answer_with_etag(status, revision, &KnownProblemBody::of(&counted)))
}

/// Add a known problem.
///
/// A report of a failure that it means is answered with its text. Of several the one with the most conditions counts,
/// of these the oldest; rules go before the defaults.
#[utoipa::path(
    tag = "Admin",
    security(("bearer" = [])),
    request_body(content = NewKnownProblem, example = json!({"product": "office-maker", "failure_class": "environment", "code": "scanner_*",
        "platform": "windows", "texts": {"en": "Switch the scanner off for the update.", "it": "Disattiva lo scanner durante l'aggiornamento."}})),
    responses((status = 201, description = "The known problem.", body = KnownProblemBody))
)]
#[post("/api/v1/admin/known-problems")]
pub async fn add_known_problem(
    app: App,
    caller: Caller<WriteSubscriptions>,
    body: Body<NewKnownProblem>,
) -> Result<HttpResponse, Problem> {
    let rule = known_problems::add(&app.context, caller.reach, body.0).await?;
    answer(&app, StatusCode::CREATED, rule).await
}

/// List known problems by product, in the order in which they are tried; the defaults last.
#[utoipa::path(
    tag = "Admin",
    params(KnownProblemsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of known problems.", body = Listed<KnownProblemBody>))
)]
#[get("/api/v1/admin/known-problems")]
pub async fn list_known_problems(
    app: App,
    caller: Caller<ReadSubscriptions>,
    query: Query<KnownProblemsQuery>,
) -> Result<HttpResponse, Problem> {
    let KnownProblemsQuery { product, limit, after } = query.0;
    let reach = lookup::narrowed(&app.context, caller.reach, product.as_ref())?;
    let rows = known_problems::list(&app.context, reach, limit.page(after)).await?;
    let listed = Listed::of(rows, limit.get(), Counted::cursor);
    Ok(json::answer(StatusCode::OK, &listed.map(|counted| KnownProblemBody::of(&counted))))
}

/// Show a known problem.
#[utoipa::path(
    tag = "Admin",
    params(KnownProblemPath),
    security(("bearer" = [])),
    responses((status = 200, description = "The known problem.", body = KnownProblemBody))
)]
#[get("/api/v1/admin/known-problems/{id}")]
pub async fn get_known_problem(
    app: App,
    caller: Caller<ReadSubscriptions>,
    path: Segments<KnownProblemPath>,
) -> Result<HttpResponse, Problem> {
    let rule = known_problems::get(&app.context, &caller.reach, path.0.id)?;
    answer(&app, StatusCode::OK, rule).await
}

/// Change a known problem. Runs that met it before stay counted.
#[utoipa::path(
    tag = "Admin",
    params(KnownProblemPath, IfMatch),
    security(("bearer" = [])),
    request_body(content = KnownProblemChange, example = json!({"versions": ">=13.0.0"})),
    responses((status = 200, description = "The known problem.", body = KnownProblemBody))
)]
#[patch("/api/v1/admin/known-problems/{id}")]
pub async fn change_known_problem(
    app: App,
    caller: Caller<WriteSubscriptions>,
    path: Segments<KnownProblemPath>,
    expected: IfMatch,
    body: Body<KnownProblemChange>,
) -> Result<HttpResponse, Problem> {
    let rule = known_problems::change(&app.context, caller.reach, path.0.id, expected.0, body.0).await?;
    answer(&app, StatusCode::OK, rule).await
}

/// Delete a known problem.
#[utoipa::path(
    tag = "Admin",
    params(KnownProblemPath, IfMatch),
    security(("bearer" = [])),
    responses((status = 204, description = "It is deleted."))
)]
#[delete("/api/v1/admin/known-problems/{id}")]
pub async fn delete_known_problem(
    app: App,
    caller: Caller<WriteSubscriptions>,
    path: Segments<KnownProblemPath>,
    expected: IfMatch,
) -> Result<HttpResponse, Problem> {
    known_problems::delete(&app.context, caller.reach, path.0.id, expected.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
