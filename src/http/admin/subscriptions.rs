//! Subscriptions and their license keys.

use actix_web::{HttpRequest, HttpResponse, delete, get, http::StatusCode, patch, post, web};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    directory::Catalogue,
    domain::{
        id::{CustomerId, LicenseKeyId, SubscriptionId},
        license_key::KeyRecord,
        slug::Slug,
        subscription::{Deployment, Status, Subscription, SubscriptionState},
        version::Requirement,
        zone::Zone,
    },
    http::{
        App, Problem,
        extract::{
            Body, Caller, IfMatch, MaybeBody, Nothing, Query, Segments, body,
            caller::{ReadSubscriptions, WriteSubscriptions},
        },
        json,
        paging::{Limit, Listed, PageQuery},
    },
    services::{
        self,
        desk::lookup,
        selling::{
            license_keys,
            subscriptions::{self, Action, Cancellation, NewSubscription, Renewal, SubscriptionChange, Wanted},
        },
    },
};

/// The largest CSV file, in bytes: some 100 000 lines.
const CSV_LIMIT: usize = 16 << 20;

/// Where a subscription is.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SubscriptionPath {
    /// The subscription's id.
    #[param(example = "0199a0de-0000-7000-8000-0000000000a1")]
    id: SubscriptionId,
}

/// Where a license key is.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct LicenseKeyPath {
    /// The subscription's id.
    #[param(example = "0199a0de-0000-7000-8000-0000000000a2")]
    id: SubscriptionId,
    /// The key's id.
    #[param(example = "0199a0de-0000-7000-8000-0000000000b2")]
    key_id: LicenseKeyId,
}

/// Which subscriptions.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SubscriptionsQuery {
    /// Only those of this customer.
    customer: Option<CustomerId>,
    /// Only those of the product with this slug.
    #[param(example = "office-maker")]
    product: Option<Slug>,
    /// Only those with this status today.
    #[param(inline, example = "active")]
    status: Option<Status>,
    /// Only those whose last covered day is before this one.
    #[param(value_type = Option<String>, format = Date)]
    ends_before: Option<Date>,
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before.
    after: Option<SubscriptionId>,
}

/// A subscription, as staff see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Subscription)]
#[expect(missing_docs, reason = "described where it is entered, in NewSubscription, and in the fields that are not")]
pub struct SubscriptionBody {
    pub id: SubscriptionId,
    pub customer_id: CustomerId,
    pub product: String,
    pub deployment: Deployment,
    /// The state that staff have set.
    pub state: SubscriptionState,
    /// The status today.
    pub status: Status,
    #[schema(value_type = String, format = Date)]
    pub starts_on: Date,
    #[schema(value_type = Option<String>, format = Date)]
    pub ends_on: Option<Date>,
    pub grace_days: u16,
    pub channels: Vec<String>,
    pub version_req: Option<Requirement>,
    pub hosting_group: Option<String>,
    pub external_ref: Option<String>,
    /// Whether it will be renewed at its end.
    pub renews: bool,
    pub created_at: Timestamp,
}

impl SubscriptionBody {
    /// The body for a subscription, with its status at `now`.
    #[must_use]
    pub fn of(catalogue: &Catalogue, subscription: &Subscription, now: Timestamp) -> Self {
        let coverage = &subscription.coverage;
        let entry = catalogue.product_by_id(coverage.product);
        let zone = entry.map_or_else(Zone::utc, |entry| entry.product.timezone.clone());
        Self {
            id: coverage.id,
            customer_id: subscription.customer,
            product: entry.map(|entry| entry.product.slug.to_string()).unwrap_or_default(),
            deployment: coverage.deployment,
            state: coverage.state,
            status: coverage.status(&zone, now),
            starts_on: coverage.starts_on,
            ends_on: coverage.ends_on,
            grace_days: coverage.grace_days,
            channels: coverage.channels.iter().map(ToString::to_string).collect(),
            version_req: coverage.version_req.as_deref().cloned(),
            hosting_group: coverage
                .hosting_group
                .and_then(|id| catalogue.group(id))
                .map(|group| group.slug.to_string()),
            external_ref: subscription.external_ref.clone().map(String::from),
            renews: subscription.renews,
            created_at: subscription.created_at,
        }
    }
}

