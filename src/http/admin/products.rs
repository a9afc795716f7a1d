//! Products.

use actix_web::{HttpResponse, get, http::StatusCode, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    domain::{product::Product, slug::Slug},
    http::{
        App, Problem,
        approvals::{self, Asked},
        extract::{
            Body, Caller, IfMatch, Query, Segments,
            caller::{AddProducts, ChangeProducts, ReadReleases},
        },
        json,
        paging::{Limit, Listed},
        product::{ProductBody, ProductPath},
    },
    services::{
        desk::lookup,
        releasing::products::{self, NewProduct, ProductChange},
    },
};

/// Which page of products.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProductsQuery {
    /// The most items on a page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// The `next` of the page before: a slug.
    after: Option<Slug>,
}

fn answer(status: StatusCode, product: &Product) -> HttpResponse {
    json::answer_with_etag(status, product.revision, &ProductBody::of(product))
}

/// Add a product.
#[utoipa::path(
    tag = "Admin",
    security(("bearer" = [])),
    request_body(content = NewProduct, example = json!({"slug": "photo-maker", "name": "Photo Maker", "default_locale": "it", "timezone": "Europe/Rome"})),
    responses((status = 201, description = "The product.", body = ProductBody))
)]
#[post("/api/v1/products")]
pub async fn add_product(
    app: App,
    _caller: Caller<AddProducts>,
    body: Body<NewProduct>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(StatusCode::CREATED, &products::add(&app.context, body.0).await?))
}

/// List products, by slug.
#[utoipa::path(
    tag = "Admin",
    params(ProductsQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of products.", body = Listed<ProductBody>))
)]
#[get("/api/v1/products")]
pub async fn list_products(
    app: App,
    caller: Caller<ReadReleases>,
    query: Query<ProductsQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.0.limit.page(query.0.after);
    let rows = products::list(&app.context, &caller.reach, &page);
    let listed = Listed::of(rows, query.0.limit.get(), |entry| entry.product.slug.to_string());
    Ok(json::answer(StatusCode::OK, &listed.map(|entry| ProductBody::of(&entry.product))))
}

/// Show a product.
#[utoipa::path(
    tag = "Admin",
    params(ProductPath),
    security(("bearer" = [])),
    responses((status = 200, description = "The product.", body = ProductBody))
)]
#[get("/api/v1/products/{slug}")]
pub async fn get_product(
    app: App,
    _caller: Caller<ReadReleases>,
    path: Segments<ProductPath>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(StatusCode::OK, &lookup::product_entry(&app.context, &path.0.slug)?.product))
}

/// Change a product.
///
/// Turning the two-person rule off, or reordering the channels while it is on, takes a second person.
#[utoipa::path(
    tag = "Admin",
    params(ProductPath, IfMatch),
    security(("bearer" = [])),
    request_body(content = ProductChange, example = json!({"name": "Office Maker"})),
    responses(
        (status = 200, description = "The product.", body = ProductBody),
        (status = 202, description = "Under the two-person rule: done once a second person approves.", body = Asked,
            headers(("Location" = String, description = "The address of the approval request.")))
    )
)]
#[patch("/api/v1/products/{slug}")]
pub async fn change_product(
    app: App,
    _caller: Caller<ChangeProducts>,
    path: Segments<ProductPath>,
    expected: IfMatch,
    body: Body<ProductChange>,
) -> Result<HttpResponse, Problem> {
    let carried = products::change(&app.context, path.0.slug, expected.0, body.0).await?;
    Ok(approvals::answer(&app, carried, |product| answer(StatusCode::OK, &product)))
}

#[cfg(test)]
mod tests;
