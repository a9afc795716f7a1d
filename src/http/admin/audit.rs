//! The audit log.

use actix_web::{HttpRequest, HttpResponse, get, http::StatusCode, http::header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    domain::{actor::ActorKind, audit::hexadecimal, id::ProductId, named_enum, slug::Slug},
    http::{
        App, Problem,
        extract::{Caller, Query, caller::ReadAudit},
        json,
        paging::{Limit, Listed},
    },
    services::{
        Refusal,
        desk::{
            audit_log::{self, Stored, Wanted},
            lookup,
        },
    },
};

named_enum! {
    /// The form in which entries are sent.
    AuditFormat, "form" {
        /// A page as JSON.
        Json = "json",
        /// One JSON object a line.
        JsonLines = "jsonl",
        /// A table.
        Csv = "csv",
    }
}

/// Which entries.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only those of the product with this slug.
    #[param(example = "office-maker")]
    product: Option<Slug>,
    /// Only entries of the user with this e-mail address, or of the API token with this name.
    actor: Option<String>,
    /// Only this action, or, with a dot at the end, all that begin with it: `release.`.
    #[param(example = "release.")]
    action: Option<String>,
    /// Only entries about this subject: `release:` and the release's id.
    #[param(example = "release:0199a0de-0000-7000-8000-000000000101")]
    subject: Option<String>,
    /// Only entries from this time on.
    from: Option<Timestamp>,
    /// Only entries before this time.
    to: Option<Timestamp>,
    /// The format: `json`, or, as a file, `jsonl` or `csv`.
    #[param(inline)]
    format: Option<AuditFormat>,
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before.
    after: Option<i64>,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct EntryBody {
    /// The entry's number: 1 for the first, without gaps.
    number: i64,
    /// When it happened.
    at: Timestamp,
    /// The actor.
    actor: ActorBody,
    /// The action.
    #[schema(example = "release.publish")]
    action: String,
    /// The subject of the action.
    #[schema(example = "release:0199a0de-0000-7000-8000-000000000101")]
    subject: String,
    /// The id of the product that the entry belongs to.
    product: Option<ProductId>,
    /// What changed (`before` and `after` with the fields that differ), and the `reason` if one was given.
    details: serde_json::Value,
    /// The hash of this entry and all earlier ones, in hexadecimal.
    hash: String,
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Actor)]
pub struct ActorBody {
    /// The kind of actor.
    kind: ActorKind,
    /// The id of the person or of the token.
    id: Option<Uuid>,
    /// The person's e-mail address, or the token's name.
    name: String,
    /// The IP address that the request came from.
    address: Option<String>,
}

impl EntryBody {
    fn of(Stored { entry, hash }: Stored) -> Result<Self, Refusal> {
        let details = serde_json::from_str(&entry.details).map_err(|error| {
            Refusal::internal(&format_args!(
                "the details of entry {} of the audit log are not JSON: {error}",
                entry.number
            ))
        })?;
        Ok(Self {
            number: entry.number,
            at: entry.at,
            actor: ActorBody {
                kind: entry.actor.kind,
                id: entry.actor.id,
                name: entry.actor.name,
                address: entry.actor.address.map(|address| address.to_string()),
            },
            action: entry.action,
            subject: entry.subject,
            product: entry.product,
            details,
            hash: hexadecimal(&hash),
        })
    }
}

const NAMES: [&str; 11] = [
    "number",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "address",
    "action",
    "subject",
    "product",
    "details",
    "hash",
];

/// One JSON object a line (JSON Lines).
fn lines(listed: &Listed<EntryBody>, query: &str) -> Result<HttpResponse, Problem> {
    let mut lines = Vec::new();
    for entry in &listed.items {
        serde_json::to_writer(&mut lines, entry).map_err(|error| Refusal::internal(&error))?;
        lines.push(b'\n');
    }
    Ok(file(listed, query, "application/x-ndjson", "audit.jsonl", lines))
}

/// A table (RFC 4180).
fn table(listed: &Listed<EntryBody>, query: &str) -> Result<HttpResponse, Problem> {
    let failed = |error: &dyn std::fmt::Display| Problem(Refusal::internal(error));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(NAMES).map_err(|error| failed(&error))?;
    for entry in &listed.items {
        let id = entry.actor.id.map(|id| id.to_string()).unwrap_or_default();
        let fields = [
            entry.number.to_string(),
            entry.at.to_string(),
            entry.actor.kind.to_string(),
            id,
            inert(&entry.actor.name),
            entry.actor.address.clone().unwrap_or_default(),
            entry.action.clone(),
            inert(&entry.subject),
            entry.product.map(|id| id.to_string()).unwrap_or_default(),
            inert(&entry.details.to_string()),
            entry.hash.clone(),
        ];
        writer.write_record(fields).map_err(|error| failed(&error))?;
    }
    let text = writer.into_inner().map_err(|error| failed(&error))?;
    Ok(file(listed, query, "text/csv; charset=utf-8", "audit.csv", text))
}

/// A text that a spreadsheet does not read as a formula.
fn inert(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

/// A page as a file. The address of the next page is in the `Link` header (RFC 8288), as the file has no place for it.
fn file(
    listed: &Listed<EntryBody>,
    query: &str,
    media_type: &'static str,
    filename: &'static str,
    content: Vec<u8>,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(media_type);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{filename}\"")));
    if let Some(next) = &listed.next {
        let same = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "after");
        let query =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(same).append_pair("after", next).finish();
        response.insert_header((header::LINK, format!("<?{query}>; rel=\"next\"")));
    }
    response.body(content)
}

/// List the audit log, the newest entry first.
///
/// It records every change to what decides who gets which update: by whom, from where, and the values before and after.
/// Secrets are not recorded. With `format=jsonl` or `format=csv` the page is sent as a file; the `Link` header has the
/// address of the next page, if there is one.
#[utoipa::path(
    tag = "Admin",
    params(AuditQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of entries.", content(
        (Listed<EntryBody> = "application/json"), (String = "application/x-ndjson"), (String = "text/csv")
    )))
)]
#[get("/api/v1/admin/audit")]
pub async fn list_audit(
    app: App,
    caller: Caller<ReadAudit>,
    query: Query<AuditQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let AuditQuery { product, actor, action, subject, from, to, format, limit, after } = query.0;
    let reach = lookup::narrowed(&app.context, caller.reach, product.as_ref())?;
    let wanted = Wanted { reach, actor, action, subject, from, to };
    let page = limit.page(after);
    let rows = audit_log::list(&app.context, wanted, page).await?;
    let listed = Listed::of(rows, limit.get(), |stored| stored.entry.number.to_string()).try_map(EntryBody::of)?;
    match format.unwrap_or(AuditFormat::Json) {
        AuditFormat::Json => Ok(json::answer(StatusCode::OK, &listed)),
        AuditFormat::JsonLines => lines(&listed, request.query_string()),
        AuditFormat::Csv => table(&listed, request.query_string()),
    }
}