/// A new subscription with its license key.
#[derive(Serialize, ToSchema)]
pub struct SoldSubscription {
    /// The subscription.
    #[serde(flatten)]
    subscription: SubscriptionBody,
    /// The license key in clear; it is not stored and not shown again.
    license_key: String,
}

/// A new license key.
#[derive(Serialize, ToSchema)]
pub struct IssuedKey {
    /// Its id.
    id: LicenseKeyId,
    /// The license key in clear; it is not stored and not shown again.
    license_key: String,
}

/// A license key, without the key itself, which is not stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LicenseKey)]
pub struct KeyBody {
    /// Its id.
    id: LicenseKeyId,
    /// Whether the vendor imported it.
    imported: bool,
    /// When it was issued or imported.
    created_at: Timestamp,
    /// When it was revoked.
    revoked_at: Option<Timestamp>,
}

impl KeyBody {
    fn of(key: &KeyRecord) -> Self {
        Self { id: key.id, imported: key.imported, created_at: key.created_at, revoked_at: key.revoked_at }
    }
}

/// The result of an import.
#[derive(Serialize, ToSchema)]
pub struct ImportBody {
    /// The number of imported subscriptions.
    imported: usize,
    /// The imported subscriptions, line by line.
    subscriptions: Vec<ImportedBody>,
}

/// An imported line.
#[derive(Serialize, ToSchema)]
pub struct ImportedBody {
    /// The line of the file.
    line: u64,
    /// The id of the new subscription.
    subscription_id: SubscriptionId,
    /// The license key in clear, shown only here; absent where the file contained the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    license_key: Option<String>,
}

fn render(app: &App, subscription: &Subscription) -> SubscriptionBody {
    SubscriptionBody::of(&app.context.directory.catalogue(), subscription, app.context.clock.now())
}

fn answer(app: &App, subscription: &Subscription) -> HttpResponse {
    json::answer_with_etag(StatusCode::OK, subscription.revision, &render(app, subscription))
}

/// Sell a subscription; only this answer has its license key in clear.
#[utoipa::path(
    tag = "Admin",
    security(("bearer" = [])),
    request_body(content = NewSubscription, example = json!({"customer_id": "0199a0de-0000-7000-8000-0000000000c1", "product": "office-maker",
        "deployment": "single_user", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "grace_days": 14})),
    responses((status = 201, description = "The subscription, with its license key.", body = SoldSubscription))
)]
#[post("/api/v1/admin/subscriptions")]
pub async fn add_subscription(
    app: App,
    caller: Caller<WriteSubscriptions>,
    body: Body<NewSubscription>,
) -> Result<HttpResponse, Problem> {
    let (subscription, issued) = subscriptions::add(&app.context, caller.reach, body.0).await?;
    let sold = SoldSubscription { subscription: render(&app, &subscription), license_key: issued.license_key };
    Ok(json::answer_with_etag(StatusCode::CREATED, subscription.revision, &sold))
}

/// List subscriptions.
#[utoipa::path(
    tag = "Admin",
    params(SubscriptionsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of subscriptions.", body = Listed<SubscriptionBody>))
)]
#[get("/api/v1/admin/subscriptions")]
pub async fn list_subscriptions(
    app: App,
    caller: Caller<ReadSubscriptions>,
    query: Query<SubscriptionsQuery>,
) -> Result<HttpResponse, Problem> {
    let SubscriptionsQuery { customer, product, status, ends_before, limit, after } = query.0;
    let reach = lookup::narrowed(&app.context, caller.reach, product.as_ref())?;
    let wanted = Wanted { customer, reach, state: None, ends_before };
    let rows = subscriptions::list(&app.context, wanted, status, limit.page(after)).await?;
    let listed = Listed::of(rows, limit.get(), |subscription| subscription.coverage.id.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|subscription| render(&app, &subscription))))
}

