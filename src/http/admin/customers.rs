//! Customers.

use actix_web::{HttpResponse, get, http::StatusCode, patch, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{customer::Customer, id::CustomerId},
    http::{
        App, Problem,
        extract::{
            Body, Caller, IfMatch, Query, Segments,
            caller::{ReadSubscriptions, WriteSubscriptions},
        },
        json,
        paging::{Limit, Listed},
    },
    services::selling::customers::{self, CustomerChange, NewCustomer},
};

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Customer)]
#[expect(missing_docs, reason = "described where it is entered, in NewCustomer")]
pub struct CustomerBody {
    pub id: CustomerId,
    pub name: String,
    pub email: Option<String>,
    pub locale: Option<String>,
    pub external_ref: Option<String>,
    pub created_at: Timestamp,
}

impl CustomerBody {
    fn of(customer: &Customer) -> Self {
        Self {
            id: customer.id,
            name: customer.name.to_string(),
            email: customer.email.clone(),
            locale: customer.locale.as_ref().map(ToString::to_string),
            external_ref: customer.external_ref.clone().map(String::from),
            created_at: customer.created_at,
        }
    }
}

/// Where a customer is.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CustomerPath {
    /// The customer's id.
    #[param(example = "0199a0de-0000-7000-8000-0000000000c1")]
    id: CustomerId,
}

/// Which page of customers.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CustomersQuery {
    /// Words in the name, the e-mail address or the external reference.
    #[param(example = "studio")]
    q: Option<String>,
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before.
    after: Option<CustomerId>,
}

fn answer(status: StatusCode, customer: &Customer) -> HttpResponse {
    json::answer_with_etag(status, customer.revision, &CustomerBody::of(customer))
}

/// Add a customer.
#[utoipa::path(
    tag = "Admin",
    security(("bearer" = [])),
    request_body(content = NewCustomer, example = json!({"name": "Studio Bianchi", "email": "anna@bianchi.example.com", "locale": "it"})),
    responses((status = 201, description = "The customer.", body = CustomerBody))
)]
#[post("/api/v1/admin/customers")]
pub async fn add_customer(
    app: App,
    _caller: Caller<WriteSubscriptions>,
    body: Body<NewCustomer>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(StatusCode::CREATED, &customers::add(&app.context, body.0).await?))
}

/// List customers.
#[utoipa::path(
    tag = "Admin",
    params(CustomersQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of customers.", body = Listed<CustomerBody>))
)]
#[get("/api/v1/admin/customers")]
pub async fn list_customers(
    app: App,
    caller: Caller<ReadSubscriptions>,
    query: Query<CustomersQuery>,
) -> Result<HttpResponse, Problem> {
    let CustomersQuery { q, limit, after } = query.0;
    let rows = customers::list(&app.context, caller.reach, q, limit.page(after)).await?;
    let listed = Listed::of(rows, limit.get(), |customer| customer.id.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|customer| CustomerBody::of(&customer))))
}

/// Show a customer.
#[utoipa::path(
    tag = "Admin",
    params(CustomerPath),
    security(("bearer" = [])),
    responses((status = 200, description = "The customer.", body = CustomerBody))
)]
#[get("/api/v1/admin/customers/{id}")]
pub async fn get_customer(
    app: App,
    caller: Caller<ReadSubscriptions>,
    path: Segments<CustomerPath>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(StatusCode::OK, &customers::get(&app.context, caller.reach, path.0.id).await?))
}

/// Change a customer.
#[utoipa::path(
    tag = "Admin",
    params(CustomerPath, IfMatch),
    security(("bearer" = [])),
    request_body(content = CustomerChange, example = json!({"locale": "fr"})),
    responses((status = 200, description = "The customer.", body = CustomerBody))
)]
#[patch("/api/v1/admin/customers/{id}")]
pub async fn change_customer(
    app: App,
    caller: Caller<WriteSubscriptions>,
    path: Segments<CustomerPath>,
    expected: IfMatch,
    body: Body<CustomerChange>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(StatusCode::OK, &customers::change(&app.context, caller.reach, path.0.id, expected.0, body.0).await?))
}

#[cfg(test)]
mod tests;