/// Show a subscription.
#[utoipa::path(
    tag = "Admin",
    params(SubscriptionPath),
    security(("bearer" = [])),
    responses((status = 200, description = "The subscription.", body = SubscriptionBody))
)]
#[get("/api/v1/admin/subscriptions/{id}")]
pub async fn get_subscription(
    app: App,
    caller: Caller<ReadSubscriptions>,
    path: Segments<SubscriptionPath>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&app, &subscriptions::get(&app.context, caller.reach, path.0.id).await?))
}

async fn act(
    app: &App,
    caller: &Caller<WriteSubscriptions>,
    path: SubscriptionPath,
    expected: IfMatch,
    action: Action,
) -> Result<HttpResponse, Problem> {
    Ok(answer(app, &subscriptions::act(&app.context, caller.reach.clone(), path.id, expected.0, action).await?))
}

/// Change a subscription.
#[utoipa::path(
    tag = "Admin",
    params(SubscriptionPath, IfMatch),
    security(("bearer" = [])),
    request_body(content = SubscriptionChange, example = json!({"grace_days": 30})),
    responses((status = 200, description = "The subscription.", body = SubscriptionBody))
)]
#[patch("/api/v1/admin/subscriptions/{id}")]
pub async fn change_subscription(
    app: App,
    caller: Caller<WriteSubscriptions>,
    path: Segments<SubscriptionPath>,
    expected: IfMatch,
    body: Body<SubscriptionChange>,
) -> Result<HttpResponse, Problem> {
    act(&app, &caller, path.0, expected, Action::Change(Box::new(body.0))).await
}

/// Renew a subscription to a new end.
#[utoipa::path(
    tag = "Admin",
    params(SubscriptionPath, IfMatch),
    security(("bearer" = [])),
    request_body(content = Renewal, example = json!({"ends_on": "2099-12-31"})),
    responses((status = 200, description = "The subscription.", body = SubscriptionBody))
)]
#[post("/api/v1/admin/subscriptions/{id}/renew")]
pub async fn renew_subscription(
    app: App,
    caller: Caller<WriteSubscriptions>,
    path: Segments<SubscriptionPath>,
    expected: IfMatch,
    body: Body<Renewal>,
) -> Result<HttpResponse, Problem> {
    act(&app, &caller, path.0, expected, Action::Renew(body.0)).await
}

/// Suspend a subscription.
#[utoipa::path(
    tag = "Admin",
    params(SubscriptionPath, IfMatch),
    security(("bearer" = [])),
    responses((status = 200, description = "The subscription.", body = SubscriptionBody))
)]
#[post("/api/v1/admin/subscriptions/{id}/suspend")]
pub async fn suspend_subscription(
    app: App,
    caller: Caller<WriteSubscriptions>,
    path: Segments<SubscriptionPath>,
    expected: IfMatch,
    _body: MaybeBody<Nothing>,
) -> Result<HttpResponse, Problem> {
    act(&app, &caller, path.0, expected, Action::Suspend).await
}

/// Resume a suspended subscription.
#[utoipa::path(
    tag = "Admin",
    params(SubscriptionPath, IfMatch),
    security(("bearer" = [])),
    responses((status = 200, description = "The subscription.", body = SubscriptionBody))
)]
#[post("/api/v1/admin/subscriptions/{id}/resume")]
pub async fn resume_subscription(
    app: App,
    caller: Caller<WriteSubscriptions>,
    path: Segments<SubscriptionPath>,
    expected: IfMatch,
    _body: MaybeBody<Nothing>,
) -> Result<HttpResponse, Problem> {
    act(&app, &caller, path.0, expected, Action::Resume).await
}

/// Cancel a subscription, to its end or at once.
#[utoipa::path(
    tag = "Admin",
    params(SubscriptionPath, IfMatch),
    security(("bearer" = [])),
    request_body(content = Option<Cancellation>, example = json!({"at": "end"})),
    responses((status = 200, description = "The subscription.", body = SubscriptionBody))
)]
#[post("/api/v1/admin/subscriptions/{id}/cancel")]
pub async fn cancel_subscription(
    app: App,
    caller: Caller<WriteSubscriptions>,
    path: Segments<SubscriptionPath>,
    expected: IfMatch,
    body: MaybeBody<Cancellation>,
) -> Result<HttpResponse, Problem> {
    act(&app, &caller, path.0, expected, Action::Cancel(body.0)).await
}

/// Issue another license key; only this answer has it in clear.
#[utoipa::path(
    tag = "Admin",
    params(SubscriptionPath),
    security(("bearer" = [])),
    responses((status = 201, description = "The key.", body = IssuedKey))
)]
#[post("/api/v1/admin/subscriptions/{id}/keys")]
pub async fn add_license_key(
    app: App,
    caller: Caller<WriteSubscriptions>,
    path: Segments<SubscriptionPath>,
    _body: MaybeBody<Nothing>,
) -> Result<HttpResponse, Problem> {
    let issued = license_keys::issue(&app.context, caller.reach, path.0.id).await?;
    Ok(json::answer(StatusCode::CREATED, &IssuedKey { id: issued.id, license_key: issued.license_key }))
}

/// List the license keys of a subscription, without the keys themselves, which are not stored.
#[utoipa::path(
    tag = "Admin",
    params(SubscriptionPath, PageQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of keys.", body = Listed<KeyBody>))
)]
#[get("/api/v1/admin/subscriptions/{id}/keys")]
pub async fn list_license_keys(
    app: App,
    caller: Caller<ReadSubscriptions>,
    path: Segments<SubscriptionPath>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.0.limit.page(query.0.after.map(LicenseKeyId));
    let rows = license_keys::list(&app.context, caller.reach, path.0.id, page).await?;
    let listed = Listed::of(rows, query.0.limit.get(), |key| key.id.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|key| KeyBody::of(&key))))
}

/// Revoke a license key. Its links stop working too.
#[utoipa::path(
    tag = "Admin",
    params(LicenseKeyPath),
    security(("bearer" = [])),
    responses((status = 204, description = "It is revoked."))
)]
#[delete("/api/v1/admin/subscriptions/{id}/keys/{key_id}")]
pub async fn revoke_license_key(
    app: App,
    caller: Caller<WriteSubscriptions>,
    path: Segments<LicenseKeyPath>,
) -> Result<HttpResponse, Problem> {
    license_keys::revoke(&app.context, caller.reach, path.0.id, path.0.key_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Import subscriptions from CSV: all lines or none.
///
/// A header line names the columns: `customer` (the vendor's own reference; a customer is added if none
/// has it), `product`, `deployment`, `starts_on`, `ends_on` (empty for no end), and where wanted `customer_name`,
/// `customer_email`, `customer_locale`, `grace_days`, `channels` (separated by spaces), `version_req`, `hosting_group`,
/// `external_ref`, `license_key` (one that is in the field already). At most 16 MiB.
#[utoipa::path(
    tag = "Admin",
    security(("bearer" = [])),
    request_body(content_type = "text/csv", content = String,
        example = "customer,customer_name,product,deployment,starts_on,ends_on\nCRM-2001,Edizioni Verdi,office-maker,multi_user,2026-01-01,2026-12-31\n"),
    responses((status = 201, description = "The imported subscriptions, with the new license keys in clear, which are not shown again.", body = ImportBody))
)]
#[post("/api/v1/admin/subscriptions/import")]
pub async fn import_subscriptions(
    app: App,
    caller: Caller<WriteSubscriptions>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let file = body::collect(&request, payload.into_inner(), CSV_LIMIT).await?;
    body::require_type(&request, "text/csv")?;
    let imported = services::selling::import_subscriptions::import(&app.context, caller.reach, file).await?;
    let subscriptions: Vec<_> = imported
        .into_iter()
        .map(|one| ImportedBody { line: one.line, subscription_id: one.subscription, license_key: one.license_key })
        .collect();
    Ok(json::answer(StatusCode::CREATED, &ImportBody { imported: subscriptions.len(), subscriptions }))
}

#[cfg(test)]
mod tests;
